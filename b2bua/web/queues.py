"""Who waits where, and why: the callers of a queue in their order, the explanation of one, and his priority (R2-07)."""

import asyncio

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from b2bua.web.desk import CallUser, Desk, TheDesk
from b2bua.web.models import In, Label, Out, made_aside
from b2bua.web.problems import Problem, not_found
from b2bua.web.rights import Caller
from routing.ranking import Place

router = APIRouter(tags=["waiting callers"])

AT_ONCE = 50
"Callers looked at in one go: thousands may wait, and the loop carries the calls."


class WaitingOut(Out):
    """Somebody who waits."""

    call: str
    position: int = Field(description="1 is next in his queue.")
    area: str
    vdn: str | None
    priority: str | None
    number: str | None
    tenant: str | None
    waited: float = Field(description="Seconds in this queue.")
    estimate: float | None = Field(description="Seconds he is expected to wait yet; null: nothing is known.")
    offered: bool = Field(description="An agent's phone rings for him now.")
    callback: bool = Field(description="He has hung up and is called back when it is his turn.")


class WaitingList(Out):
    """The callers of a queue in their order."""

    queue: str
    waiting: list[WaitingOut]


class AheadOut(Out):
    """Somebody who comes before him."""

    call: str
    queue: str
    priority: str | None
    waited: float
    why: str = Field(description="`came-earlier`, `class`, `queue-weight` or `was-with-agent`.")


class ExplanationOut(Out):
    """Why a waiting caller is where he is."""

    text: str = Field(description="All of it as one sentence.")
    call: str
    queue: str
    area: str
    priority: str | None
    position: int
    waiting: int
    waited: float = Field(description="Seconds his place counts from.")
    head_start: float = Field(description="Seconds of his priority class.")
    weight: float = Field(description="Seconds of his queue.")
    estimate: float | None
    before: list[AheadOut]
    before_in_all: int
    needs: dict[str, int]
    agents: dict[str, int] = Field(description="How many could take him, and what keeps the others.")
    held_for: str | None
    offered_to: list[str]


class PriorityIn(In):
    """Another priority class."""

    priority: Label | None = Field(description="Name of a class; null: none.")


@router.get("/v1/queues/{id}/waiting", response_model=WaitingList)
async def list_waiting(id: str, desk: TheDesk, caller: CallUser) -> Response:
    """Who waits in a queue, the next one first; a tenant's key sees its own callers only."""
    queue = desk.node.plan().queues.get(id)
    if queue is None or not (queue.tenant is None or caller.reaches(queue.tenant)):
        raise not_found("queue", id)
    floor, now = desk.node.floor, desk.node.floor.clock()
    found: list[WaitingOut] = []
    for position, place in enumerate(floor.waiting_in(id), 1):
        if caller.reaches(place.caller.tenant):
            found.append(_waiting(place, position, floor.estimate(place.caller.call), now))
        if position % AT_ONCE == 0:
            await asyncio.sleep(0)
    return await made_aside(lambda: WaitingList(queue=id, waiting=found))


@router.get("/v1/calls/{id}/explanation")
async def explain_call(id: str, desk: TheDesk, caller: CallUser) -> ExplanationOut:
    """Why a waiting caller has not been served yet, and who comes before him. 404 when he does not wait."""
    _waits(desk, caller, id)
    found = desk.node.floor.explain(id)
    if found is None:
        raise not_found("waiting call", id)
    # callers of other tenants are counted, never named
    names = [one for one in found.before if caller.tenant is None or _is_own(desk, caller, one.call)]
    given = {name: getattr(found, name) for name in ExplanationOut.model_fields if name not in ("text", "before")}
    return ExplanationOut(text=str(found), before=[AheadOut.model_validate(one) for one in names], **given)


@router.post("/v1/calls/{id}/priority", status_code=204)
async def reprioritise(id: str, body: PriorityIn, desk: TheDesk, caller: CallUser) -> None:
    """Put a waiting caller into another class, at once. 404 when he does not wait."""
    _waits(desk, caller, id)
    if body.priority is not None and body.priority not in desk.node.plan().priority_classes:
        raise Problem(409, "conflict", f"there is no priority class {body.priority}")
    if not desk.node.floor.reprioritise(id, body.priority):
        raise not_found("waiting call", id)
    await desk.note(caller, "change priority", "call", id, {"priority": body.priority})


def _waits(desk: Desk, caller: Caller, id: str) -> Place:
    place = desk.node.floor.place(id)
    if place is None or not caller.reaches(place.caller.tenant):
        raise not_found("waiting call", id)
    return place


def _is_own(desk: Desk, caller: Caller, id: str) -> bool:
    place = desk.node.floor.place(id)
    return place is not None and caller.reaches(place.caller.tenant)


def _waiting(place: Place, position: int, estimate: float | None, now: float) -> WaitingOut:
    caller = place.caller
    return WaitingOut(
        call=caller.call,
        position=position,
        area=caller.area or caller.queue,
        vdn=caller.vdn,
        priority=caller.priority,
        number=caller.number,
        tenant=caller.tenant,
        waited=round(now - place.joined, 3),
        estimate=estimate,
        offered=place.offer is not None,
        callback=caller.callback,
    )
