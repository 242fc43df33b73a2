"""A person, or whoever stands in for him: their phones ring one after the other until somebody answers (R0-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.analysis import allowed, inquiry_of
from b2bua.calls.direct import to_agent
from b2bua.calls.refusals import AgentFailed, NoSuchGoal
from routing.analysis import seen_by, shown_person
from routing.goal import Goal
from routing.substitute import Choice, Presence, Seen, who_takes

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.org import Person

MOST_PHONES = 4
"Phones that ring for one caller; after them he goes to the default queue."
FRESH = 30.0
"Seconds for which the word of a staff service holds: who waited in a queue meanwhile asks again."
NEXT_ONE = (("Reason", 'SIP;cause=480;text="Another one is asked"'),)


async def to_person(call: Session, goal: Goal) -> Goal | None:
    """Ring him or a substitute.  Returns the tenant's default queue when nobody is there or answers (R0-11).

    Raises what the last phone did, or NoSuchGoal, where the tenant has no default.
    """
    responders = call.exchange.responders()
    organisation = responders.organisation
    await _ask_staff(call, goal.target)
    failed: dict[str, str] = {}
    last: AgentFailed | None = None
    for _ in range(MOST_PHONES):
        choice = _choose(call, goal.target, failed)
        if choice.person is None or choice.extension is None:
            break
        call.data["person"] = shown_person(goal.target, choice, organisation)
        try:
            return await to_agent(call, Goal("agent", choice.extension))
        except AgentFailed as failure:
            last = failure
            failed[choice.person] = failure.cause
            call.leave_only_caller(NEXT_ONE)
    tenant = call.record.row.tenant
    default = responders.response(tenant).default if tenant is not None else None
    if default is not None and default != goal and allowed(call, default):
        return default
    raise last or NoSuchGoal(f"nobody takes calls for person {goal.target} now")


def _choose(call: Session, person: str, failed: dict[str, str]) -> Choice:
    """Who takes it now, of those whose phones have not failed."""
    exchange = call.exchange
    known = seen_by(call.journey.states, lambda extension: exchange.presence(extension, call.id))

    def see(other: Person, extension: str) -> Seen:
        why = failed.get(other.id)
        return known(other, extension) if why is None else Seen(Presence.OFFLINE, why)

    return who_takes(exchange.responders().organisation, person, exchange.wall(), see)


async def _ask_staff(call: Session, person: str) -> None:
    """What the staff services say now, where nobody has just asked them about this person for this call."""
    tenant, journey = call.record.row.tenant, call.journey
    asked = journey.asked.get(person)
    if tenant is None or (asked is not None and call.clock() - asked <= FRESH):
        return
    inquiry = inquiry_of(call, tenant, call.exchange.responders())
    await inquiry.by_person([person])
    if all(stage["outcome"] == "ok" for stage in inquiry.stages):
        journey.states, journey.asked = {}, {}
    journey.states |= inquiry.findings.states  # what is old is better than nothing
    journey.asked[person] = call.clock()
    call.catch_up()
