"""Transfers: a live call goes to an agent, a queue, a VDN, a menu or a number instead."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from b2bua.calls.view import CallView
from b2bua.storage.api_keys import Role
from b2bua.web.desk import Desk, TheDesk, may
from b2bua.web.models import In, Out
from b2bua.web.problems import Problem, not_found
from b2bua.web.rights import RIGHTS, Caller, Right
from routing.goal import Goal, GoalKind
from routing.plan_checks import goal_problems

router = APIRouter(prefix="/v1/calls", tags=["live calls"])

Mover = Annotated[Caller, Depends(may(Right.TRANSFER))]


class TransferIn(In):
    """Where the call shall go."""

    kind: GoalKind = Field(examples=["queue"])
    target: str = Field(default="", pattern=r"^[0-9A-Za-z+*#._-]{0,64}$", examples=["repairs"])


class Transferred(Out):
    """Where it goes."""

    id: str
    kind: str
    target: str


@router.post("/{id}/transfer", status_code=202)
async def transfer_call(id: str, body: TransferIn, desk: TheDesk, caller: Mover) -> Transferred:
    """Send a call elsewhere from where it is: waiting, in a menu, or talking, whose agent is then free.

    A caller who was talking comes back to his agent when nobody takes him. 409 for a call between two parties that was
    started here, and for a place that does not exist.
    """
    call = live_call(desk, caller, id)
    goal = Goal(body.kind, body.target)
    _may_go(desk, caller, goal, call)
    who = f"agent {caller.extension}" if caller.role is Role.AGENT else caller.by
    if not desk.node.calls.reroute(id, goal, {}, who):
        raise Problem(409, "cannot-transfer", f"call {id} is none that can be sent elsewhere")
    if caller.role is not Role.AGENT:
        await desk.note(caller, "transfer", "call", id, {"kind": goal.kind, "target": goal.target})
    return Transferred(id=id, kind=goal.kind, target=goal.target)


def live_call(desk: Desk, caller: Caller, id: str) -> CallView:
    """The call, if it lives and the caller reaches it: an agent the one that he is in."""
    found = desk.node.calls.get(id)
    if found is None or not caller.reaches(found.tenant):
        raise not_found("live call", id)
    if caller.role is Role.AGENT:
        seat = desk.node.floor.agent(caller.extension or "")
        if found.extension != caller.extension and (seat is None or seat.call != id):
            raise not_found("live call", id)
    return found


def _may_go(desk: Desk, caller: Caller, goal: Goal, call: CallView) -> None:
    """Problem 403 for a number that he may not have dialled, 409 for a place that is not there."""
    # a call outside costs money: an agent may have it where the keys of his phone may as well
    allowed = Right.START in RIGHTS[caller.role] or (caller.role is Role.AGENT and desk.settings.feature_codes.outside)
    if goal.kind == "number" and not allowed:
        raise Problem(403, "forbidden", f"a key with the role {caller.role} may not send calls outside")
    directory = desk.node.directory()
    mistakes = list(goal_problems(goal, desk.node.plan(), directory.agents, call.tenant, "target"))
    if goal.kind == "agent" and directory.agent(goal.target) is None:
        mistakes = mistakes or [f"target: there is no agent {goal.target} who can be called"]
    if mistakes:
        sentences = [mistake.removeprefix("target: ") for mistake in mistakes]
        errors = [{"field": "target", "message": sentence} for sentence in sentences]
        raise Problem(409, "no-such-goal", "; ".join(sentences), errors=errors)
