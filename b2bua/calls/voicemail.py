"""One step of a call: the caller leaves a message in a mailbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from b2bua.calls.refusals import NoSuchGoal
from b2bua.calls.session import Silent
from b2bua.calls.speech import let_hear, say
from b2bua.log import logger
from b2bua.sip.signals import Dtmf
from b2bua.storage.messages import Message
from media import BEEP, Recording, SoundError
from media.wav import BadWave, inspect
from routing.mailbox import Mailbox
from routing.spoken import Piece

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.goal import Goal

log = logger("calls")

ENDS = "#"
"The key that ends a message."


async def voicemail(call: Session, goal: Goal) -> Goal | None:
    """Greeting, tone, message: until the caller hangs up, presses #, or the time is up.  The call ends here.

    Raises CallerLeft, Ordered or Moved as `Session.next` does; what was said until then is kept. Raises NoSuchGoal for
    a mailbox of another tenant.
    """
    exchange, tenant = call.exchange, call.record.row.tenant
    box = exchange.plan().mailboxes.get(goal.target) or Mailbox(goal.target)
    if box.tenant is not None and tenant is not None and box.tenant != tenant:
        raise NoSuchGoal(f"there is no mailbox {goal.target} for calls of {tenant}")
    let_hear(call, "answer")
    call.state = "voicemail"
    await say(call, (Piece(box.greeting_file, box.greeting), BEEP), language=call.journey.language or box.language)
    assert call.caller is not None
    try:
        number = await exchange.messages.new(call.id)
        recording = call.sounds[call.caller].record(exchange.messages.sound(number))
    except (OSError, SoundError) as error:
        exchange.metrics.faults.inc("message")
        log.error("a message cannot be kept", call=call.id, error=str(error), do="see to the data folder")
        call.record.end(call.clock(), "no-message", 500, "tandem")
        return None
    began = call.record.at(call.clock())
    try:
        with call.key_tones.heeding(call.caller):
            await _listen(call, box.longest)
    finally:
        await _keep(call, box, number, began, recording)
    call.record.end(call.clock(), "normal", 200, "tandem")
    return None


async def _listen(call: Session, longest: float) -> None:
    until = call.clock() + longest
    while True:
        match await call.next(until):
            case None:
                return
            case Dtmf(leg=leg, digit=digit) if leg == call.caller and digit == ENDS:
                return
            case Silent(leg=leg) if leg == call.caller:
                return
            case _:
                continue


async def _keep(call: Session, box: Mailbox, number: str, began: float, recording: Recording) -> None:
    """The file is closed, and the message listed and told of; one that is too short leaves nothing."""
    exchange = call.exchange
    recording.stop()
    await recording
    try:
        seconds = round((await asyncio.to_thread(inspect, recording.path)).seconds, 2)
        if seconds < box.shortest:
            await exchange.messages.drop(number)
            return
        row = call.record.row
        message = Message(number, call.id, box.id, row.tenant, row.effective_caller, began, seconds)
        await exchange.messages.keep(message)
    except (OSError, BadWave) as error:
        exchange.metrics.faults.inc("message")
        log.error("a message is not listed", call=call.id, error=str(error), do="see to the folder of messages")
        return
    exchange.tell("call.message", call, {"mailbox": box.id, "file": message.file, "seconds": seconds})
