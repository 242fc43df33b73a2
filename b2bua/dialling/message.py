"""A recorded message, and the key that ends it: for who gets no agent in time, and campaigns without agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from b2bua.calls.session import Said, Silent
from b2bua.calls.speech import announce, language_of, say
from b2bua.dialling.words import OPT_OUT_KEY, noted
from b2bua.sip.signals import Dtmf

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from media import Source
    from routing.spoken import Piece

AFTERWARDS = 5.0
"Seconds a key is waited for once all was said."


async def message(call: Session, pieces: Sequence[Piece | Source], *, wait: float = AFTERWARDS) -> bool:
    """Say it all, and wait a little for the key; whether the called wants to be left alone.

    Raises CallerLeft, Ordered or Moved as `Session.next` does.
    """
    said = announce(call, pieces, language=language_of(call))
    until: float | None = None
    try:
        with call.key_tones.heeding(call.caller):
            while True:
                match await call.next(until):
                    case None:
                        return False
                    case Said(announcement=heard) if heard is said:
                        until = call.clock() + wait
                    case Dtmf(leg=leg, digit=digit) if leg == call.caller and digit == OPT_OUT_KEY:
                        return True
                    case Silent(leg=leg) if leg == call.caller:
                        return False
    finally:
        said.stop()


async def confirm(call: Session) -> None:
    """He is told that he will be left alone."""
    await say(call, (noted(language_of(call)),))
