"""Has the far end died without a BYE?  Pure: counters and `now` in, a verdict out.

Silence counts against a leg only while its far end should be sending: not on hold, not after comfort noise (RFC 3389: a
talker that pauses says so and then sends nothing), not while it still reports by RTCP (RFC 3550 section 6.3.5).
"""

from dataclasses import dataclass
from enum import StrEnum

FRAME_OCTETS = 80
"10 ms of G.711 or G.722: every packet of speech is a multiple of it."
EVENT_OCTETS = 4
"A telephone-event packet (RFC 4733)."


class Verdict(StrEnum):
    """What a look at a leg's counters says."""

    ALIVE = "alive"
    "Something came since the last look."
    PAUSED = "paused"
    "Nothing came and nothing should: hold or a talker's pause.  The clock stands still."
    QUIET = "quiet"
    "Nothing came that should have; not for long enough yet."
    DEAD = "dead"
    "Nothing for the whole time-out: end the call."


@dataclass(frozen=True, slots=True)
class Counted:
    """What has come in on a leg so far."""

    packets: int
    "RTP packets of any payload."
    octets: int = 0
    "RTP payload octets; 0 when not known: then a talker's pause cannot be told."
    report_age: float | None = None
    "Seconds since the last RTCP report; None: none has come."


class SilenceWatch:
    """One leg under watch; look as often as you like, once a second or less."""

    __slots__ = ("_before", "_comfort", "_silent", "_then", "timeout")

    def __init__(self, timeout: float, now: float) -> None:
        self.timeout = timeout
        "Seconds of silence that end a call; 0: never."
        self._before = Counted(0)
        self._comfort = False
        self._silent = 0.0
        self._then = now

    def __repr__(self) -> str:
        return f"<silent for {self._silent:.1f} of {self.timeout:g} s{', comfort noise' if self._comfort else ''}>"

    def look(self, now: float, counted: Counted, *, expected: bool) -> Verdict:
        """Judge the leg.  `expected`: by the SDP in force the far end sends to us (false on hold)."""
        passed, self._then = max(0.0, now - self._then), now
        before, self._before = self._before, counted
        if counted.packets < before.packets:
            before = Counted(0)
        packets = counted.packets - before.packets
        if packets:
            self._comfort = comfort_noise(packets, counted.octets - before.octets)
        if packets or (counted.report_age is not None and counted.report_age <= passed):
            self._silent = 0.0
            return Verdict.ALIVE
        if not expected or self._comfort:
            return Verdict.PAUSED
        self._silent += passed
        return Verdict.DEAD if 0 < self.timeout <= self._silent else Verdict.QUIET


def comfort_noise(packets: int, octets: int) -> bool:
    """Whether there was comfort noise among these packets, by what their octets leave over after whole frames.

    A comfort noise packet has 1 to 11 octets.  Keys pressed leave multiples of 4 and are not taken for it.
    """
    return packets > 0 and octets > 0 and octets % FRAME_OCTETS % EVENT_OCTETS != 0
