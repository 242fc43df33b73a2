"""A call from an agent's phone: its sender is known by his password; where to is his dial plan's to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.follow import follow
from b2bua.calls.outside import Dials
from b2bua.calls.refusals import NoSuchGoal
from b2bua.calls.session import Session
from b2bua.sip.arrival import arrival_of
from routing.phone_dialling import PhoneRules, phone_goal

if TYPE_CHECKING:
    from b2bua.settings import Settings
    from b2bua.sip.engine import Arriving


class NotToDial(NoSuchGoal):
    """The number is nobody's here, and phones do not dial outside."""

    sip_code, cause = 404, "no-such-number"


async def from_phone(call: Session, arriving: Arriving) -> None:
    """Raises a Refused where the call cannot be served, CallerLeft or Ordered where it ends before its time."""
    exchange, row, extension = call.exchange, call.record.row, arriving.phone
    settings, directory = exchange.settings, exchange.directory()
    assert call.caller is not None
    dialled = arrival_of(arriving.message, "").called
    row.called, row.effective_caller, row.extension = dialled, extension, extension
    row.detail["from_phone"] = extension
    exchange.tell("call.received", call, {"calling": extension, "called": dialled, "trunk": None})
    agent = directory.agent(extension)
    call.show(extension, agent.name if agent is not None else "")
    call.dials = Dials("phone", extension)
    if not arriving.emergency:  # such a call may have shown no password: it asks for no transfers
        call.legs[call.caller].owner = extension
    if exchange.floor.reserve(extension, call.id):
        exchange.floor.answered(call.id, extension)  # he is on the phone: no queue asks him
        call.agents[call.caller] = extension

    rules = PhoneRules(over(settings), settings.phones.outside)
    goal = phone_goal(dialled, exchange.plan(), directory, row.tenant, rules, emergency=arriving.emergency)
    if goal is None:
        raise NotToDial(f"{extension} has dialled {dialled}, which leads nowhere")
    if goal.kind == "number":
        row.direction, row.trunk = "outbound", over(settings, emergency=arriving.emergency) or None
    row.route = "phone"
    await follow(call, goal)


def over(settings: Settings, *, emergency: bool = False) -> str:
    """The trunk or group that phones dial over; in an emergency any that takes calls, where there is none."""
    if settings.phones.trunk is not None or not emergency:
        return settings.phones.trunk or ""
    return next((name for name, trunk in settings.trunks.items() if trunk.target), "")
