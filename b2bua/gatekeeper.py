"""The service beside the gate: bans are told, sources of trunks that have changed are followed, silence is ended."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from b2bua import log as logging
from b2bua.sip.bans import Ban

if TYPE_CHECKING:
    from b2bua.metrics import Metrics
    from b2bua.settings import Settings
    from b2bua.sip.gate import Gate
    from b2bua.sip.trunks import TrunkTable

log = logging.logger("gate")

EVERY = 0.1
"Seconds between two looks; so late, at most, the kernel's filter follows a ban."
MOST_ALARMS = 60
"Log lines a minute about bans; the events and the list have all of them."

PHONES = 3.0
"Seconds between two times that the gate is told where registered phones are; it believes that for three times as long."

Phones = Callable[[], Iterable[tuple[str, int]]]
Tell = Callable[[str, Mapping[str, Any]], None]


class Gatekeeper:
    """A service, and the API's `Bans`."""

    name = "gate"

    def __init__(
        self,
        gate: Gate,
        settings: Callable[[], Settings],
        table: TrunkTable,
        phones: Phones,
        tell: Tell,
        metrics: Metrics,
    ) -> None:
        """`phones`: where registered phones are."""
        self._gate, self._settings, self._table, self._tell = gate, settings, table, tell
        self._phones, self._phones_due = phones, 0.0
        self._known: tuple[object, object] = (None, None)
        self._banned: Counter[str] = Counter()
        self._minute, self._alarms = 0, 0
        self._up = False
        follow = metrics.follow
        follow("counter", "bans_total", "Addresses banned, by reason.", lambda: self._banned, "reason")
        follow("gauge", "banned", "Addresses that are banned now.", lambda: len(self.bans()))
        waiting = "Calls from outside that wait for their final answer."
        follow("gauge", "half_open_calls", waiting, lambda: gate.half_open() if self._up else 0)
        made = "TCP and TLS connections that others have made to us."
        follow("gauge", "sip_connections", made, lambda: gate.connections() if self._up else 0)
        drops = "UDP packets that the kernel threw away at our listeners: banned, or more than could be read."
        follow("counter", "kernel_drops_total", drops, lambda: gate.kernel_drops() if self._up else 0)

    async def run(self, ready: Callable[[], None]) -> None:
        self._up = True
        ready()
        try:
            while True:
                self._look()
                await asyncio.sleep(EVERY)
        finally:
            self._up = False

    # -- as the API knows it

    def bans(self) -> Sequence[Ban]:
        return self._gate.bans() if self._up else ()

    def ban(self, address: str, reason: str, seconds: float, by: str) -> None:
        self._gate.ban(address, reason, seconds)
        self._banned["by hand"] += 1
        self._tell("source.banned", {"address": address, "reason": reason, "seconds": seconds, "by": by})
        log.info("an address is banned", address=address, reason=reason, seconds=seconds, by=by)

    def lift(self, address: str, by: str) -> bool:
        lifted = self._gate.lift(address)
        if lifted:
            self._tell("source.lifted", {"address": address, "by": by})
            log.info("a ban is lifted", address=address, by=by)
        return lifted

    # -- ten times a second

    def _look(self) -> None:
        settings = self._settings()
        known = (settings, self._table.rows)
        if self._known[0] is not known[0] or self._known[1] is not known[1]:
            self._gate.guard(settings, self._table)
            self._known = known
        if (now := time.monotonic()) >= self._phones_due:
            self._phones_due = now + PHONES
            for address, port in self._phones():
                self._gate.phone(address, port, 3 * PHONES)
        for address, reason, seconds in self._gate.tick():
            self._banned[reason] += 1
            self._tell("source.banned", {"address": address, "reason": reason, "seconds": seconds, "by": "gate"})
            self._alarm(address, reason, seconds)

    def _alarm(self, address: str, reason: str, seconds: float) -> None:
        minute = int(time.monotonic() // 60)
        self._minute, self._alarms = minute, self._alarms + 1 if minute == self._minute else 1
        if self._alarms <= MOST_ALARMS:
            log.warning(
                "an address is banned", address=address, reason=reason, seconds=seconds,
                do=f"nothing, if it is a stranger's; if it is one of ours: tandem bans lift {address}, and add its "
                "network to security.offices or to its trunk",
            )  # fmt: skip
