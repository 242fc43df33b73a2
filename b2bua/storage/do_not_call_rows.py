"""Do-not-call lists as rows: a tenant's own, and imported ones that campaigns name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from b2bua.storage.among import Among
from b2bua.storage.dial_tables import contact_numbers, contacts, do_not_call, do_not_call_lists
from b2bua.storage.dialect import per_dialect
from b2bua.storage.hot import Hot
from dialer.campaign import Campaign
from dialer.contact import ContactState

OWN = "own"
"The list that every tenant has and every one of its campaigns keeps to."

P = sa.bindparam

ON_LISTS = Hot(
    sa.select(do_not_call.c.tenant, do_not_call.c.list)
    .where(
        do_not_call.c.number == P("number_"), sa.or_(do_not_call.c.tenant == P("tenant_"), do_not_call.c.tenant == "")
    )
    .order_by(do_not_call.c.list)
)

AMONG = Among(
    sa.select(do_not_call.c.number, do_not_call.c.tenant, do_not_call.c.list).where(
        sa.or_(do_not_call.c.tenant == P("tenant_"), do_not_call.c.tenant == "")
    ),
    do_not_call.c.number,
)

ADD = per_dialect(lambda insert: insert(do_not_call).on_conflict_do_nothing().returning(do_not_call.c.number))


def _renew(insert: Any) -> Any:
    new = insert(do_not_call)
    return new.on_conflict_do_update(
        index_elements=["number", "tenant", "list"], set_={"added_at": new.excluded.added_at}
    )


RENEW = per_dialect(_renew)
"A number of an imported list, or the same once more: its time says which import brought it last."


def counts_for(campaign: Campaign, tenant: str, list_: str) -> bool:
    """Whether a list is one the campaign keeps to: the tenant's own always, others where it names them."""
    return (list_ == OWN and tenant == campaign.tenant) or list_ in campaign.do_not_call


def listed(conn: sa.Connection, campaign: Campaign, number: str) -> str:
    """The list that forbids the number, empty when none does."""
    rows = ON_LISTS.all(conn, {"number_": number, "tenant_": campaign.tenant})
    return next((name for tenant, name in rows if counts_for(campaign, tenant, name)), "")


def listed_among(conn: sa.Connection, campaign: Campaign, numbers: Sequence[str]) -> dict[str, str]:
    """Those of the numbers that are on a list, and which."""
    found: dict[str, str] = {}
    for number, tenant, name in AMONG.all(conn, numbers, {"tenant_": campaign.tenant}):
        if counts_for(campaign, tenant, name):
            found.setdefault(number, name)
    return found


def add(
    conn: sa.Connection, tenant: str, name: str, numbers: Iterable[str], reason: str, now: float
) -> list[str]:  # fmt: skip
    """Put numbers on a list; returns those that were not on it."""
    rows = [
        {"number": number, "tenant": tenant, "list": name, "reason": reason, "added_at": now}
        for number in sorted(set(numbers))
    ]
    if not rows:
        return []
    return [str(number) for (number,) in conn.execute(ADD(conn.dialect.name), rows)]


def close_contacts(conn: sa.Connection, tenant: str, numbers: Sequence[str]) -> int:
    """Close the tenant's open contacts that have nothing but these numbers to be called on.

    One with other numbers stays: the last check before each call keeps the listed one from being dialled.
    """
    having = sa.select(contact_numbers.c.contact).where(contact_numbers.c.number.in_(numbers))
    others = (
        sa.select(contact_numbers.c.contact)
        .where(contact_numbers.c.contact == contacts.c.id, contact_numbers.c.number.not_in(numbers))
        .exists()
    )
    return conn.execute(
        sa.update(contacts)
        .where(
            contacts.c.id.in_(having),
            contacts.c.tenant == tenant,
            contacts.c.state == ContactState.OPEN.value,
            sa.not_(others),
        )
        .values(state=ContactState.CLOSED.value, reason="do-not-call")
    ).rowcount


def remove(conn: sa.Connection, tenant: str, name: str, numbers: Sequence[str]) -> int:
    """Take numbers off a list; returns how many were on it."""
    this = (do_not_call.c.tenant == tenant, do_not_call.c.list == name, do_not_call.c.number.in_(numbers))
    return conn.execute(sa.delete(do_not_call).where(*this)).rowcount


@dataclass(frozen=True, slots=True)
class ListInfo:
    """A do-not-call list."""

    tenant: str
    "Empty: every tenant's campaigns may name it."
    list: str
    source: str
    as_of: float
    "The day its numbers are of: how old it may be is a question of law."
    imported_at: float
    numbers: int


def imported(conn: sa.Connection, info: ListInfo) -> None:
    """Note that a list was imported."""
    this = (do_not_call_lists.c.tenant == info.tenant, do_not_call_lists.c.list == info.list)
    conn.execute(sa.delete(do_not_call_lists).where(*this))
    conn.execute(sa.insert(do_not_call_lists), {name: getattr(info, name) for name in ListInfo.__slots__})


def infos(conn: sa.Connection, tenant: str | None) -> list[ListInfo]:
    """Imported lists: those a tenant's campaigns may name, or all."""
    query = sa.select(do_not_call_lists).order_by(do_not_call_lists.c.tenant, do_not_call_lists.c.list)
    if tenant is not None:
        query = query.where(do_not_call_lists.c.tenant.in_((tenant, "")))
    return [ListInfo(**row) for row in conn.execute(query).mappings()]


def ages(conn: sa.Connection, tenant: str) -> dict[str, float]:
    """Imported list -> the day its numbers are of; of two with one name the older counts."""
    found: dict[str, float] = {}
    for one in infos(conn, tenant):
        found[one.list] = min(one.as_of, found.get(one.list, one.as_of))
    return found


LIST_BATCH = "do-not-call/"
"What the key of a list's import begins with, where a batch has its campaign: no campaign's id has a slash in it."


def tenant_of(key: str) -> str:
    """The tenant that the key of an import names."""
    return key.removeprefix(LIST_BATCH)


def renew(conn: sa.Connection, tenant: str, name: str, numbers: Iterable[str], source: str, now: float) -> None:
    """Numbers of a list that is being imported at `now`."""
    values = [
        {"number": number, "tenant": tenant, "list": name, "reason": source, "added_at": now}
        for number in sorted(set(numbers))
    ]
    if values:
        conn.execute(RENEW(conn.dialect.name), values)


def size(conn: sa.Connection, tenant: str, name: str) -> int:
    """How many numbers a list has."""
    this = (do_not_call.c.tenant == tenant, do_not_call.c.list == name)
    return int(conn.execute(sa.select(sa.func.count()).where(*this)).scalar_one())


def remove_older(conn: sa.Connection, tenant: str, name: str, before: float, most: int) -> int:
    """Take up to `most` numbers off a list that the newest import did not bring; returns how many."""
    old = (
        sa.select(do_not_call.c.number)
        .where(do_not_call.c.tenant == tenant, do_not_call.c.list == name, do_not_call.c.added_at < before)
        .limit(most)
    )
    return conn.execute(
        sa.delete(do_not_call).where(
            do_not_call.c.tenant == tenant, do_not_call.c.list == name, do_not_call.c.number.in_(old)
        )
    ).rowcount


def page(
    conn: sa.Connection, tenant: str, name: str, limit: int, after: str
) -> list[tuple[str, str, float]]:  # fmt: skip
    """Number, reason and time of a list's entries behind a number."""
    query = (
        sa.select(do_not_call.c.number, do_not_call.c.reason, do_not_call.c.added_at)
        .where(do_not_call.c.tenant == tenant, do_not_call.c.list == name, do_not_call.c.number > after)
        .order_by(do_not_call.c.number)
        .limit(limit)
    )
    return [(number, reason, at) for number, reason, at in conn.execute(query)]
