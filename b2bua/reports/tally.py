"""What is counted, and what follows from the counts. Pure; the counts lie in the table under the same names."""

from __future__ import annotations

from collections.abc import Mapping

from b2bua.storage.tables import REPORT_COUNTS

Counts = dict[str, float]
"Name of a count -> how much; what is 0 may be left out."

BUSY = ("talking", "wrap_up", "ringing")
"Seconds of an agent in which he works on calls."
STAFFED = (*BUSY, "reserved", "available")
"Seconds in which he could have."

SECONDS = frozenset(
    {"wait", "wait_answered", "wait_abandoned", "wait_longest", "talk", "call_talk"}
    | {"available", "reserved", "ringing", "talking", "wrap_up", "paused", "unreachable"}
)
"Counts that are seconds; the others are numbers of calls or of deeds."

RATIOS = (
    "service_level",
    "service_level_answered",
    "abandoned_share",
    "mean_wait_answered",
    "mean_wait_abandoned",
    "mean_talk",
    "occupancy",
)
"What follows from the counts, in the order of the CSV."


def add(into: Counts, more: Mapping[str, float]) -> None:
    """Add counts up; the longest wait is the longest of both."""
    for name, value in more.items():
        if name == "wait_longest":
            into[name] = max(into.get(name, 0.0), value)
        else:
            into[name] = into.get(name, 0.0) + value


def complete(counts: Mapping[str, float]) -> dict[str, float | int]:
    """Every count by name, whole numbers where things are counted and seconds to the millisecond."""
    return {
        name: round(counts.get(name, 0.0), 3) if name in SECONDS else round(counts.get(name, 0.0))
        for name in REPORT_COUNTS
    }


def ratios(counts: Mapping[str, float]) -> dict[str, float | None]:
    """The figures people ask for; None where there was nothing to measure.

    The two usual service levels: in time of all who wanted to be served (short abandons, and callers who were moved
    or asked to be called back, are nobody's failure and left out), and in time of those who were served.
    """
    c = {name: counts.get(name, 0.0) for name in REPORT_COUNTS}
    wanted = c["answered"] + c["abandoned"] + c["overflowed"] + c["timed_out"]
    return {
        "service_level": _of(c["in_time"], wanted),
        "service_level_answered": _of(c["in_time"], c["answered"]),
        "abandoned_share": _of(c["abandoned"], wanted),
        "mean_wait_answered": _of(c["wait_answered"], c["answered"]),
        "mean_wait_abandoned": _of(c["wait_abandoned"], c["abandoned"] + c["short_abandoned"]),
        "mean_talk": _of(c["talk"], c["handled"]),
        "occupancy": _of(sum(c[name] for name in BUSY), sum(c[name] for name in STAFFED)),
    }


def _of(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None
