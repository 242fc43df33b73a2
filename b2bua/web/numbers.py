"""Access numbers: what each called number, or range of numbers, expects of its calls (R1-05)."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter

from b2bua.storage.business import access_number_key
from b2bua.web.desk import Configurer, SeesAll, TheDesk
from b2bua.web.models import Digits, In, Out, Slug, merged
from routing.directory import AccessNumber, Correlation, EntryPoint
from routing.goal import GoalKind

router = APIRouter(prefix="/v1/access-numbers", tags=["access numbers"])


class EntryIn(In):
    """Where the number leads."""

    kind: GoalKind
    target: Annotated[str, Field(pattern=r"^[0-9A-Za-z+*#._-]{0,64}$")] = Field(
        default="",
        description="Extension, person, queue, VDN, menu, mailbox or number to dial; empty for hangup.",
        examples=["repairs"],
    )


class AccessNumberIn(In):
    """A called number, or a range of numbers of one length."""

    first: Digits = Field(examples=["4008100000"])
    last: Digits | None = Field(default=None, description="Left out for a single number.", examples=["4008100099"])
    correlation: Correlation = Correlation.REQUIRED
    default_tenant: Slug | None = None
    entry: EntryIn | None = None
    default_route: Slug | None = Field(default=None, description="For its calls that fail to find their caller's data.")
    trunks: list[str] = Field(default=[], max_length=100, description="Only on these trunks; empty: on any.")


class EntryOut(Out):
    kind: str
    target: str


class AccessNumberOut(Out):
    """An access number as it is kept; `key` is its name in paths."""

    key: str = Field(examples=["4008100000-4008100099"])
    first: str
    last: str
    correlation: str
    default_tenant: str | None
    entry: EntryOut | None
    default_route: str | None
    trunks: list[str]


class AccessNumberList(Out):
    """All of them, by key."""

    access_numbers: list[AccessNumberOut]


_IN = TypeAdapter(AccessNumberIn)


@router.get("")
async def list_access_numbers(desk: TheDesk, caller: SeesAll) -> AccessNumberList:
    """All access numbers."""
    return AccessNumberList(access_numbers=[_shown(row) for row in await desk.access_numbers.list()])


@router.post("", status_code=201)
async def create_access_number(
    body: AccessNumberIn, desk: TheDesk, caller: Configurer, response: Response
) -> AccessNumberOut:
    """Add one. 409 lists everything that speaks against it."""
    row = _row(body)
    async with desk.changing:
        await desk.access_numbers.create(row, by=caller.by, now=desk.wall())
        await desk.changed()
    response.headers["Location"] = f"/v1/access-numbers/{access_number_key(row)}"
    return _shown(row)


@router.get("/{key}")
async def show_access_number(key: str, desk: TheDesk, caller: SeesAll) -> AccessNumberOut:
    """One of them."""
    return _shown(await desk.access_numbers.get(key))


@router.put("/{key}")
async def replace_access_number(key: str, body: AccessNumberIn, desk: TheDesk, caller: Configurer) -> AccessNumberOut:
    """Replace it; other numbers or trunks give it another key."""
    row = _row(body)
    async with desk.changing:
        await desk.access_numbers.replace(row, key=key, by=caller.by, now=desk.wall())
        await desk.changed()
    return _shown(row)


@router.patch("/{key}")
async def change_access_number(key: str, body: dict[str, Any], desk: TheDesk, caller: Configurer) -> AccessNumberOut:
    """Change what is named (JSON merge patch, RFC 7396); null removes."""
    async with desk.changing:
        current = _shown(await desk.access_numbers.get(key)).model_dump(exclude={"key"})
        row = _row(merged(_IN, current, body))
        await desk.access_numbers.replace(row, key=key, by=caller.by, now=desk.wall())
        await desk.changed()
    return _shown(row)


@router.delete("/{key}", status_code=204)
async def delete_access_number(key: str, desk: TheDesk, caller: Configurer) -> None:
    """Remove it: calls to it are refused from now on."""
    async with desk.changing:
        await desk.access_numbers.delete(key, by=caller.by, now=desk.wall())
        await desk.changed()


def _row(body: AccessNumberIn) -> AccessNumber:
    return AccessNumber(
        first=body.first,
        last=body.last or body.first,
        correlation=body.correlation,
        default_tenant=body.default_tenant,
        entry=None if body.entry is None else EntryPoint(body.entry.kind, body.entry.target),
        default_route=body.default_route,
        trunks=frozenset(body.trunks),
    )


def _shown(row: AccessNumber) -> AccessNumberOut:
    return AccessNumberOut(
        key=access_number_key(row),
        first=row.first,
        last=row.last,
        correlation=str(row.correlation),
        default_tenant=row.default_tenant,
        entry=None if row.entry is None else EntryOut(kind=row.entry.kind, target=row.entry.target),
        default_route=row.default_route,
        trunks=sorted(row.trunks),
    )
