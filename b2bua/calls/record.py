"""The call detail record in the making: one row for the call, one part for each leg.

Times are wall-clock seconds, but each is the start plus a monotonic difference: a clock that jumps never makes a
duration negative.
"""

from b2bua.calls.parties import Role
from b2bua.sip.signals import Quality
from b2bua.storage.calls import CallRecord, PartRecord
from media.quality import mos

LONGEST_REASON = 128
"Characters kept of a far end's Reason header."
MOST_PARTS = 100
"Phones that rang in vain are not written down beyond these: a caller who waits for hours is offered to hundreds."


class Record:
    """A `CallRecord` that is being filled in; `now` is the loop's clock in every method."""

    def __init__(self, id: str, node: str, direction: str, wall: float, now: float) -> None:
        self.row = CallRecord(id=id, node=node, direction=direction, started_at=wall)
        self.parts: dict[int, PartRecord] = {}
        self._start = now
        self._answered: float | None = None
        self.over = False

    def at(self, now: float) -> float:
        """A moment of the loop's clock as wall-clock seconds."""
        return round(self.row.started_at + now - self._start, 6)

    def since_start(self, now: float) -> float:
        """Seconds since the INVITE."""
        return now - self._start

    def add(self, leg: int, role: Role, party: str, sip_call_id: str, now: float) -> None:
        part = PartRecord(len(self.parts), str(role), self.at(now), party, sip_call_id)
        self.parts[leg] = part
        self.row.parts.append(part)

    def rang(self, now: float) -> bool:
        """The first time the called side rang; False on every later one."""
        if self.row.ringing_at is not None:
            return False
        self.row.ringing_at = self.at(now)
        return True

    def answered(self, now: float) -> None:
        self._answered = now
        self.row.answered_at = self.at(now)

    def end(self, now: float, cause: str, code: int, by: str) -> None:
        """The first end counts; what the clean-up does afterwards changes nothing."""
        if self.over:
            return
        self.over = True
        row = self.row
        row.ended_at, row.cause, row.sip_code, row.ended_by = self.at(now), cause, code, by
        row.duration = round(now - self._start, 3)
        row.talk = 0.0 if self._answered is None else round(now - self._answered, 3)

    def part_ended(self, leg: int, code: int, reason: str, quality: Quality | None, now: float) -> None:
        """A leg is gone; `reason` is the far end's Reason header."""
        part = self.parts[leg]
        if part.answered_at is None and part.n >= MOST_PARTS and part in self.row.parts:
            self.row.parts.remove(part)
        part.ended_at, part.sip_code = self.at(now), code
        part.cause = reason[:LONGEST_REASON] or None
        if quality is None:
            return
        part.codec, part.rx_packets, part.rx_lost = quality.codec, quality.rx_packets, quality.rx_lost
        part.jitter_ms, part.rtt_ms = round(quality.jitter_ms, 2), round(quality.rtt_ms, 2)
        part.mos = leg_mos(quality)
        part.detail = {"tx_packets": quality.tx_packets, "tx_lost": quality.tx_lost, "buffer_ms": quality.buffer_ms}
        if quality.refused:
            part.detail["refused"] = dict(quality.refused)


def leg_mos(quality: Quality) -> float | None:
    """How the far end's sound reached us (ITU-T G.107); None where no sound came."""
    if not quality.rx_packets:
        return None
    loss = quality.rx_lost / (quality.rx_packets + quality.rx_lost)
    return round(mos(quality.rtt_ms / 2 + quality.buffer_ms + 20, loss), 2)
