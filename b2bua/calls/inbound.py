"""An inbound call from top to bottom: who is it, what did his system leave for us, who takes it, ring, talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.callee import agent_callee
from b2bua.calls.offer import offer
from b2bua.calls.session import Session
from b2bua.calls.talk import talk
from b2bua.calls.token import Known, consume, look_up
from b2bua.log import logger
from b2bua.sip.arrival import arrival_of
from routing.destination import destination
from routing.identify import Identified, effective_caller, identify
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
    arrival = arrival_of(arriving.message, arriving.trunk)
    row.called, row.billing_number = arrival.called, arrival.caller
    exchange.tell("call.received", call, {"calling": arrival.caller, "called": arrival.called, "trunk": arriving.trunk})

    found, known = identify(arrival, profile, directory), Known()
    if found.correlated:
        found, known = await look_up(call, found, arrival)
    row.effective_caller = effective_caller(known.caller, arrival, profile)
    _write_down(call, found, known)
    call.catch_up()  # who left while his data was looked for gets no screen popped and no phone rung

    where = destination(found, known.extension, directory, exchange.settings.calls.default_route)
    if where is None:
        raise refusal(found.outcome)
    row.extension, row.route = where.agent, str(where.via)
    _pop_screen(call, found)
    call.show(row.effective_caller, arrival.caller_name)
    agent = await offer(call, agent_callee(directory.agents[where.agent], exchange.settings))

    consume(call)
    call.record.answered(call.clock())
    exchange.keep(call)  # before the 200: an answered call has a CDR whatever happens next
    call.legs[call.caller].answer()
    call.state = "talking"
    exchange.metrics.setup.observe(call.record.since_start(call.clock()), "answered")
    exchange.tell("call.answered", call, {"extension": row.extension})
    await talk(call, agent)


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


def _pop_screen(call: Session, found: Identified) -> None:
    """What the agent sees the moment his phone rings."""
    row = call.record.row
    call.exchange.tell(
        "screen.pop",
        call,
        {
            "extension": row.extension,
            "caller": row.effective_caller,
            "called": row.called,
            "billing_number": row.billing_number,
            "via": row.route,
            "correlation": str(found.outcome),
            "data": call.data,
        },
    )
