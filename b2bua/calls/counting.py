"""A call that is over, in the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.first_goal import Via

if TYPE_CHECKING:
    from b2bua.metrics import Metrics
    from b2bua.storage.calls import CallRecord, PartRecord

DEFAULT_ROUTES = frozenset({Via.ACCESS_ROUTE.value, Via.DEFAULT_ROUTE.value})


def count_call(metrics: Metrics, row: CallRecord) -> None:
    """How it ended, and how each of its legs has sounded."""
    cause = row.cause or "fault"
    gone = cause in ("cancelled", "abandoned")
    result = "answered" if row.answered_at is not None else "cancelled" if gone else "failed"
    metrics.calls.inc(row.direction, result, cause)
    if row.route in DEFAULT_ROUTES:
        metrics.default_route.inc(row.correlation or "none")
    for part in row.parts:
        if part.rx_packets:
            _count_leg(metrics, part, part.rx_packets)


def _count_leg(metrics: Metrics, part: PartRecord, received: int) -> None:
    lost, jitter = part.rx_lost or 0, (part.jitter_ms or 0.0) / 1000
    round_trip = None if part.rtt_ms is None else part.rtt_ms / 1000
    trunk = str(part.detail.get("trunk", ""))
    metrics.leg_quality(part.role, trunk, lost / (received + lost), jitter, part.mos, round_trip)
