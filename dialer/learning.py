"""What a campaign has taught so far: the share of live answers, and how long ringing, talk and wrap-up last."""

from collections.abc import Iterable
from dataclasses import dataclass

from dialer.phases import Situation
from dialer.spreads import Chances, Spread

LIVE, NOT_LIVE = 0, 1
"How a call that was being set up ends: a person answers, or anything else."

RING_BIN, RING_BINS = 0.5, 160
TALK_BIN, TALK_BINS = 2.0, 600
WRAP_BIN, WRAP_BINS = 1.0, 300
"Seconds of a bin, and bins; longer phases share the last."

MOMENTS = (0.17, 0.5, 0.83)
"Where to look: when these parts of the live answers have come."
EVERY = 10.0
"Seconds between two looks at the measured times."


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What is believed now; without `horizons` nothing can be forecast yet."""

    answers: int = 0
    "Live answers seen."
    share: float | None = None
    "Of the calls dialled, those a person answers."
    ring: float = 0.0
    "Mean seconds until a person answers."
    talk: float = 0.0
    wrap: float = 0.0
    horizons: tuple[float, ...] = ()
    "Seconds from now."
    answered: Chances | None = None
    "Of a call being set up: to be answered by a person, by its age, for each horizon."
    freed: Chances | None = None
    "Of an agent who talks: to be free for a caller who is answered at the horizon."
    wrapped: Chances | None = None
    "Of an agent in wrap-up: the same."


class Learner:
    """Takes the measured times of one campaign; `learned` says what follows from them.

    `patience` is how many seconds an answered caller may wait for an agent.
    """

    def __init__(self, patience: float = 2.0) -> None:
        self.patience = patience
        self.answers = 0
        self._ring = Spread(RING_BIN, RING_BINS, 2, memory=3600.0, least=600, blur=1)
        self._talk = Spread(TALK_BIN, TALK_BINS, memory=3600.0, least=600, blur=5)
        self._wrap = Spread(WRAP_BIN, WRAP_BINS, memory=3600.0, least=600, blur=2)
        self._believed = Learned()
        self._looked: float | None = None
        self._news = False

    def __repr__(self) -> str:
        return f"<Learner {self.answers} live answers, {self._ring.count} calls, {self._talk.count} talks>"

    def resolved(self, seconds: float, live: bool, now: float) -> None:
        """A call is no longer being set up, so many seconds after it was dialled.

        With detection of answering machines a live answer comes when the person is known to be one.
        """
        self._ring.ended(seconds, now, LIVE if live else NOT_LIVE)
        self.answers += live
        self._news = True

    def talked(self, seconds: float, now: float) -> None:
        """An agent has ended a call."""
        self._talk.ended(seconds, now)
        self._news = True

    def wrapped(self, seconds: float, now: float) -> None:
        """An agent is free again, so many seconds after his call; 0 when he had nothing to do."""
        self._wrap.ended(seconds, now)
        self._news = True

    def learned(self, seen: Situation) -> Learned:
        """What is believed; looked at again every few seconds when there is news."""
        if self._looked is not None and (not self._news or 0 <= seen.now - self._looked < EVERY):
            return self._believed
        self._looked, self._news = seen.now, False
        self._believed = self._look(seen)
        return self._believed

    def _look(self, seen: Situation) -> Learned:
        if not self._ring.count:
            return Learned()
        ring = self._ring.curve(_ages(seen.now, seen.ringing))
        share, mean = ring.share(LIVE), ring.mean_of(LIVE)
        if not self.answers or not self._talk.count:
            return Learned(self.answers, share if self.answers else None, mean)
        horizons = tuple(ring.quantile(part, LIVE) for part in MOMENTS)
        reach = horizons[-1] + self.patience + TALK_BIN
        talk = self._talk.curve(_ages(seen.now, seen.talking), reach)
        wrap = self._wrap.curve(_ages(seen.now, seen.wrapping), reach) if self._wrap.count else None
        until = [horizon + self.patience for horizon in horizons]
        return Learned(
            self.answers,
            share,
            mean,
            talk.mean,
            wrap.mean if wrap else 0.0,
            horizons,
            Chances(RING_BIN, [ring.within(horizon, LIVE) for horizon in horizons]),
            Chances(TALK_BIN, [talk.within_and(wrap, horizon) for horizon in until]),
            Chances(WRAP_BIN, [wrap.within(horizon) for horizon in until]) if wrap else None,
        )


def _ages(now: float, since: Iterable[float]) -> list[float]:
    return [max(0.0, now - one) for one in since]
