"""Who has answered: people told from machines, and tones of the network from both, for one dialled call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING

from b2bua.calls.session import Said
from b2bua.dialling.customer import Heard
from b2bua.log import logger
from dialer.law import limit_begins
from dialer.outcome import Outcome
from media import SoundError
from media.amd import AmdSettings, Kind, Listening, Stage, Verdict, Watch

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from dialer.campaign import Amd
    from dialer.profiles import LawProfile

log = logger("dialler")

KNOWN = frozenset(field.name for field in fields(AmdSettings)) - {"enabled"}

DEAD_NUMBERS = frozenset({"IC", "VC"})
"Special information tones of a number that is nobody's."


def settings_of(amd: Amd) -> AmdSettings:
    """Raises ValueError for parameters that are out of their range, or that there are not."""
    if unknown := amd.parameters.keys() - KNOWN:
        raise ValueError(f"there is no parameter {min(unknown)}")
    given = {"hard_cut": amd.decide_within, "longest_greeting": amd.message_within, **amd.parameters}
    return AmdSettings(enabled=amd.enabled, **given)


def outcome_of(verdict: Verdict) -> tuple[Outcome, str]:
    """What a verdict that is no person's means for the record."""
    match verdict.kind:
        case Kind.BUSY:
            return Outcome.BUSY, "busy-tone"
        case Kind.CONGESTION:
            return Outcome.TRUNK_FAULT, "congestion-tone"
        case Kind.SIT:
            return (Outcome.INVALID_NUMBER if verdict.code in DEAD_NUMBERS else Outcome.TRUNK_FAULT), "sit"
        case Kind.FAX:
            return Outcome.MACHINE, "fax"
        case _:
            return Outcome.MACHINE, "machine"


class Answerer:
    """Listens to one call, where its campaign asks for it."""

    def __init__(self, call: Session, amd: Amd, listening: Callable[[], Listening]) -> None:
        self.call, self.amd, self._listening = call, amd, listening
        self.verdict: Verdict | None = None
        self._watch: Watch | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._began = 0.0

    @property
    def outcome(self) -> Outcome:
        """Of what is no person."""
        return Outcome.MACHINE if self.verdict is None else outcome_of(self.verdict)[0]

    @property
    def cause(self) -> str:
        """The same as a word."""
        return "machine" if self.verdict is None else outcome_of(self.verdict)[1]

    def early(self, leg: int) -> None:
        """Sound comes before the answer: tones that mean a refusal are delivered to the call as `Heard`."""
        if not self.amd.enabled or self._watch is not None or (watch := self._open(leg, Stage.EARLY)) is None:
            return

        async def wait() -> None:
            verdict = await watch
            if verdict.kind in (Kind.BUSY, Kind.CONGESTION, Kind.SIT, Kind.FAX):
                self.call.deliver(Said(Heard(leg, *outcome_of(verdict))))

        self._waiting = asyncio.create_task(wait(), name=f"early tones of {self.call.id}")

    async def person(self) -> bool:
        """Whether a person has answered; without detection always.

        Raises CallerLeft, Ordered or Moved as `Session.next` does.
        """
        call = self.call
        self.stop()
        if not self.amd.enabled or call.caller is None or (watch := self._open(call.caller, Stage.ANSWERED)) is None:
            return True

        async def wait() -> None:
            await watch
            call.deliver(Said(watch))

        self._waiting = asyncio.create_task(wait(), name=f"who answers {call.id}")
        while watch.verdict is None:
            await call.next()
        self.verdict = watch.verdict
        if self.verdict.person:
            self.stop()
        return self.verdict.person or self.verdict.kind is Kind.LOST

    async def message_time(self) -> bool:
        """Once the machine has finished: whether it can be talked to.  Raises as `Session.next` does."""
        call, watch = self.call, self._watch
        if watch is None:
            return False
        ready: list[bool] = []

        async def wait() -> None:
            ready.append(await watch.message_time() is not None)
            call.deliver(Said(watch))

        self._waiting = asyncio.create_task(wait(), name=f"the beep of {call.id}")
        while not ready:
            await call.next()
        return ready[0]

    def limit_from(self, profile: LawProfile, answered: float) -> float:
        """From when the law's limit counts, by the call's clock."""
        end = self.verdict.greeting_end if self.verdict is not None else None
        return limit_begins(profile, answered, greeting_end=None if end is None else self._began + end)

    def stop(self) -> None:
        """Listen no longer; harmless when nobody does."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _open(self, leg: int, stage: Stage) -> Watch | None:
        try:
            self._watch = self._listening().watch(self.call.sounds[leg], settings_of(self.amd), stage)
        except (SoundError, ValueError) as error:
            log.warning("an answer is taken for a person's: nobody can listen", call=self.call.id, error=str(error))
            return None
        self._began = self.call.clock()
        return self._watch
