"""Parking: a live call waits at a slot until an agent dials its number, or is transferred to himself."""

from fastapi import APIRouter
from pydantic import Field

from b2bua.storage.api_keys import Role
from b2bua.web.desk import CallUser, TheDesk
from b2bua.web.models import Epoch, In, Out
from b2bua.web.problems import Problem
from b2bua.web.transfers import Mover, live_call
from routing.goal import Goal

router = APIRouter(prefix="/v1", tags=["live calls"])


class ParkIn(In):
    """Where the call shall wait."""

    slot: str = Field(default="", pattern=r"^[0-9]{0,8}$", examples=["701"], description="Empty: the first free one.")


class ParkedAt(Out):
    """Where it waits."""

    id: str
    slot: str


class ParkedCall(Out):
    """A call that is parked."""

    slot: str
    call: str
    by: str = Field(description="Extension of whoever has parked it; empty: nobody's.")
    since: Epoch
    caller: str | None
    tenant: str | None


class ParkedCalls(Out):
    """Those that are parked, by slot."""

    parked: list[ParkedCall]


@router.post("/calls/{id}/park", status_code=202)
async def park_call(id: str, body: ParkIn, desk: TheDesk, caller: Mover) -> ParkedAt:
    """Let a live call wait at a parking slot; an agent who was in it is free, and rung when its time is over.

    409 where the slot is taken, none is free, there is no such slot, or the call cannot be sent elsewhere.
    """
    live_call(desk, caller, id)
    lot = desk.node.parking
    slot = body.slot or lot.first_free()
    if not lot.free(slot):
        raise Problem(409, "no-such-slot", f"no call can be parked at {slot}" if slot else "no parking slot is free")
    who = f"agent {caller.extension}" if caller.role is Role.AGENT else caller.by
    if not desk.node.calls.reroute(id, Goal("park", slot), {}, who):
        raise Problem(409, "cannot-transfer", f"call {id} is none that can be sent elsewhere")
    if caller.role is not Role.AGENT:
        await desk.note(caller, "park", "call", id, {"slot": slot})
    return ParkedAt(id=id, slot=slot)


@router.get("/parked")
async def list_parked(desk: TheDesk, caller: CallUser) -> ParkedCalls:
    """Calls that are parked, by slot; a tenant's key sees its own."""
    found = [one for one in desk.node.parking.all() if caller.reaches(one.tenant)]
    return ParkedCalls(parked=[ParkedCall.model_validate(one) for one in found])
