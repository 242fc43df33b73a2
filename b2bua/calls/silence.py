"""Looks at every talking leg once a second and tells its call when a far end has died without a BYE."""

import asyncio
from collections.abc import Iterable

from b2bua.calls.session import Session, Silent
from b2bua.sip.engine import Engine
from b2bua.sip.leg import Leg
from media.silence import SilenceWatch as LegWatch
from media.silence import Verdict

SLICE = 100
"Calls looked at in one go: about half a millisecond."


class SilenceWatch:
    """One watch for each leg that talks; those of legs that are gone are forgotten."""

    def __init__(self, engine: Engine, timeout: float) -> None:
        self._engine, self._timeout = engine, timeout
        self._watches: dict[int, LegWatch] = {}

    async def look(self, sessions: Iterable[Session], now: float) -> None:
        """Once a second: read the counters, tell the calls of legs whose far end is silent for too long.

        The loop gets its turn after each `SLICE` calls: reading thousands of legs at one go would hold up the others.
        """
        if self._timeout <= 0:
            return
        seen: dict[int, LegWatch] = {}
        for n, session in enumerate(list(sessions)):
            if n % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            for leg_id, leg in session.legs.items():
                party = session.parties.by_leg[leg_id]
                if party.state is not Leg.UP:
                    continue
                watch = seen[leg_id] = self._watches.get(leg_id) or LegWatch(self._timeout, now)
                counted = self._engine.traffic(leg)
                if counted is not None and watch.look(now, counted, expected=not party.held) is Verdict.DEAD:
                    session.deliver(Silent(leg_id))
        self._watches = seen
