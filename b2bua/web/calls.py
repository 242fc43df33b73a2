"""Live calls: list, show, hang up, start one between two parties."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field, model_validator

from b2bua.calls.view import CallView, Party
from b2bua.web.desk import CallUser, Desk, Starter, TheDesk
from b2bua.web.models import Digits, Epoch, Extension, In, Out, made_aside
from b2bua.web.monitor import MonitorOut
from b2bua.web.problems import Problem, invalid, not_found
from b2bua.web.rights import Caller

router = APIRouter(prefix="/v1/calls", tags=["live calls"])

MOST = 1000
"Calls listed at once."


class CallOut(Out):
    """A live call."""

    id: str
    tenant: str | None
    direction: str
    trunk: str | None
    called: str | None
    caller: str | None = Field(description="The effective caller.")
    billing_number: str | None
    extension: str | None
    state: str
    since: Epoch
    data: dict[str, Any]
    queue: str = Field(description="Where it waits, or where its agent took it from; empty: in none.")
    vdn: str
    priority: str
    recording: str = Field(description="off, on or paused.")
    path: str = Field(description="relay or conference: how those who talk hear each other; empty: nobody talks.")
    path_reason: str = Field(description="Why the sound goes that way, in words.", examples=["different codecs"])
    supervisors: list[MonitorOut] = Field(description="Who listens to it.")
    alarm: str = Field(description="What is wrong with its sound now: one-way, unheard or dead; empty: nothing.")


class LegSoundOut(Out):
    """How a leg sounds now: of the last five to ten seconds, as its far end's sound reaches the server."""

    part: int = Field(description="Its number in the call's record.")
    role: str
    party: str | None
    trunk: str | None
    codec: str
    relayed: bool = Field(description="Packets of the other leg go out as they came in.")
    received: int = Field(description="Packets.")
    loss: float = Field(description="Share of them that never came, 0 to 1.")
    burst: float = Field(description="Burst ratio (ITU-T G.107): 1 for single losses, up to 8.")
    jitter_ms: float
    rtt_ms: float | None = Field(description="Null: the far end has told none.")
    mos: float | None = Field(description="Mean opinion score (ITU-T G.107), 1 to 4.5; null where nothing came.")
    told_loss: float | None = Field(description="Share that the far end has told to have lost of ours.")
    alarm: str = Field(description="good, one-way, unheard or dead.")


class CallDetail(CallOut):
    """A live call and its legs."""

    legs: list[LegSoundOut]


class CallList(Out):
    """Live calls, oldest first."""

    calls: list[CallOut]
    total: int = Field(description="How many there are; at most 1000 are listed.")


class PartyIn(In):
    """An agent by his extension, or a number over a trunk."""

    agent: Extension | None = Field(default=None, examples=["8001"])
    number: Digits | None = None
    trunk: str | None = Field(default=None, max_length=64)

    @model_validator(mode="after")
    def _one_of_both(self) -> "PartyIn":
        if (self.agent is None) == (self.number is None):
            raise ValueError("name either an agent or a number")
        if (self.number is None) != (self.trunk is None):
            raise ValueError("a number needs a trunk to be dialled over, an agent none")
        return self


class StartIn(In):
    """A call between two parties: `a` is called first, then `b`."""

    a: PartyIn
    b: PartyIn
    tenant: str | None = Field(default=None, max_length=64, description="Whose call it is, for its record.")


class Started(Out):
    """The call that was started."""

    id: str


@router.get("", response_model=CallList)
async def list_calls(
    desk: TheDesk, caller: CallUser, tenant: Annotated[str | None, Query(max_length=64)] = None
) -> Response:
    """Calls that live now; a tenant's key sees its own."""
    whose = caller.scope(tenant)
    found = [call for call in desk.node.calls.list() if whose is None or call.tenant == whose]
    return await made_aside(
        lambda: CallList(calls=[CallOut.model_validate(call) for call in found[:MOST]], total=len(found))
    )


@router.get("/{id}")
async def show_call(id: str, desk: TheDesk, caller: CallUser) -> CallDetail:
    """One live call and how its legs sound; when it is over, its record is under /v1/cdrs."""
    return CallDetail.model_validate(_call(desk, caller, id))


@router.delete("/{id}", status_code=202)
async def hang_up(id: str, desk: TheDesk, caller: CallUser) -> None:
    """End it: both sides get BYE, and its record says who did it."""
    _call(desk, caller, id)
    if not desk.node.calls.hang_up(id, caller.by):
        raise not_found("live call", id)
    await desk.note(caller, "hang up", "call", id)


@router.post("", status_code=202)
async def start_call(body: StartIn, desk: TheDesk, caller: Starter, response: Response) -> Started:
    """Call two parties and connect them. 409 when one of them cannot be called, 503 when no call can be started now."""
    directory = desk.node.directory()
    if body.tenant is not None and body.tenant not in directory.tenants:
        raise invalid([("tenant", f"there is no tenant {body.tenant}")])
    if unknown := [
        (f"{name}.agent", f"there is no agent {party.agent} who can be called")
        for name, party in (("a", body.a), ("b", body.b))
        if party.agent is not None and directory.agent(party.agent) is None
    ]:
        raise Problem(
            409,
            "cannot-start",
            "; ".join(message for _, message in unknown),
            errors=[{"field": field, "message": message} for field, message in unknown],
        )
    started = desk.node.calls.start(_party(body.a), _party(body.b), body.tenant, caller.by)
    await desk.note(caller, "start", "call", started, body.model_dump(exclude_none=True))
    response.headers["Location"] = f"/v1/calls/{started}"
    return Started(id=started)


def _call(desk: Desk, caller: Caller, id: str) -> CallView:
    found = desk.node.calls.get(id)
    if found is None or not caller.reaches(found.tenant):
        raise not_found("live call", id)
    return found


def _party(party: PartyIn) -> Party:
    if party.agent is not None:
        return Party("agent", party.agent)
    return Party("number", party.number or "", party.trunk)
