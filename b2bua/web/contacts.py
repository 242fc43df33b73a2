"""Contacts and commands of a campaign: listed, added, changed, exported; what the agent says about a talk."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.responses import StreamingResponse

from b2bua.importing.work import add_now
from b2bua.jsontext import encode
from b2bua.storage import Conflict
from b2bua.storage.campaigns import CommandFilter, ContactFilter, Done
from b2bua.web import csv_rows
from b2bua.web.batches import BatchOut, Name, ProblemRow
from b2bua.web.campaigns import reached
from b2bua.web.csv_rows import moment
from b2bua.web.desk import Attendant, Campaigner, Desk, TheDesk
from b2bua.web.models import Epoch, Extension, In, Out, Page
from b2bua.web.problems import invalid, not_found
from dialer.contact import PRIORITIES, Contact
from dialer.outcome import Outcome

router = APIRouter(prefix="/v1/campaigns/{id}", tags=["campaigns"])

PAGE = 100
"Rows of CSV made at a time."

Word = Annotated[str, Query(max_length=64)]
After = Annotated[str, Query(max_length=64, description="Id of the last one of the page before.")]
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}


class NumberOut(Out):
    """One number of a contact."""

    number: str
    kind: str
    zone: str
    attempts: int
    last_at: float | None
    closed: str = Field(description="Why it is not dialled any more; empty: it is.")


class ConsentOut(Out):
    """That he may be called."""

    at: Epoch
    source: str
    proof: str
    until: float | None


class ContactOut(Out):
    """A contact."""

    id: str
    campaign: str
    batch: str
    row: int
    numbers: list[NumberOut]
    at_number: int = Field(description="Which one is dialled next, 0 is the first.")
    priority: int
    fields: dict[str, Any]
    zone: str
    place: str
    consent: ConsentOut | None
    attempts: int
    outcomes: dict[str, int]
    next_at: Epoch
    agent: str = Field(description="Who has agreed a call-back.")
    state: str
    reason: str


class ContactPage(Out):
    """Contacts in the order of import."""

    contacts: list[ContactOut]
    next: str | None = Field(description="`after` of the next page; null at the end.")


class ContactsIn(In):
    """A few contacts at once."""

    contacts: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=500,
        description="Each as a row of a file: `number`, or `numbers` as a list, `fields`, `priority` ...",
    )
    batch: Name | None = Field(default=None, description="Id of the new batch they become; null: one is made up.")


class AddedOut(Out):
    """What became of them."""

    batch: BatchOut
    problems: list[ProblemRow]


class ContactChange(In):
    """What shall be different."""

    priority: int | None = Field(default=None, ge=PRIORITIES[0], le=PRIORITIES[-1])
    next_at: float | None = Field(
        default=None, ge=0, le=1e11, description="Epoch seconds before which he is not called."
    )
    agent: Extension | None = Field(default=None, description="Who calls him.")
    state: Literal["open", "held", "closed"] | None = None


class CommandOut(Out):
    """One command and its final record; before it has one, `outcome` is null."""

    id: str
    contact: str
    number: str
    attempt: int
    node: str
    at: Epoch
    trunk: str
    outcome: str | None
    ringing_at: float | None
    answered_at: float | None
    connected_at: float | None
    ended_at: float | None
    live: bool
    late: bool
    opted_out: bool
    agent: str
    disposition: str
    call_back_at: float | None
    sip_code: int | None
    cause: str
    call: str = Field(description="Id of the call's record.")


class CommandPage(Out):
    """Commands in their order."""

    commands: list[CommandOut]
    next: str | None = Field(description="`after` of the next page; null at the end.")


class DispositionIn(In):
    """What the agent says about a talk."""

    code: str = Field(max_length=64, description="One of the campaign's dispositions.")
    call_back_at: float | None = Field(default=None, ge=0, le=1e11, description="When he wants to be called.")


class StepOut(Out):
    """What follows for the contact."""

    at: float | None = Field(description="When he is called again; null: he is not, or has been called since.")
    reason: str
    agent: str


async def _contacts_wanted(
    state: Word = "", batch: Word = "", number: Word = "", reason: Word = ""
) -> ContactFilter:  # fmt: skip
    return ContactFilter(state, batch, number, reason)


async def _commands_wanted(
    outcome: Annotated[str, Query(max_length=32, description="`none`: without a record.")] = "",
    number: Word = "",
    contact: Word = "",
    agent: Word = "",
) -> CommandFilter:
    if outcome and outcome != "none" and outcome not in set(Outcome):
        raise invalid([("outcome", f"must be none or one of: {', '.join(Outcome)}")])
    return CommandFilter(outcome, number, contact, agent)


Contacts = Annotated[ContactFilter, Depends(_contacts_wanted)]
Commands = Annotated[CommandFilter, Depends(_commands_wanted)]


@router.get("/contacts")
async def list_contacts(
    id: str, desk: TheDesk, caller: Campaigner, wanted: Contacts, limit: Page = 100, after: After = ""
) -> ContactPage:
    """Contacts that fit the filter, in the order of import."""
    await reached(desk, caller, id)
    found = await desk.campaigns.contacts(id, wanted, limit=limit, after=after)
    following = found[-1].id if len(found) == limit else None
    return ContactPage(contacts=[ContactOut.model_validate(one) for one in found], next=following)


@router.post("/contacts", status_code=201)
async def add_contacts(id: str, body: ContactsIn, desk: TheDesk, caller: Campaigner) -> AddedOut:
    """Add up to 500 contacts as a batch of their own, at once; what is wrong with a row costs that row only."""
    campaign = await reached(desk, caller, id)
    batch = body.batch or f"api-{secrets.token_hex(6)}"
    begun = await desk.campaigns.begin_batch(
        id, batch, "api", node=desk.settings.node.name, by=caller.by, now=desk.wall()
    )
    made, problems = await add_now(desk.node.storage, campaign, begun, body.contacts)
    await desk.note(caller, "import", "batch", f"{id}/{batch}")
    return AddedOut(batch=BatchOut.model_validate(made), problems=[ProblemRow.model_validate(one) for one in problems])


@router.get("/contacts.csv", response_class=StreamingResponse, responses=CSV)
async def export_contacts(id: str, desk: TheDesk, caller: Campaigner, wanted: Contacts) -> StreamingResponse:
    """All contacts that fit the filter as CSV, however many."""
    await reached(desk, caller, id)
    return csv_rows.response(f"{id}-contacts.csv", _contacts_csv(desk, id, wanted))


@router.get("/contacts/{contact}")
async def show_contact(id: str, contact: str, desk: TheDesk, caller: Campaigner) -> ContactOut:
    """One contact."""
    await reached(desk, caller, id)
    return ContactOut.model_validate((await desk.campaigns.contact(id, contact)).contact)


@router.patch("/contacts/{contact}")
async def change_contact(
    id: str, contact: str, body: ContactChange, desk: TheDesk, caller: Campaigner
) -> ContactOut:  # fmt: skip
    """Change his priority, time, agent or state; 409 while he is being called."""
    await reached(desk, caller, id)
    change = body.model_dump(exclude_unset=True, exclude_none=True)
    if body.agent is None and "agent" in body.model_fields_set:
        change["agent"] = ""
    made = await desk.campaigns.change_contact(id, contact, change, by=caller.by, now=desk.wall())
    return ContactOut.model_validate(made)


@router.get("/commands")
async def list_commands(
    id: str, desk: TheDesk, caller: Campaigner, wanted: Commands, limit: Page = 100, after: After = ""
) -> CommandPage:
    """Commands that fit the filter, in their order, each with its final record."""
    await reached(desk, caller, id)
    found = await desk.campaigns.commands(id, wanted, limit=limit, after=after)
    following = found[-1].command.id if len(found) == limit else None
    return CommandPage(commands=[_command(one) for one in found], next=following)


@router.get("/commands.csv", response_class=StreamingResponse, responses=CSV)
async def export_commands(id: str, desk: TheDesk, caller: Campaigner, wanted: Commands) -> StreamingResponse:
    """All commands that fit the filter as CSV, however many. Times are ISO 8601 in UTC."""
    await reached(desk, caller, id)
    return csv_rows.response(f"{id}-commands.csv", _commands_csv(desk, id, wanted))


@router.get("/commands/{command}")
async def show_command(id: str, command: str, desk: TheDesk, caller: Campaigner) -> CommandOut:
    """One command with its record."""
    await reached(desk, caller, id)
    return _command(await desk.campaigns.command(id, command))


@router.post("/commands/{command}/disposition")
async def dispose(id: str, command: str, body: DispositionIn, desk: TheDesk, caller: Attendant) -> StepOut:
    """What the agent says about the talk; the contact's next step is made again with it. An agent's key: of his own
    talks."""
    campaign = await reached(desk, caller, id)
    found = await desk.campaigns.command(id, command)
    if caller.extension is not None and found.record is not None and caller.extension != found.record.agent:
        raise not_found("command", command)
    if campaign.disposition(body.code) is None:
        # whose talk it is nobody has checked yet where it goes on: an agent's key is not told the words
        unchecked = caller.extension is not None and found.record is None
        known = "" if unchecked else ": " + (", ".join(one.code for one in campaign.dispositions) or "it has none")
        raise invalid([("code", f"is none of the campaign's dispositions{known}")])
    if found.record is None:
        node, agent = desk.node.dialling, caller.extension or ""
        if node is not None and node.disposition(command, body.code, body.call_back_at, agent):
            await desk.note(caller, "disposition", "command", f"{id}/{command}", {"code": body.code})
            return StepOut(at=None, reason="kept until the call ends", agent=agent)
        raise Conflict(f"command {command} has no record yet: say it when the call has ended")
    agent = found.record.agent
    step = await desk.dialling.dispose(command, body.code, desk.wall(), agent=agent, call_back_at=body.call_back_at)
    await desk.note(caller, "disposition", "command", f"{id}/{command}", {"code": body.code})
    return StepOut(at=step.at if step else None, reason=step.reason if step else "", agent=step.agent if step else "")


def _command(done: Done) -> CommandOut:
    record = done.record
    given = asdict(done.command)
    given |= {name: getattr(record, name, None) for name in _OF_RECORD}
    for name in ("agent", "disposition", "cause", "call"):
        given[name] = getattr(record, name, "")
    for name in ("live", "late", "opted_out"):
        given[name] = getattr(record, name, False)
    given["trunk"] = (record.trunk if record else "") or done.command.trunk
    return CommandOut.model_validate({name: given[name] for name in CommandOut.model_fields})


_OF_RECORD = ("outcome", "ringing_at", "answered_at", "connected_at", "ended_at", "call_back_at", "sip_code")

CONTACT_COLUMNS = (
    "id", "batch", "row", "number", "other_numbers", "state", "reason", "attempts", "outcomes", "next_at", "priority",
    "agent", "fields",
)  # fmt: skip
COMMAND_COLUMNS = tuple(CommandOut.model_fields)
TIMES = frozenset({"at", "ringing_at", "answered_at", "connected_at", "ended_at", "call_back_at"})


async def _contacts_csv(desk: Desk, id: str, wanted: ContactFilter) -> AsyncIterator[bytes]:
    yield csv_rows.lines([CONTACT_COLUMNS])
    after = ""
    while found := await desk.campaigns.contacts(id, wanted, limit=PAGE, after=after):
        yield csv_rows.lines(_contact_row(one) for one in found)
        after = found[-1].id


def _contact_row(one: Contact) -> tuple[Any, ...]:
    others = " ".join(number.number for number in one.numbers[1:])
    due = moment(one.next_at) if one.next_at else ""
    return (
        one.id, one.batch, one.row, one.numbers[0].number, others, one.state, one.reason, one.attempts,
        encode(one.outcomes), due, one.priority, one.agent, encode(one.fields),
    )  # fmt: skip


async def _commands_csv(desk: Desk, id: str, wanted: CommandFilter) -> AsyncIterator[bytes]:
    yield csv_rows.lines([COMMAND_COLUMNS])
    after = ""
    while found := await desk.campaigns.commands(id, wanted, limit=PAGE, after=after):
        yield csv_rows.lines(
            [moment(value) if name in TIMES else value for name, value in _command(one).model_dump().items()]
            for one in found
        )
        after = found[-1].command.id
