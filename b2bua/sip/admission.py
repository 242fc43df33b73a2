"""How many new calls a second the node takes: so many that its one thread has a little more than four fifths of its
time for them.  Pure.

The rate follows what calls cost here and now.  While the node refuses calls, the rate goes where the thread would be as
busy as it should be; while it does not, it stands ready at the rate that the last load has shown.

Five things keep goodput up under ten times the load:

- What refusals cost is not counted against the calls, and it is measured (native/cost.c), since it differs by machine
  and hour as much as the cost of calls: a guess that is 30 us too low takes a tenth of the thread from the calls.
- Half of what a call costs comes when it ends.  Near its goal the rate moves in small steps (`NEAR`), or it would
  follow now what it has caused a second ago, and swing between half and twice of what it should be.
- A thread that refuses thousands wakes up for each few of them, and is busy all the time although it could do more:
  what a call costs is then what it cost before (`DEARER`), until the loop is late.
- Where most calls are refused, the others come as evenly as the gate's bucket lets them, so less of the thread has to
  be kept for lumps (`CROWDED` instead of `TARGET`).
- The limit is a little above the nominal load, four fifths of what passes without any, so that nominal load is not
  refused for its own lumps, or for a rate that was learnt in a bad second.
"""

from __future__ import annotations

from dataclasses import dataclass

FOUR_FIFTHS = 0.8
"Share of call slots, RTP ports and descriptors that may be in use."
TARGET = 0.84
"Share of the thread that calls may take."
CROWDED = 0.88
"The same where `CROWD` times as many are refused as taken: no lumps are left then."
CROWD = 4.0
BEGIN = 200.0
"Calls a second before anything is known."
LEAST = 10.0
"Calls a second that are taken however busy the thread is: what is counted wrongly must not close the house."
MOST = 100_000.0
BUSY = 0.95
"Share of the thread that calls and refusals may take together."
LEAST_SHARE = 0.3
"What calls may take of it at least, however many are refused."
LATE = 0.25
"Seconds by which the loop may be late before that counts as too much, where calls are what it is busy with."
REFUSAL = 30e-6
"Seconds of the thread for a call that is refused: INVITE, 503 and ACK; until it is measured."
DEAREST_REFUSAL = 300e-6
"What is measured as more than that was something else."
DOWN, UP = 0.8, 1.25
"The furthest steps."
RECOVER = 1.15
"A step back towards the rate to begin with, where the load is gone that had brought it below."
FULL = 0.98
"Share of the thread from which on it has no time left."
NEAR = 0.25
"How far a step goes of what is wanted."
FAR = 0.5
"The same where the thread has no time left: what it works off now was let in some steps ago."
DEARER = 1.1
"How much more than usual a call may cost beside a crowd that is refused."
LEARN = 0.3
"How far a step goes towards what a load near the limit has shown."
ENOUGH = 10.0
"Calls a second from which on they tell something."
BURST = 0.5
"Seconds of the rate that may come at once."
LEAST_BURST = 8.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What has happened since the last one."""

    seconds: float
    busy: float
    "Seconds in which the thread had work: on the processor, or waiting for it because others had it."
    calls: int
    "New calls taken."
    refused: int
    "New calls refused, for whatever there was too much of: they cost a little."
    late: float
    "Seconds by which the loop was late."
    limited: int
    "Of these, the ones that this limit refused."
    refusal: float = 0.0
    "Seconds of the thread for one that was refused; 0: not measured."


@dataclass(frozen=True, slots=True)
class Limit:
    """What the gate is told."""

    rate: float
    "New calls a second."
    burst: float


class Admission:
    """The limit from sample to sample; give it about four a second."""

    def __init__(self, begin: float = BEGIN) -> None:
        self.begin = begin
        self.rate = begin
        self.limiting = False
        "The limit has refused calls in the last sample."
        self.refusal = REFUSAL
        "Seconds of the thread for a call that is refused, as last measured."
        self._share = self._calls = 0.0
        self._cost = 0.0
        "Seconds of the thread for a call, where none is refused beside it; 0: nobody knows yet."

    def __repr__(self) -> str:
        return f"<admission {self.rate:.0f}/s, {self._share:.0%} busy with {self._calls:.0f}/s>"

    def on(self, sample: Sample) -> Limit:
        """The limit from now on."""
        if sample.seconds > 0:
            self._step(sample)
        return Limit(self.rate, max(self.rate * BURST, LEAST_BURST))

    def _step(self, sample: Sample) -> None:
        if sample.refusal > 0:
            self.refusal += (min(sample.refusal, DEAREST_REFUSAL) - self.refusal) * 0.3
        refusing = sample.refused * self.refusal / sample.seconds
        share = max(min(sample.busy / sample.seconds, 1.0) - refusing, 0.01)
        calls = sample.calls / sample.seconds
        if sample.limited > sample.calls and self._cost:
            share = min(share, calls * self._cost * DEARER)  # the rest is the loop's, which wakes for each refusal
        elif sample.calls >= ENOUGH * sample.seconds and not sample.refused:
            cost = share / calls
            self._cost += (cost - self._cost) * 0.1 if self._cost else cost
        # half of what is new: calls come in lumps, and what they cost comes later than they
        self._share += (share - self._share) * 0.5
        self._calls += (calls - self._calls) * 0.5
        # refused for a trunk's own rate, or for want of legs: that says nothing about this limit
        self.limiting = sample.limited > 0
        crowd = min(sample.limited / (CROWD * max(sample.calls, 1)), 1.0)
        target = TARGET + (CROWDED - TARGET) * crowd
        wanted = min(target, max(BUSY - refusing, LEAST_SHARE)) / max(self._share, 0.01)
        if sample.late > LATE and self._calls > self.rate / 2 and refusing < LEAST_SHARE:
            step = DOWN
        elif self.limiting:
            # without a moment to spare nobody knows how much there was too much of
            far = FAR if self._share + refusing > FULL else NEAR
            step = min(max(1 + (wanted - 1) * far, DOWN), UP)
        elif self._calls >= max(ENOUGH, self.rate / 2):
            step = 1 + (min(max(self._calls * wanted / self.rate, DOWN), UP) - 1) * LEARN
        elif self.rate < self.begin:
            step = min(RECOVER, self.begin / self.rate)
        else:
            step = 1.0
        self.rate = min(max(self.rate * step, LEAST), MOST)


def most_legs(slots: int, rtp_ports: int, descriptors: int, in_use: int) -> int:
    """Legs from which on new calls are refused: four fifths of what there is of call slots, RTP ports and descriptors.

    A leg takes a slot, two ports and two descriptors; `in_use`: descriptors that are open without any leg.
    """
    of = FOUR_FIFTHS
    return max(int(min(slots * of, rtp_ports / 2 * of, (descriptors * of - in_use) / 2)), 2)
