"""Supervisors: they listen to a live call, whisper to its agent, barge in, and leave it again."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from b2bua.calls.monitoring import CannotMonitor
from b2bua.calls.supervising import Supervising
from b2bua.storage.api_keys import Role
from b2bua.web.desk import Desk, TheDesk, may
from b2bua.web.models import Epoch, Extension, In, Out
from b2bua.web.problems import Problem, invalid, not_found
from b2bua.web.rights import Caller, Right
from routing.monitoring import Mode

router = APIRouter(prefix="/v1/calls/{id}/monitor", tags=["live calls"])

Supervisor = Annotated[Caller, Depends(may(Right.MONITOR))]
ModeName = Literal["listen", "whisper", "barge"]


class MonitorIn(In):
    """Who shall listen to the call."""

    supervisor: Extension | None = Field(
        default=None, examples=["1003"], description="Whose phone is rung; an agent's key: himself."
    )
    agent: Extension | None = Field(
        default=None, description="Whom he would whisper to; without it the agent who serves the caller."
    )
    mode: ModeName = Field(default="listen", description="What he begins with.")


class ModeIn(In):
    """How he listens from now on."""

    mode: ModeName
    supervisor: Extension | None = Field(default=None, description="Needed where several listen to the call.")


class MonitorOut(Out):
    """A supervisor of a live call."""

    supervisor: str
    agent: str
    mode: str = Field(description="listen, whisper or barge.")
    by: str
    since: Epoch | None = Field(description="Null: his phone rings.")


class Monitors(Out):
    """The supervisors of a call, in the order in which they came."""

    monitors: list[MonitorOut]


@router.get("")
async def list_monitors(id: str, desk: TheDesk, caller: Supervisor) -> Monitors:
    """Who listens to this call; an agent's key sees himself."""
    found = _supervising(desk, caller, id).listeners(id) or ()
    mine = [one for one in found if caller.role is not Role.AGENT or one.supervisor == caller.extension]
    return Monitors(monitors=[MonitorOut.model_validate(one) for one in mine])


@router.post("", status_code=202)
async def begin_monitoring(id: str, body: MonitorIn, desk: TheDesk, caller: Supervisor) -> MonitorOut:
    """Ring a supervisor's phone and let him listen. The events `call.monitor.*` tell what comes of it.

    403 where `monitors` of his profile does not allow it; 409 where nobody talks, his phone is busy or not there.
    """
    door = _supervising(desk, caller, id)
    supervisor = _himself(caller, body.supervisor)
    if supervisor is None:
        raise invalid([("supervisor", "say whose phone is rung")])
    try:
        found = await door.begin(id, supervisor, body.agent or "", Mode(body.mode), _who(caller))
    except CannotMonitor as error:
        if error.code == 403:
            raise Problem(403, "forbidden", str(error)) from None
        raise Problem(409, "cannot-monitor", str(error)) from None
    after = {"supervisor": supervisor, "agent": found.agent, "mode": found.mode}
    await desk.note(caller, "monitor", "call", id, after)
    return MonitorOut.model_validate(found)


@router.patch("", status_code=202)
async def change_monitoring(id: str, body: ModeIn, desk: TheDesk, caller: Supervisor) -> None:
    """Listen, whisper or barge from now on."""
    door = _supervising(desk, caller, id)
    supervisor = _which(door, id, _himself(caller, body.supervisor))
    if not door.change(id, supervisor, Mode(body.mode), _who(caller)):
        raise not_found("supervisor of this call", supervisor)
    await desk.note(caller, f"monitor {body.mode}", "call", id, {"supervisor": supervisor})


@router.delete("", status_code=202)
async def end_monitoring(
    id: str, desk: TheDesk, caller: Supervisor, supervisor: Annotated[str | None, Query(max_length=32)] = None
) -> None:
    """He leaves; the others talk on."""
    door = _supervising(desk, caller, id)
    found = _which(door, id, _himself(caller, supervisor))
    if not door.change(id, found, None, _who(caller)):
        raise not_found("supervisor of this call", found)
    await desk.note(caller, "monitor end", "call", id, {"supervisor": found})


def _supervising(desk: Desk, caller: Caller, id: str) -> Supervising:
    """The door, where the caller reaches the call."""
    found = desk.node.calls.get(id)
    if found is None or not caller.reaches(found.tenant) or desk.node.supervising is None:
        raise not_found("live call", id)
    return desk.node.supervising


def _himself(caller: Caller, supervisor: str | None) -> str | None:
    """Problem 403 where an agent's key names somebody else."""
    if caller.role is not Role.AGENT:
        return supervisor
    if supervisor not in (None, caller.extension):
        raise Problem(403, "forbidden", "this key is another agent's")
    return caller.extension


def _which(door: Supervising, id: str, supervisor: str | None) -> str:
    """The only one, where none is named."""
    if supervisor is not None:
        return supervisor
    found = door.listeners(id) or ()
    if len(found) != 1:
        raise Problem(409, "cannot-monitor", f"{len(found)} supervisors listen to this call: say which one")
    return found[0].supervisor


def _who(caller: Caller) -> str:
    return f"agent {caller.extension}" if caller.role is Role.AGENT else caller.by
