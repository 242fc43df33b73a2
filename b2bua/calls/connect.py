"""Somebody has answered for the caller: the record, the caller's own answer, and the talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.talk import talk
from b2bua.calls.token import consume

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.goal import Goal


async def connect(call: Session, leg: int, extension: str) -> Goal | None:
    """The caller and `leg`, who are a pair by now, talk until one of them has had enough."""
    served(call, extension)
    connected(call, extension)
    try:
        await talk(call, leg)
    finally:
        let_go(call, extension)
    return None


def served(call: Session, extension: str) -> None:
    """The call is an answered one from now on: its token is used up, its caller hears whoever answered."""
    exchange, record = call.exchange, call.record
    consume(call)
    if call.transfer is not None:
        call.transfer.done()
    if record.row.answered_at is None:
        record.answered(call.clock())
        exchange.metrics.setup.observe(record.since_start(call.clock()), "answered")
    call.ring_back(False)
    exchange.keep(call)  # before the 200: an answered call has a CDR whatever happens next
    call.pick_up()
    call.state = "talking"
    data = {"extension": extension or None} | ({"queue": call.journey.queue} if call.journey.queue else {})
    exchange.tell("call.answered", call, data)


def connected(call: Session, extension: str) -> None:
    """They hear each other from now on."""
    call.talk_began = call.clock()
    call.exchange.tell("call.connected", call, {"extension": extension or None, "queue": call.journey.queue or None})


def let_go(call: Session, extension: str) -> None:
    """The agent is done with this caller: his wrap-up begins."""
    if not extension or extension == call.taking_over or (call.transfer is not None and call.transfer.keeps(extension)):
        return
    if call.caller is not None and call.agents.get(call.caller) == extension:
        return  # whoever had called him has sent him elsewhere: the call is his from now on, to its end
    wrapped(call, extension, call.journey.queue, call.clock() - call.talk_began)


def wrapped(call: Session, extension: str, queue: str, talk: float) -> None:
    """His part of the call is over, `talk` seconds of it in a conversation."""
    data = {"extension": extension, "queue": queue or None, "talk": round(talk, 3)}
    call.exchange.tell("call.wrapped", call, data)
    call.journey.last_agent = extension
    call.exchange.floor.released(extension, call.id)
