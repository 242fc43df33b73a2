"""An inbound call from top to bottom: who is it, what did his system leave for us, and the first place
the call goes to; it goes on from there by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.analysis import analyse
from b2bua.calls.follow import follow
from b2bua.calls.session import Session
from b2bua.calls.token import Known, look_up
from b2bua.log import logger
from b2bua.sip.stir import identity_of
from routing.first_goal import first_goal
from routing.goal import Goal
from routing.identify import Identified, effective_caller, identify
from routing.plan_checks import goal_problems
from routing.refusals import refusal

if TYPE_CHECKING:
    from b2bua.sip.engine import Arriving

log = logger("calls")


async def inbound(call: Session, arriving: Arriving) -> None:
    """Raises a Refused where the call cannot be served, CallerLeft or Ordered where it ends before its time."""
    exchange, row = call.exchange, call.record.row
    assert arriving.trunk is not None
    assert call.caller is not None
    profile, directory = exchange.profiles[arriving.trunk], exchange.directory()
    line = exchange.trunks.lines[arriving.trunk]
    arrival = line.arrival(arriving.message)
    call.carried = line.headers_in.passed_on(arriving.message.headers)
    call.private = line.wants_privacy(arriving.message)
    row.detail |= identity_of(arriving.message)
    row.called, row.billing_number = arrival.called, arrival.caller
    exchange.tell("call.received", call, {"calling": arrival.caller, "called": arrival.called, "trunk": arriving.trunk})

    found, known = identify(arrival, profile, directory), Known()
    if found.correlated:
        found, known = await look_up(call, found, arrival)
    row.effective_caller = effective_caller(known.caller, arrival, profile)
    call.hidden = call.private and not known.caller
    _write_down(call, found, known)
    call.catch_up()  # who left while his data was looked for gets no screen popped and no phone rung

    answer = await analyse(call, found)
    extension = None if answer.from_outside else known.extension
    plan = exchange.plan()

    def there(goal: Goal) -> bool:
        return not any(goal_problems(goal, plan, directory.agents, row.tenant))

    way = first_goal(found, extension, answer.goal, directory, exchange.settings.calls.default_route, there)
    if way is None:
        raise refusal(found.outcome)
    row.route = str(way.via)
    call.show(row.effective_caller, arrival.caller_name)
    await follow(call, way.goal)


def _write_down(call: Session, found: Identified, known: Known) -> None:
    """What correlation found, for the CDR, the metric and the listeners."""
    exchange, row = call.exchange, call.record.row
    row.tenant = found.tenant.id if found.tenant is not None else None
    row.token = known.token
    row.correlation = str(found.outcome)
    row.source = str(found.source) if found.source is not None else None
    row.original_called = found.shown_digits or None
    if not found.masked:
        row.access_id, row.sequence = found.access_id or None, found.sequence or None
    if found.detail:
        row.detail["correlation"] = found.detail
    call.data = dict(known.data)
    exchange.metrics.correlation.inc(row.correlation, row.source or "none")
    data = {"outcome": row.correlation, "source": row.source, "access_id": row.access_id}
    if found.failed:
        exchange.tell("call.uncorrelated", call, data)
        log.info(
            "no data for this caller: the call takes the default way",
            call=call.id, reason=row.correlation, trunk=row.trunk, called=row.called, detail=found.detail,
        )  # fmt: skip
    elif known.token is not None:
        exchange.tell("call.correlated", call, data)
