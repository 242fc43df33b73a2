"""The service that tells the gate how many new calls it may let in: four times a second, from what the thread does."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from b2bua.sip.admission import BURST, LEAST_BURST, Admission, Limit, Sample, most_legs

if TYPE_CHECKING:
    from b2bua.metrics import Metrics
    from b2bua.settings import Settings
    from b2bua.sip.engine.steering import Steering

EVERY = 0.25
"Seconds between two looks."


SCHEDULER = Path("/proc/thread-self/schedstat")
"Nanoseconds that this thread ran, and that it was ready to run while others did."


class Overload:
    """A service."""

    name = "overload"

    def __init__(self, steering: Steering, settings: Callable[[], Settings], metrics: Metrics) -> None:
        self._steering, self._settings = steering, settings
        self.admission = Admission(settings().overload.begin)
        self.legs = 0
        "From so many on new calls are refused."
        follow = metrics.follow
        follow("gauge", "admission_rate", "New calls a second that are taken at most.", lambda: self.admission.rate)
        follow("gauge", "admission_legs", "Legs from which on new calls are refused.", lambda: self.legs)

    async def run(self, ready: Callable[[], None]) -> None:
        loop, steering = asyncio.get_running_loop(), self._steering
        self._count_legs()
        self._tell(self.admission.on(Sample(0, 0, 0, 0, 0, 0)))
        ready()
        at, spent, (taken, refused, limited) = loop.time(), busy(), steering.counted()
        while True:
            await asyncio.sleep(EVERY)
            now, used, (took, turned, held) = loop.time(), busy(), steering.counted()
            # in a drain everybody is refused, and that says nothing about the load
            away = 0 if steering.turning_away else turned - refused
            sample = Sample(
                now - at, used - spent, took - taken, away, now - at - EVERY, held - limited, steering.refusal_cost()
            )  # fmt: skip
            self._tell(self.admission.on(sample))
            at, spent, taken, refused, limited = now, used, took, turned, held

    def _tell(self, limit: Limit) -> None:
        """The gate's limit: what the processor allows, and what the settings do."""
        overload, rate, burst = self._settings().overload, limit.rate, limit.burst
        if overload.most is not None and (overload.most < rate or not overload.adaptive):
            rate, burst = overload.most, max(overload.most * BURST, LEAST_BURST)
        elif not overload.adaptive:
            rate = -1.0
        self._steering.admit(self.legs, rate, burst)

    def _count_legs(self) -> None:
        media, in_use = self._settings().media, len(os.listdir("/proc/self/fd"))
        ports = media.rtp_port_max - media.rtp_port_min + 1
        self.legs = most_legs(self._steering.slots, ports, resource.getrlimit(resource.RLIMIT_NOFILE)[0], in_use)


def busy() -> float:
    """Seconds in which this thread has had work since it began; from memory, not from a disk."""
    try:
        ran, waited, _ = SCHEDULER.read_text(encoding="ascii").split()
        return (int(ran) + int(waited)) / 1e9
    except (OSError, ValueError):
        return time.thread_time()
