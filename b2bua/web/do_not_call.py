"""Do-not-call lists: a tenant's own, and imported ones that campaigns name. A change is in force at once."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from b2bua.storage.batch_rows import Batch
from b2bua.storage.do_not_call_rows import OWN
from b2bua.web.batches import BatchOut, Name, received
from b2bua.web.desk import Campaigner, Desk, TheDesk
from b2bua.web.models import Epoch, In, Out, Page
from b2bua.web.problems import invalid
from b2bua.web.rights import Caller
from dialer.numbers import BadNumber, e164, regions

router = APIRouter(prefix="/v1/do-not-call", tags=["do not call"])

MOST = 500
"Numbers in one request."

Region = Annotated[str, Query(max_length=2, description="Country (US) of numbers without +CC.")]
Whose = Annotated[
    str | None,
    Query(max_length=64, description="Whose list; needed unless the key is a tenant's. Empty: one for all tenants."),
]


class NumbersIn(In):
    """Numbers to be put on a list, or taken off it."""

    numbers: list[str] = Field(min_length=1, max_length=MOST)
    reason: str = Field(default="by hand", max_length=200)
    region: str = Field(default="", max_length=2, description="Country (US) of numbers without +CC.")


class ChangedOut(Out):
    """What it came to."""

    changed: int = Field(description="The others were like that already.")


class EntryOut(Out):
    """One number of a list."""

    number: str
    reason: str
    added_at: Epoch


class EntryPage(Out):
    """Numbers of a list, in their order."""

    entries: list[EntryOut]
    next: str | None = Field(description="`after` of the next page; null at the end.")


class ListOut(Out):
    """An imported list."""

    tenant: str = Field(description="Empty: every tenant's campaigns may name it.")
    list: str
    source: str
    as_of: Epoch = Field(description="The day its numbers are of.")
    imported_at: Epoch
    numbers: int


class Lists(Out):
    """The imported lists; the list `own` is there for every tenant."""

    lists: list[ListOut]


@router.get("")
async def list_lists(desk: TheDesk, caller: Campaigner, tenant: Whose = None) -> Lists:
    """The imported lists that a tenant's campaigns may name."""
    found = await desk.do_not_call.lists(caller.scope(tenant))
    return Lists(lists=[ListOut.model_validate(one) for one in found])


@router.get("/{name}")
async def list_numbers(
    name: Name,
    desk: TheDesk,
    caller: Campaigner,
    tenant: Whose = None,
    limit: Page = 100,
    after: Annotated[str, Query(max_length=32)] = "",
) -> EntryPage:
    """The numbers of a list; `own` is the tenant's."""
    found = await desk.do_not_call.page(_whose(caller, tenant, name), name, limit=limit, after=after)
    entries = [EntryOut(number=number, reason=reason, added_at=at) for number, reason, at in found]
    return EntryPage(entries=entries, next=entries[-1].number if len(entries) == limit else None)


@router.post("/{name}/numbers")
async def add_numbers(
    name: Name, body: NumbersIn, desk: TheDesk, caller: Campaigner, tenant: Whose = None
) -> ChangedOut:
    """Put numbers on a list: from now on nobody of it is called; open contacts without another number are closed."""
    whose = _whose(caller, tenant, name)
    _known(desk, whose)
    numbers = _normalised(body)
    done = await desk.do_not_call.add(whose, name, numbers, reason=body.reason, by=caller.by, now=desk.wall())
    return ChangedOut(changed=done)


@router.post("/{name}/numbers/remove")
async def remove_numbers(
    name: Name, body: NumbersIn, desk: TheDesk, caller: Campaigner, tenant: Whose = None
) -> ChangedOut:
    """Take numbers off a list; contacts that were closed for it stay closed."""
    numbers = _normalised(body)
    done = await desk.do_not_call.remove(_whose(caller, tenant, name), name, numbers, by=caller.by, now=desk.wall())
    return ChangedOut(changed=done)


@router.put("/{name}", status_code=202)
async def upload_list(
    name: Name,
    request: Request,
    desk: TheDesk,
    caller: Campaigner,
    tenant: Whose = None,
    region: Region = "",
    as_of: Annotated[
        float | None, Query(ge=0, le=1e11, description="The day its numbers are of; now, where none is given.")
    ] = None,
    force: Annotated[bool, Query(description="Also where more than a fifth of its rows cannot be read.")] = False,
) -> BatchOut:
    """Import a whole list as CSV or JSON lines with `number`: numbers that it does not have any more are taken off.
    It is read in the background; GET .../import says how far."""
    whose = _whose(caller, tenant, name)
    _known(desk, whose)
    if name == OWN:
        raise invalid([("name", "the tenant's own list is not imported whole: add its numbers")])
    if region and region not in regions():
        raise invalid([("region", f"{region!r} is no country such as US")])

    async def begin(path: Path, form: str) -> Batch:
        of = desk.wall() if as_of is None else as_of
        return await desk.imports.start_list(
            whose, name, form, by=caller.by, path=path, region=region, as_of=of, force=force
        )

    made = await received(desk, request, begin)
    await desk.note(caller, "import", "do_not_call", f"{whose}/{name}")
    return BatchOut.model_validate(made)


@router.get("/{name}/import")
async def show_import(name: Name, desk: TheDesk, caller: Campaigner, tenant: Whose = None) -> BatchOut:
    """How the newest import of a list goes or went; `contacts` is 0, `numbers` counts those that are on the list."""
    return BatchOut.model_validate(await desk.do_not_call.import_of(_whose(caller, tenant, name), name))


def _whose(caller: Caller, tenant: str | None, name: str) -> str:
    """Whose list; one for all tenants is changed and seen by keys that reach all."""
    if tenant:
        caller.must_reach(tenant)
        return tenant
    if caller.tenant is not None:
        return caller.tenant
    if tenant is None or name == OWN:
        raise invalid([("tenant", "must be named")])
    return ""


def _known(desk: Desk, tenant: str) -> None:
    if tenant and tenant not in desk.node.directory().tenants:
        raise invalid([("tenant", f"there is no tenant {tenant}")])


def _normalised(body: NumbersIn) -> list[str]:
    """The numbers as E.164. Raises Problem 422 with every bad one."""
    if body.region and body.region not in regions():
        raise invalid([("region", f"{body.region!r} is no country such as US")])
    found: list[str] = []
    wrong: list[tuple[str, str]] = []
    for at, text in enumerate(body.numbers):
        try:
            found.append(e164(text, body.region))
        except BadNumber as error:
            wrong.append((f"numbers.{at}", str(error)))
    if wrong:
        raise invalid(wrong)
    return found
