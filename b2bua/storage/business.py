"""Tenants, access numbers, agents, routes and the plan as rows, and all of them together as one snapshot."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import sqlalchemy as sa

from b2bua.jsontext import decode, encode
from b2bua.storage import plan_values, tables
from routing.directory import (
    AccessNumber,
    Agent,
    Connection,
    Correlation,
    Credentials,
    Directory,
    EntryPoint,
    Route,
    Tenant,
)
from routing.plan import KINDS, Plan

T = TypeVar("T")

REVISION = "directory"
"The row of `revisions` that every change counts up."


@dataclass(frozen=True)
class Kind(Generic[T]):
    """How values of one sort lie in their table."""

    word: str
    "As audit entries and messages call it."
    field: str
    "Its place in `Business`."
    table: sa.Table
    key: Callable[[T], str]
    row: Callable[[T], dict[str, Any]]
    "The columns of a value."
    value: Callable[[Mapping[str, Any]], T]
    "The value of a row."

    @property
    def key_column(self) -> sa.Column[Any]:
        return next(iter(self.table.primary_key.columns))

    def all(self, conn: sa.Connection) -> tuple[T, ...]:
        rows = conn.execute(sa.select(self.table).order_by(self.key_column)).mappings()
        return tuple(self.value(dict(row)) for row in rows)

    def find(self, conn: sa.Connection, key: str) -> T | None:
        row = conn.execute(sa.select(self.table).where(self.key_column == key)).mappings().first()
        return None if row is None else self.value(dict(row))


class Business(NamedTuple):
    """Everything calls are routed by: what a directory is made of, and the plan."""

    tenants: tuple[Tenant, ...]
    access_numbers: tuple[AccessNumber, ...]
    agents: tuple[Agent, ...]
    routes: tuple[Route, ...]
    plan: Plan = Plan()

    def directory(self) -> Directory:
        return Directory(self.tenants, self.access_numbers, self.agents, self.routes)


def read(conn: sa.Connection) -> Business:
    """All of it, in one transaction's view."""
    return Business(TENANTS.all(conn), ACCESS_NUMBERS.all(conn), AGENTS.all(conn), ROUTES.all(conn), read_plan(conn))


def read_plan(conn: sa.Connection) -> Plan:
    """Every value of the plan, by kind and key."""
    rows = tables.plan
    found: dict[str, dict[str, Any]] = {kind.field: {} for kind in KINDS.values()}
    for word, key, body in conn.execute(
        sa.select(rows.c.kind, rows.c.key, rows.c.body).order_by(rows.c.kind, rows.c.key)
    ):
        value = plan_values.of_row(word, key, body)
        if value is not None:
            found[KINDS[word].field][key] = value
    return Plan(**found)


def revision(conn: sa.Connection) -> int:
    """How often it has been changed."""
    query = sa.select(tables.revisions.c.value).where(tables.revisions.c.name == REVISION)
    return int(conn.execute(query).scalar_one())


def begin_change(conn: sa.Connection) -> None:
    """Count the change. On PostgreSQL this row's lock also lets only one change be checked at a time."""
    row = tables.revisions
    conn.execute(sa.update(row).where(row.c.name == REVISION).values(value=row.c.value + 1))


def access_number_key(value: AccessNumber) -> str:
    """`8000`, `8000-8099`, and with `@trunk` (`@one+other`) when the row is for these trunks only."""
    return value.label + ("@" + "+".join(sorted(value.trunks)) if value.trunks else "")


def _names(names: frozenset[str]) -> str:
    return encode(sorted(names))


def _tenant_row(value: Tenant) -> dict[str, Any]:
    return {
        "id": value.id,
        "name": value.name,
        "access_id": value.access_id,
        "trunks": _names(value.trunks),
        "billing_numbers": _names(value.billing_numbers),
        "token_ttl": value.token_ttl,
        "connection": None if value.connection is None else encode(asdict(value.connection)),
        "default_extension": value.default_extension,
        "enabled": value.enabled,
        "record": value.record,
        "keep_recordings": value.keep_recordings,
    }


def _tenant(row: Mapping[str, Any]) -> Tenant:
    connection = decode(row["connection"])
    return Tenant(
        id=row["id"],
        name=row["name"],
        access_id=row["access_id"],
        trunks=frozenset(decode(row["trunks"])),
        billing_numbers=frozenset(decode(row["billing_numbers"])),
        token_ttl=row["token_ttl"],
        connection=None if connection is None else Connection(**connection),
        default_extension=row["default_extension"],
        enabled=row["enabled"],
        record=row["record"],
        keep_recordings=row["keep_recordings"],
    )


def _access_number_row(value: AccessNumber) -> dict[str, Any]:
    return {
        "key": access_number_key(value),
        "first": value.first,
        "last": value.last,
        "correlation": str(value.correlation),
        "default_tenant": value.default_tenant,
        "entry": None if value.entry is None else encode(asdict(value.entry)),
        "default_route": value.default_route,
        "trunks": _names(value.trunks),
    }


def _access_number(row: Mapping[str, Any]) -> AccessNumber:
    entry = decode(row["entry"])
    return AccessNumber(
        first=row["first"],
        last=row["last"],
        correlation=Correlation(row["correlation"]),
        default_tenant=row["default_tenant"],
        entry=None if entry is None else EntryPoint(**entry),
        default_route=row["default_route"],
        trunks=frozenset(decode(row["trunks"])),
    )


def _agent_row(value: Agent) -> dict[str, Any]:
    credentials = None if value.credentials is None else encode(asdict(value.credentials))
    return asdict(value) | {"credentials": credentials, "srtp_keys": encode(value.srtp_keys)}


def _agent(row: Mapping[str, Any]) -> Agent:
    credentials = decode(row["credentials"])
    known = None if credentials is None else Credentials(**credentials)
    return Agent(**(dict(row) | {"credentials": known, "srtp_keys": tuple(decode(row["srtp_keys"]) or ())}))


TENANTS = Kind[Tenant]("tenant", "tenants", tables.tenants, lambda value: value.id, _tenant_row, _tenant)
ACCESS_NUMBERS = Kind[AccessNumber](
    "access_number",
    "access_numbers",
    tables.access_numbers,
    access_number_key,
    _access_number_row,
    _access_number,
)
AGENTS = Kind[Agent]("agent", "agents", tables.agents, lambda value: value.extension, _agent_row, _agent)
ROUTES = Kind[Route]("route", "routes", tables.routes, lambda value: value.name, asdict, lambda row: Route(**row))
