"""Reads calls' messages from the ring that native/trace.c fills: in steps, so that other work has its turn between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pjsua2 as pj

from b2bua.log import logger
from b2bua.settings import Settings
from b2bua.sip.traced import Traced, traced

log = logger("trace")

MEBIBYTE = 1024 * 1024
MOST_CALL_IDS = 64
MOST_MESSAGES = 2000
"Messages of one call that are shown."
BREATH = 0.0005
"Seconds between two steps: the calls come first."


class State(NamedTuple):
    """How full the ring is."""

    room: int
    "Octets."
    used: int
    oldest: float
    "Epoch seconds; 0.0: it is empty."


class Tracing:
    """The messages that are kept. Belongs to the loop's thread."""

    def set(self, settings: Settings) -> None:
        """Keep as many as the settings say; those kept are lost where the memory is another."""
        trace = settings.trace
        if not pj.tandem_trace(trace.memory * MEBIBYTE, trace.keep):
            log.error("there is no memory for the trace", do="set trace.memory lower", wanted=trace.memory)

    def state(self) -> State:
        """Also forgets what is too old."""
        return State(*pj.tandem_trace_state())

    async def messages(self, call_ids: Iterable[str]) -> list[Traced]:
        """The messages of these dialogs, oldest first, without their secrets."""
        wanted = tuple({_octets(one) for one in call_ids})[:MOST_CALL_IDS]
        found: list[Traced] = []
        place, more = 0, 1 if wanted else 0
        while more and len(found) < MOST_MESSAGES:
            rows, place, more = pj.tandem_trace_read(wanted, place)
            for row in rows:
                message = traced(row)
                if message.call_id in wanted:  # two of them may share a hash
                    found.append(message)
            if more:
                await asyncio.sleep(BREATH)
        return found[:MOST_MESSAGES]

    def readings(self) -> Mapping[str, float]:
        """For the metrics."""
        room, used, _ = self.state()
        return {"room": room, "used": used}


def _octets(call_id: str) -> bytes:
    return call_id.encode("utf-8", "surrogateescape")
