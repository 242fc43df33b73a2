"""What is said to one leg of a call: pieces one after the other, and a word in the inbox when all were heard."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from b2bua.calls.session import Said
from b2bua.log import logger
from b2bua.sip.leg import Leg
from media import Ending, Playing, SoundError
from routing.spoken import Piece

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from media import Source

log = logger("calls")


class Announcement:
    """Pieces on their way to one leg.  When the last was heard, or could not be, `Said` is in the call's inbox.

    Whoever makes one stops it at the end of his step (`finally: announcement.stop()`); then no `Said` comes any more.
    """

    def __init__(self, call: Session, leg: int, pieces: Sequence[Piece | Source], language: str) -> None:
        self.over = False
        "Nothing of it is heard any more."
        self._call, self._leg = call, leg
        self._playing: Playing | None = None
        self._task = asyncio.create_task(self._say(pieces, language), name=f"announcement {call.id}")

    def __repr__(self) -> str:
        return f"<announcement to leg {self._leg}, {'over' if self.over else 'on'}>"

    def stop(self) -> None:
        """Silence from now on; harmless when it is over."""
        if self.over:
            return
        self.over = True
        self._task.cancel()
        if self._playing is not None:
            self._playing.stop()

    async def _say(self, pieces: Sequence[Piece | Source], language: str) -> None:
        exchange, sound = self._call.exchange, self._call.sounds[self._leg]
        try:
            for piece in pieces:
                source = await exchange.voices.file(piece, language) if isinstance(piece, Piece) else piece
                if source is None:
                    continue
                try:
                    self._playing = sound.play(source)
                except SoundError as error:
                    log.warning("a prompt was not heard", call=self._call.id, error=str(error))
                    continue
                if await self._playing is Ending.LOST:
                    break
        except Exception as error:
            exchange.metrics.faults.inc("speech")
            log.error("an announcement failed; the call goes on without it", call=self._call.id, exc_info=error)
        self.over = True
        self._call.deliver(Said(self))


def announce(
    call: Session, pieces: Sequence[Piece | Source], *, leg: int | None = None, language: str = ""
) -> Announcement:
    """Begin to say something: to the caller in his language unless told otherwise."""
    to = call.caller if leg is None else leg
    assert to is not None
    return Announcement(call, to, pieces, language or language_of(call))


async def say(call: Session, pieces: Sequence[Piece | Source], *, leg: int | None = None, language: str = "") -> None:
    """Say something and wait until it was heard.  What else happens meanwhile has its effects, and no more.

    Raises CallerLeft, Ordered or Moved as `Session.next` does.
    """
    announcement = announce(call, pieces, leg=leg, language=language)
    try:
        while not announcement.over:
            await call.next()
    finally:
        announcement.stop()


def language_of(call: Session) -> str:
    """What the caller chose in a menu, else English."""
    return call.journey.language or "en"


def let_hear(call: Session, how: Literal["answer", "early"]) -> None:
    """From here on the caller hears us: as early media where that is wanted and he can, else he is answered."""
    if call.caller is None or call.picked_up or call.parties.state(call.caller) is Leg.UP:
        return
    if how == "early" and call.has_offer:
        call.legs[call.caller].progress()
        return
    call.exchange.keep(call)  # before the 200: an answered call has a CDR whatever happens next
    call.pick_up()
