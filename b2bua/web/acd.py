"""Agents' states: log in and out, pause, end or extend a wrap-up; an agent's own key reaches him alone."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.responses import Response

from b2bua.calls.attending import Attending, CannotAttend, UnknownAgent
from b2bua.storage.api_keys import Role
from b2bua.web.desk import Desk, TheDesk, may
from b2bua.web.models import Epoch, In, Out, made_aside
from b2bua.web.problems import Problem, not_found
from b2bua.web.rights import Caller, Right
from routing.agent_state import AgentState
from routing.board import AgentLine

router = APIRouter(tags=["agents' states"])

Attendant = Annotated[Caller, Depends(may(Right.ATTEND))]


class PauseIn(In):
    """A pause."""

    reason: str = Field(default="pause", pattern=r"^[^\x00-\x1f\x7f]{1,64}$", examples=["lunch"])


class ExtendIn(In):
    """More time for a wrap-up."""

    seconds: float = Field(gt=0, le=86400, description="Added to what is left, up to the queue's ceiling.")


class StateOut(Out):
    """An agent's state."""

    extension: str
    state: AgentState
    since: Epoch
    reason: str = Field(description="What made it change; of a pause its reason.")
    queue: str | None = Field(description="The queue whose call he has.")
    call: str | None
    queues: list[str] = Field(description="The queues he serves.")
    wrap_up_left: float | None = Field(description="Seconds until his wrap-up ends by itself.")


class StateList(Out):
    """Agents' states, by extension."""

    agents: list[StateOut]


@router.get("/v1/agent-states", response_model=StateList)
async def list_agent_states(desk: TheDesk, caller: Attendant) -> Response:
    """All agents who can be called; an agent's key sees himself."""
    lines = _attending(desk).states()
    if caller.role is Role.AGENT:
        lines = [line for line in lines if line.extension == caller.extension]
    return await made_aside(lambda: StateList(agents=[_out(desk, line) for line in lines]))


@router.get("/v1/agents/{extension}/state")
async def show_agent_state(extension: str, desk: TheDesk, caller: Attendant) -> StateOut:
    """One agent's state."""
    caller.must_be(extension)
    try:
        return _out(desk, _attending(desk).state(extension))
    except UnknownAgent:
        raise not_found("agent", extension) from None


@router.post("/v1/agents/{extension}/login")
async def log_in(extension: str, desk: TheDesk, caller: Attendant) -> StateOut:
    """He takes calls from now on. With a standing line he is called first, and is `unreachable` until he answers."""
    return await _done(desk, caller, extension, "log in", lambda who: who.log_in(extension))


@router.post("/v1/agents/{extension}/logout")
async def log_out(extension: str, desk: TheDesk, caller: Attendant) -> StateOut:
    """He takes no more calls; one that he has goes on to its end."""
    return await _done(desk, caller, extension, "log out", lambda who: who.log_out(extension))


@router.post("/v1/agents/{extension}/pause")
async def pause(extension: str, desk: TheDesk, caller: Attendant, body: PauseIn | None = None) -> StateOut:
    """He is offered nothing until he resumes. During a call it comes into force after it."""
    reason = (body or PauseIn()).reason
    return await _done(desk, caller, extension, "pause", lambda who: who.pause(extension, reason))


@router.post("/v1/agents/{extension}/resume")
async def resume(extension: str, desk: TheDesk, caller: Attendant) -> StateOut:
    """His pause is over, also one that missed calls brought about."""
    return await _done(desk, caller, extension, "resume", lambda who: who.resume(extension))


@router.post("/v1/agents/{extension}/wrap-up")
async def extend_wrap_up(extension: str, body: ExtendIn, desk: TheDesk, caller: Attendant) -> StateOut:
    """More time for his wrap-up. 409 where he has none."""
    return await _done(
        desk, caller, extension, "extend wrap-up", lambda who: who.extend_wrap_up(extension, body.seconds)
    )


@router.delete("/v1/agents/{extension}/wrap-up")
async def end_wrap_up(extension: str, desk: TheDesk, caller: Attendant) -> StateOut:
    """His wrap-up is over before its time. 409 where he has none."""
    return await _done(desk, caller, extension, "end wrap-up", lambda who: who.wrap_up_over(extension))


async def _done(desk: Desk, caller: Caller, extension: str, what: str, change: Callable[[Attending], None]) -> StateOut:
    """The agent's state after a change. What he does himself is in the events; what others do for him is audited."""
    caller.must_be(extension)
    attending = _attending(desk)
    try:
        change(attending)
        after = attending.state(extension)
    except UnknownAgent:
        raise not_found("agent", extension) from None
    except CannotAttend as error:
        raise Problem(409, "agent-state", str(error)) from None
    if caller.role is not Role.AGENT:
        await desk.note(caller, what, "agent", extension)
    return _out(desk, after)


def _attending(desk: Desk) -> Attending:
    return desk.node.attending


def _out(desk: Desk, line: AgentLine) -> StateOut:
    return StateOut(
        extension=line.extension,
        state=line.state,
        since=round(desk.wall() - line.seconds, 3),
        reason=line.reason,
        queue=line.queue,
        call=line.call,
        queues=list(line.queues),
        wrap_up_left=line.wrap_up_left,
    )
