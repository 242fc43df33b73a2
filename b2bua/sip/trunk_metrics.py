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

    def gauge(name: str, text: str, read: Callable[[Line], float]) -> None:
        metrics.follow("gauge", name, text, lambda: {one: read(line) for one, line in desk.lines.items()}, "trunk")

    gauge("trunk_up", "1 while calls may go out there as far as OPTIONS tell, 0 while it is out.", _up)
    gauge("trunk_maintenance", "1 while a trunk is out of service by order.", lambda line: line.maintenance)
    gauge("trunk_calls_in", "Legs that came in, now.", lambda line: line.load.calls_in)
    gauge("trunk_calls_out", "Legs that went out, now.", lambda line: line.load.calls_out)
    gauge("trunk_minutes_today", "Minutes of talk today on legs that went out.", desk.minutes)
    gauge("trunk_registered", "1 while we are registered there.", lambda line: line.registration.until > 0)


def _up(line: Line) -> float:
    return 0.0 if line.settings.target and not line.usable else 1.0
