"""Consultations: an agent asks a colleague while his caller waits, and then joins all three, leaves, or comes back."""

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from b2bua.calls.deliveries import Consult
from b2bua.storage.api_keys import Role
from b2bua.web.desk import Desk, TheDesk
from b2bua.web.models import Extension, In
from b2bua.web.problems import Problem
from b2bua.web.rights import Caller
from b2bua.web.transfers import Mover, live_call
from routing.consulting import Event

router = APIRouter(prefix="/v1/calls/{id}/consult", tags=["live calls"])


class ConsultIn(In):
    """Whom to ask."""

    agent: Extension = Field(examples=["1002"])


class ConsultChange(In):
    """What becomes of it."""

    state: Literal["joined", "completed"] = Field(
        description="joined: all three talk; completed: the caller stays with the colleague, the agent is free."
    )


@router.post("", status_code=202)
async def begin_consultation(id: str, body: ConsultIn, desk: TheDesk, caller: Mover) -> None:
    """The agent of this call asks a colleague; the caller hears music. The events `call.consult` tell what comes of it.

    409 where the agent and his caller do not talk, or there is no such colleague.
    """
    if desk.node.directory().agent(body.agent) is None:
        raise Problem(409, "no-such-goal", f"there is no agent {body.agent} who can be called")
    await _order(desk, caller, id, Consult(None, body.agent, _who(caller)), "consult")


@router.patch("", status_code=202)
async def change_consultation(id: str, body: ConsultChange, desk: TheDesk, caller: Mover) -> None:
    """Join all three, or leave the caller to the colleague."""
    event = Event.JOIN if body.state == "joined" else Event.COMPLETE
    await _order(desk, caller, id, Consult(event, "", _who(caller)), f"consult {body.state}")


@router.delete("", status_code=202)
async def end_consultation(id: str, desk: TheDesk, caller: Mover) -> None:
    """The agent goes on with his caller alone."""
    await _order(desk, caller, id, Consult(Event.BACK, "", _who(caller)), "consult back")


async def _order(desk: Desk, caller: Caller, id: str, wish: Consult, what: str) -> None:
    live_call(desk, caller, id)
    order = desk.node.consulting
    if order is None or not order(id, wish):
        raise Problem(409, "cannot-consult", f"in call {id} no agent talks to a caller")
    if caller.role is not Role.AGENT:
        await desk.note(caller, what, "call", id, {"agent": wish.extension} if wish.extension else None)


def _who(caller: Caller) -> str:
    return f"agent {caller.extension}" if caller.role is Role.AGENT else caller.by
