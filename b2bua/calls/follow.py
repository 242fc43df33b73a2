"""A call goes from goal to goal: a step takes the call and its goal and returns the next one, None at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from b2bua.calls.consulting import consult
from b2bua.calls.direct import to_agent, to_number
from b2bua.calls.menu import menu
from b2bua.calls.park import park
from b2bua.calls.person import to_person
from b2bua.calls.redirect import redirected
from b2bua.calls.referred import refer_to
from b2bua.calls.refusals import GoalLoop, NoSuchGoal, TurnedAway
from b2bua.calls.session import CallerLeft, Moved, Ordered
from b2bua.calls.transfer import LEFT, MOVED_ON, TAKEN_IN, sent
from b2bua.calls.vdn import to_vdn
from b2bua.calls.voicemail import voicemail
from b2bua.calls.waiting import wait
from b2bua.log import logger
from routing.refusals import Refused

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.goal import Goal

log = logger("calls")

Step = Callable[["Session", "Goal"], Awaitable["Goal | None"]]
"Does what its goal's kind asks for.  Raises a Refused, CallerLeft, Ordered or Moved."

MOST_STEPS = 100
"Goals of one call: rules that send callers round in circles end here, and a caller lost in menus as well."


async def hangup(call: Session, goal: Goal) -> Goal | None:
    """The end by plan.  Raises TurnedAway where the caller has not been answered."""
    if not call.picked_up:
        raise TurnedAway("the plan ends this call before anybody answered it")
    call.record.end(call.clock(), "normal", 200, "tandem")
    return None


STEPS: Mapping[str, Step] = MappingProxyType(
    {
        "agent": to_agent,
        "person": to_person,
        "queue": wait,
        "vdn": to_vdn,
        "menu": menu,
        "voicemail": voicemail,
        "number": to_number,
        "park": park,
        "hangup": hangup,
    }
)


async def follow(call: Session, goal: Goal, first: Step | None = None, *, orders: bool = True) -> None:
    """Until the call is over.  Who moves a call (`Rerouted` in its inbox) interrupts the step that is on.

    `first`: what is done for `goal` instead of the usual; the goals after it have theirs.  `orders`: others than those
    who talk may move it.
    """
    may_be_moved(call, orders=orders)
    try:
        await _follow(call, goal, first)
    except (CallerLeft, Ordered):
        if call.transfer is not None:
            call.transfer.failed("caller-left", LEFT)
        raise


def may_be_moved(call: Session, *, orders: bool = True) -> None:
    """From now on who talks may send the other one elsewhere, and with `orders` somebody else may: Moved is raised."""
    call.follows, call.on_refer, call.on_consult = orders, refer_to, consult


def move_on(call: Session, moved: Moved) -> None:
    """Only the caller is left of it, and goes where he was sent."""
    log.info("a call is moved", call=call.id, to=str(moved.goal), by=moved.by)
    sent(call, moved)
    call.leave_only_caller(MOVED_ON)


async def _follow(call: Session, goal: Goal, first: Step | None) -> None:
    following: Goal | None = goal
    for _ in range(MOST_STEPS):
        if following is None:
            return
        try:
            step, first = first or STEPS.get(following.kind), None
            if step is None:
                raise NoSuchGoal(f"there is no way to {following}")
            call.going = following
            if call.transfer is not None and following.kind in TAKEN_IN:
                call.transfer.done()
            following = await step(call, following)
        except Moved as moved:
            move_on(call, moved)
            following, first = moved.goal, moved.step
        except Refused as refused:
            if (elsewhere := redirected(call, refused)) is not None:
                following, first = elsewhere, None
            elif call.transfer is None:
                raise
            else:
                following, first = call.transfer.comes_back(refused)
            call.leave_only_caller(MOVED_ON)
    raise GoalLoop(f"{MOST_STEPS} steps led nowhere, the last to {following}")
