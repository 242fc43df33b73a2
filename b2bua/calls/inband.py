"""Keys that travel as tones in the sound: looked for in legs that have no other way to send them, while keys mean
something, and played to those that take them in no other way (docs/codecs.md).

A leg that is listened to has its sound in Python (`Sound.tap`), so it goes through the conference.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bua.calls.keypad import Keypad
from b2bua.log import logger
from b2bua.sip.signals import Dtmf
from media import Ending, SoundError, Tap, Tone
from media.dtmf import KEYS, DtmfDetector, key_tones
from media.tones import Cadence

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from media import Sound

log = logger("calls")

METHOD = "inband"
LEVEL = -8.0
"dBm0 of each of the two tones that we play: a telephone's own."
ON, OFF = 0.1, 0.08
"Seconds: more than the 40 of each that Q.24 asks receivers to take, and room for a codec's smear."
MOST_WAITING = 64
"Keys that wait to be played to one leg; more are thrown away."
NAMES = {"*": "star", "#": "hash"}

PLAYED = {
    key: Cadence(f"key-{NAMES.get(key, key.lower())}", (Tone(key_tones(key), ON, OFF),), LEVEL)
    for row in KEYS
    for key in row
}
"What a leg hears of a key."


class ToneListener:
    """Listens to one leg until it is stopped or the leg ends.  Costs 0.1 % of a processor."""

    def __init__(self, sound: Sound, rate: int, put: Callable[[str], None]) -> None:
        """`put` gets each key; `rate`: samples a second of the conference.  Raises SoundError."""
        self._tap: Tap | None = sound.tap()
        self._rate, self._put = rate, put
        self._task = asyncio.create_task(self._listen(self._tap), name=f"tones of {sound.name}")

    def stop(self) -> None:
        """End it; harmless when it has ended."""
        if self._tap is not None:
            self._tap.stop()
            self._task.cancel()
            self._tap = None

    async def _listen(self, tap: Tap) -> None:
        detector = DtmfDetector(self._rate)
        try:
            async for pcm in tap:
                for key in detector.feed(pcm):
                    self._put(key)
        except Exception as error:
            log.error("tones are not heard any more on this leg", leg=self._task.get_name(), exc_info=error)


@dataclass(slots=True)
class Heeded:
    """A leg whose keys mean something now."""

    always: bool
    "Also where it has another way to send them."
    partner: int | None
    "Where they only mean something to this leg, which hears tones by itself unless it takes keys in another way."
    keypad: Keypad
    listener: ToneListener | None = None

    def stop(self) -> None:
        """Listen no longer."""
        if self.listener is not None:
            self.listener.stop()
            self.listener = None


class KeyTones:
    """Tones of the legs of one call."""

    def __init__(self, call: Session) -> None:
        self._call = call
        self._heeded: dict[int, Heeded] = {}
        self._played: dict[int, deque[str]] = {}

    @contextmanager
    def heeding(self, leg: int | None, *, always: bool = False, partner: int | None = None) -> Iterator[None]:
        """Keys of this leg mean something inside: listen for tones where it sends them in no other way.

        What they meant outside they mean again behind it.  No leg: nothing happens.
        """
        if leg is None:
            yield
            return
        outside = self._heeded.pop(leg, None)
        if outside is not None:
            outside.stop()
        self._heeded[leg] = Heeded(always, partner, Keypad())
        self.settle(leg)
        try:
            yield
        finally:
            self.forget(leg)
            if outside is not None:
                self._heeded[leg] = outside
                self.settle(leg)

    def settle(self, leg: int) -> None:
        """What the leg, or a partner of it, has agreed on may have changed: listen from now on, or no longer."""
        for number, heeded in self._heeded.items():
            if leg not in (number, heeded.partner):
                continue
            wanted = self._wanted(number, heeded)
            if wanted and heeded.listener is None:
                self._listen(number, heeded)
            elif not wanted and heeded.listener is not None:
                heeded.stop()

    def forget(self, leg: int) -> None:
        """The leg's keys mean nothing any more, or it is gone."""
        heeded = self._heeded.pop(leg, None)
        if heeded is not None:
            heeded.stop()
        self._played.pop(leg, None)

    def counts(self, key: Dtmf) -> bool:
        """Whether this key is a new one, and not one that came before in its other form."""
        heeded = self._heeded.get(key.leg)
        if heeded is None or heeded.listener is None:
            return True
        if key.method != METHOD:
            heeded.listener.stop()  # its side has another way after all: tones count no more (see Keypad)
        return bool(heeded.keypad.pressed(key.digit, key.method, self._call.clock()))

    def play(self, leg: int, digit: str) -> None:
        """Let a leg hear a key, behind those that it is to hear already."""
        waiting = self._played.get(leg)
        if waiting is None:
            self._played[leg] = deque((digit,), MOST_WAITING)
            self._play_next(leg)
        elif len(waiting) < MOST_WAITING:
            waiting.append(digit)

    def _play_next(self, leg: int) -> None:
        waiting = self._played.get(leg)
        if not waiting:
            self._played.pop(leg, None)
            return
        try:
            playing = self._call.sounds[leg].play(PLAYED[waiting[0]])
        except (SoundError, KeyError) as error:
            log.warning("a key cannot be played", call=self._call.id, error=str(error))
            del self._played[leg]
            return
        playing.then(lambda ending: self._played_one(leg, waiting, ending))

    def _played_one(self, leg: int, waiting: deque[str], ending: Ending) -> None:
        if self._played.get(leg) is not waiting:
            return
        if ending is Ending.LOST:
            del self._played[leg]
            return
        waiting.popleft()
        self._play_next(leg)

    def _wanted(self, leg: int, heeded: Heeded) -> bool:
        own = self._call.legs.get(leg)
        if own is None or not (heeded.always or own.keys_are_tones):
            return False
        if heeded.partner is None:
            return True
        other = self._call.legs.get(heeded.partner)
        return other is not None and other.keys_sent_as not in (METHOD, "")

    def _listen(self, leg: int, heeded: Heeded) -> None:
        call = self._call
        try:
            heeded.listener = ToneListener(
                call.sounds[leg],
                call.exchange.settings.media.clock_rate,
                lambda key: call.deliver(Dtmf(leg, key, METHOD)),
            )
        except SoundError as error:
            log.warning("tones cannot be listened for", call=call.id, error=str(error))


@contextmanager
def talking_keys(call: Session, agent: int, *, own: bool) -> Iterator[None]:
    """While two talk, keys are for the partner; `own`: the agent's are codes first."""
    heard = agent if own or call.caller is not None else None
    with (
        call.key_tones.heeding(call.caller, partner=agent),
        call.key_tones.heeding(heard, partner=None if own else call.caller),
    ):
        yield
