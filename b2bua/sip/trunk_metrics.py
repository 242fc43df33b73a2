"""What Prometheus reads of trunks when it asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2bua.metrics import Metrics
    from b2bua.sip.trunk_desk import TrunkDesk
    from b2bua.sip.trunk_line import Line


def follow_trunks(metrics: Metrics, desk: TrunkDesk) -> None:
    """One gauge each, by trunk."""

    def each(read: Callable[[Line], float]) -> Callable[[], dict[str, float]]:
        return lambda: {name: read(line) for name, line in desk.lines.items()}

    follow = metrics.follow
    up = "1 while calls may go out there as far as OPTIONS tell, 0 while it is out."
    follow("gauge", "trunk_up", up, each(lambda line: line.usable or not line.settings.target), "trunk")
    out = "1 while a trunk is out of service by order."
    follow("gauge", "trunk_maintenance", out, each(lambda line: line.maintenance), "trunk")
    follow("gauge", "trunk_calls_in", "Legs that came in, now.", each(lambda line: line.load.calls_in), "trunk")
    follow("gauge", "trunk_calls_out", "Legs that went out, now.", each(lambda line: line.load.calls_out), "trunk")
    minutes = "Minutes of talk today on legs that went out."
    follow("gauge", "trunk_minutes_today", minutes, each(desk.minutes), "trunk")
    there = "1 while we are registered there."
    follow("gauge", "trunk_registered", there, each(lambda line: line.registration.until > 0), "trunk")
