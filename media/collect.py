"""Collect digits from a caller, with a prompt or without: the rules are pure and take `now`, the shell only waits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from media.ports import Ending, Source

if TYPE_CHECKING:
    from media.playing import Playing
    from media.sound import Sound

KEYS = frozenset("0123456789*#ABCD")


class Why(StrEnum):
    """What ended a collection."""

    ENOUGH = "enough"
    "As many digits as were asked for."
    TERMINATED = "terminated"
    "The terminator was pressed; it is not among the digits."
    PAUSED = "paused"
    "Nothing came for the inter-digit time after the last digit."
    NOTHING = "nothing"
    "Not a single digit came."
    LOST = "lost"
    "The leg ended."


@dataclass(frozen=True, slots=True)
class Limits:
    """When a collection is over."""

    digits: int = 32
    "Digits after which it is over at once."
    first: float = 5.0
    "Seconds for the first digit, from the end of the prompt."
    between: float = 3.0
    "Seconds for each next digit."
    terminator: str = "#"
    "Key that ends it; empty: none."
    barge_in: bool = True
    "A digit stops the prompt and counts.  False: digits during the prompt are thrown away."


@dataclass(frozen=True, slots=True)
class Collected:
    """What the caller dialled."""

    digits: str
    why: Why


class Keys(Protocol):
    """Where the leg's digits come from; an asyncio.Queue of one-character strings is one."""

    async def get(self) -> str: ...


class Collecting:
    """A collection on its way.  `now` is any clock in seconds, the same in every call."""

    def __init__(self, limits: Limits, now: float, *, prompt: bool) -> None:
        self.limits = limits
        self.deadline: float | None = None if prompt else now + limits.first
        "When it is over if nothing happens; None while the prompt is on."
        self.digits = ""
        self._prompt = prompt

    def digit(self, key: str, now: float) -> Collected | None:
        """A key was pressed; gives the result when it is over."""
        if key not in KEYS or (self._prompt and not self.limits.barge_in):
            return None
        self._prompt = False
        if key == self.limits.terminator:
            return Collected(self.digits, Why.TERMINATED)
        self.digits += key
        if len(self.digits) >= self.limits.digits:
            return Collected(self.digits, Why.ENOUGH)
        self.deadline = now + self.limits.between
        return None

    def prompt_ended(self, now: float) -> None:
        """The prompt was played to its end, or stopped."""
        if self._prompt:
            self._prompt = False
            self.deadline = now + self.limits.first

    def interrupted(self) -> bool:
        """Whether the prompt has to be silent from now on."""
        return not self._prompt

    def time_up(self) -> Collected:
        """The deadline has passed."""
        return Collected(self.digits, Why.PAUSED if self.digits else Why.NOTHING)


async def collect(sound: Sound, keys: Keys, prompt: Source | None = None, limits: Limits | None = None) -> Collected:
    """Play `prompt` to the leg and take digits from `keys` until the limits are met.

    The prompt is silent when this returns or is cancelled.  What is not a digit, `*`, `#` or A to D counts as nothing.
    Raises SoundError when the prompt cannot be played.
    """
    limits = limits or Limits()
    loop = asyncio.get_running_loop()
    playing = sound.play(prompt) if prompt is not None else None
    state = Collecting(limits, loop.time(), prompt=playing is not None)
    ended = asyncio.ensure_future(_ending(playing)) if playing is not None else None
    pressed = asyncio.ensure_future(keys.get())
    try:
        while True:
            waits = [pressed] if ended is None else [pressed, ended]
            left = None if state.deadline is None else max(0.0, state.deadline - loop.time())
            done, _ = await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if sound.closed:
                return Collected(state.digits, Why.LOST)
            if not done:
                return state.time_up()
            if pressed in done:
                over = state.digit(pressed.result(), loop.time())
                if playing is not None and state.interrupted():
                    playing.stop()
                if over is not None:
                    return over
                pressed = asyncio.ensure_future(keys.get())
            if ended is not None and ended in done:
                if ended.result() is Ending.LOST:
                    return Collected(state.digits, Why.LOST)
                state.prompt_ended(loop.time())
                ended = None
    finally:
        pressed.cancel()
        if ended is not None:
            ended.cancel()
        if playing is not None:
            playing.stop()


async def _ending(playing: Playing) -> Ending:
    return await playing
