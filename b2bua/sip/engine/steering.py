"""What a running stack is told from outside its calls: how many new ones it may take, what it keeps of its messages."""

from __future__ import annotations

import pjsua2 as pj

from b2bua.settings import Settings
from b2bua.sip.engine.tracing import Tracing

RETRY_AFTER = 5
"Seconds a refused caller is told to wait at most; each draws his own."


class Steering:
    """Belongs to the loop's thread. Before `start` nothing may be asked."""

    def __init__(self) -> None:
        self.tracing = Tracing()
        self.slots = 0
        "Call slots of the stack."
        self.turning_away = False
        "A drain: whatever the limits are, no new call is taken."
        self._legs = -1

    def start(self, settings: Settings, slots: int) -> None:
        """The stack has begun."""
        self.slots = slots
        self.follow(settings)

    def follow(self, settings: Settings) -> None:
        """Settings that may change while it runs."""
        self.tracing.set(settings)
        pj.tandem_emergency(tuple(settings.screening.emergency))

    def turn_away(self) -> None:
        """From now on no new call: 503 with Retry-After from the gate, for OPTIONS too: trunks shall know."""
        self.turning_away = True
        pj.tandem_admission(0, RETRY_AFTER)

    def take_again(self) -> None:
        """New calls, as far as the limits go."""
        self.turning_away = False
        pj.tandem_admission(self._legs, RETRY_AFTER)

    def admit(self, legs: int, rate: float, burst: float) -> None:
        """New calls while there are fewer legs, so many a second, and `burst` of them at once; -1: any number."""
        if legs != self._legs:
            self._legs = legs
            if not self.turning_away:
                pj.tandem_admission(legs, RETRY_AFTER)
        pj.tandem_admission_rate(rate, burst)

    @staticmethod
    def counted() -> tuple[int, int, int]:
        """Since the start: new calls that the limits have let in, those turned away, and of these the ones that came
        faster than the rate."""
        counters = pj.tandem_counters()
        return counters["calls_taken"], counters["turned_away"], counters["calls_limited"]

    @staticmethod
    def refusal_cost() -> float:
        """Seconds of this thread for a call turned away since the last time, INVITE and ACK; 0: there were too few."""
        return 2e-9 * pj.tandem_refusal_cost()
