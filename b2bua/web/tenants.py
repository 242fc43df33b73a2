"""Tenants: customer systems, the marks of their calls, and how far their numbers reach (R1-04, R1-06)."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field, TypeAdapter

from b2bua.outside.question import url_mistakes
from b2bua.web.desk import Configurer, Desk, SeesTenant, TheDesk
from b2bua.web.models import Digits, Extension, In, Label, Number, Out, Slug, merged
from b2bua.web.problems import invalid
from routing.digits import capacity
from routing.directory import Connection, Tenant

router = APIRouter(prefix="/v1/tenants", tags=["tenants"])


def _usable(url: str) -> str:
    if mistakes := url_mistakes(url):
        raise ValueError("; ".join(mistakes))
    return url


class ConnectionIn(In):
    """How the tenant's own system is reached (R1-06, R1-07)."""

    kind: Literal["json", "xmlrpc"]
    url: Annotated[str, AfterValidator(_usable)] = Field(
        description="http(s) URL; `{access_id}`, `{sequence}`, `{call}`, `{called}`, `{billing}` in its path or query"
        " are replaced. For XML-RPC the method stands behind a `#`.",
        examples=["https://crm.example.com/rows/{sequence}"],
    )
    mode: Literal["push", "pull", "both"] = Field(
        default="pull",
        description="Where the data of a call come from: tokens left here, the tenant's system, or both.",
    )
    timeout_ms: int = Field(default=500, ge=50, le=10_000)
    secret: str | None = Field(
        default=None,
        pattern=r"^[!-~]{1,512}$",
        description="Sent as Basic when it has the form `user:password`, else as Bearer. Never shown again."
        " Left out, the one that is kept stays; null removes it.",
    )


class ConnectionOut(Out):
    """The same without the secret."""

    kind: str
    url: str
    mode: str
    timeout_ms: int
    has_secret: bool


class TenantFields(In):
    """A tenant without its id."""

    name: Label
    access_id: Digits = Field(
        description="Marks the tenant's numbers; none may begin another (R1-04).", examples=["7001"]
    )
    trunks: list[str] = Field(description="Trunks its numbers may arrive on.", max_length=100, examples=[["carrier"]])
    billing_numbers: list[Number] = Field(
        description="Numbers its system calls under; tenants may share one.",
        max_length=1000,
        examples=[["02155550000"]],
    )
    token_ttl: float = Field(default=300.0, gt=0, le=7 * 86400, description="Seconds a token lives.")
    connection: ConnectionIn | None = None
    default_extension: Extension | None = Field(default=None, description="The agent for tokens that name none.")
    enabled: bool = True
    record: bool = Field(default=False, description="Record its calls, unless the node records nothing.")
    keep_recordings: int | None = Field(
        default=None, ge=0, le=36500, description="Days that they are kept; 0: for ever, null: as the node does."
    )


class TenantIn(TenantFields):
    """A new tenant."""

    id: Slug = Field(examples=["acme"])


class Reach(Out):
    """How far the sequence numbers of one trunk reach (R1-04)."""

    trunk: str
    digits: int = Field(description="Length of an original called number.", examples=[12])
    numbers: int = Field(description="Sequence numbers there are.", examples=[100_000_000])
    ttl: float = Field(examples=[300.0])
    per_second: float = Field(description="Tokens a second that can be issued for ever.", examples=[333_333.3])


class TenantOut(Out):
    """A tenant as it is kept."""

    id: str
    name: str
    access_id: str
    trunks: list[str]
    billing_numbers: list[str]
    token_ttl: float
    connection: ConnectionOut | None
    default_extension: str | None
    enabled: bool
    record: bool
    keep_recordings: int | None
    capacity: list[Reach]
    live_tokens: int | None = Field(description="Sequence numbers taken now; only where one tenant is shown.")


class TenantList(Out):
    """All tenants, by id."""

    tenants: list[TenantOut]


_FIELDS = TypeAdapter(TenantFields)


@router.get("")
async def list_tenants(desk: TheDesk, caller: SeesTenant) -> TenantList:
    """All tenants; a tenant's key sees its own."""
    found = await desk.tenants.list()
    return TenantList(tenants=[shown(desk, tenant) for tenant in found if caller.reaches(tenant.id)])


@router.post("", status_code=201)
async def create_tenant(body: TenantIn, desk: TheDesk, caller: Configurer, response: Response) -> TenantOut:
    """Add a tenant. 409 lists everything that speaks against it."""
    tenant = _tenant(body.id, body, None)
    async with desk.changing:
        await desk.tenants.create(tenant, by=caller.by, now=desk.wall())
        await desk.changed()
    response.headers["Location"] = f"/v1/tenants/{tenant.id}"
    return shown(desk, tenant)


@router.get("/{id}")
async def show_tenant(id: str, desk: TheDesk, caller: SeesTenant) -> TenantOut:
    """One tenant, with its capacity and how many tokens live."""
    caller.must_reach(id)
    tenant = await desk.tenants.get(id)
    return shown(desk, tenant, await desk.tokens.live(id, desk.wall()))


@router.put("/{id}")
async def replace_tenant(id: str, body: TenantFields, desk: TheDesk, caller: Configurer) -> TenantOut:
    """Replace everything but the id; the connection's secret stays unless it is named."""
    async with desk.changing:
        return await _replace(desk, await desk.tenants.get(id), body, caller.by)


@router.patch("/{id}")
async def change_tenant(id: str, body: dict[str, Any], desk: TheDesk, caller: Configurer) -> TenantOut:
    """Change what is named (JSON merge patch, RFC 7396); null removes."""
    async with desk.changing:
        before = await desk.tenants.get(id)
        current = shown(desk, before).model_dump(include=set(TenantFields.model_fields))
        if current["connection"]:
            del current["connection"]["has_secret"]
        return await _replace(desk, before, merged(_FIELDS, current, body), caller.by)


@router.delete("/{id}", status_code=204)
async def delete_tenant(id: str, desk: TheDesk, caller: Configurer) -> None:
    """Remove it, its tokens and its API keys. 409 while an access number names it."""
    async with desk.changing:
        await desk.tenants.delete(id, by=caller.by, now=desk.wall())
        desk.keyring.forget_tenant(id)
        await desk.changed()


async def _replace(desk: Desk, before: Tenant, body: TenantFields, by: str) -> TenantOut:
    tenant = _tenant(before.id, body, before.connection)
    tenant = await desk.tenants.replace(
        tenant, by=by, now=desk.wall(), keep=lambda there, new: _tenant(new.id, body, there.connection)
    )
    await desk.changed()
    return shown(desk, tenant)


def _tenant(id: str, body: TenantFields, before: Connection | None) -> Tenant:
    return Tenant(
        id=id,
        name=body.name,
        access_id=body.access_id,
        trunks=frozenset(body.trunks),
        billing_numbers=frozenset(body.billing_numbers),
        token_ttl=body.token_ttl,
        connection=None if body.connection is None else _connection(body.connection, before),
        default_extension=body.default_extension,
        enabled=body.enabled,
        record=body.record,
        keep_recordings=body.keep_recordings,
    )


def _connection(body: ConnectionIn, before: Connection | None) -> Connection:
    secret = body.secret
    if "secret" not in body.model_fields_set and before is not None and before.secret is not None:
        if urlsplit(body.url)[:2] != urlsplit(before.url)[:2]:
            # else whoever may change the URL could have the secret sent to himself
            raise invalid([("connection.secret", "must be named again when the URL leads to another host")])
        secret = before.secret
    return Connection(body.kind, body.url, body.mode, body.timeout_ms, secret)


def shown(desk: Desk, tenant: Tenant, live: int | None = None) -> TenantOut:
    """The tenant as the API shows it: without secrets, with its capacity."""
    connection = tenant.connection
    return TenantOut(
        id=tenant.id,
        name=tenant.name,
        access_id=tenant.access_id,
        trunks=sorted(tenant.trunks),
        billing_numbers=sorted(tenant.billing_numbers),
        token_ttl=tenant.token_ttl,
        connection=None
        if connection is None
        else ConnectionOut(
            kind=connection.kind,
            url=connection.url,
            mode=connection.mode,
            timeout_ms=connection.timeout_ms,
            has_secret=connection.secret is not None,
        ),
        default_extension=tenant.default_extension,
        enabled=tenant.enabled,
        record=tenant.record,
        keep_recordings=tenant.keep_recordings,
        capacity=[_reach(desk, tenant, trunk) for trunk in sorted(tenant.trunks) if trunk in desk.profiles],
        live_tokens=live,
    )


def _reach(desk: Desk, tenant: Tenant, trunk: str) -> Reach:
    plan = desk.profiles[trunk].plan
    reach = capacity(plan, tenant.token_ttl)
    return Reach(
        trunk=trunk,
        digits=plan.width(tenant.access_id),
        numbers=reach.numbers,
        ttl=reach.ttl,
        per_second=round(reach.per_second, 3),
    )
