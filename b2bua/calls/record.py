"""The call detail record in the making: one row for the call, one part for each leg.

Times are wall-clock seconds, but each is the start plus a monotonic difference: a clock that jumps never makes a
duration negative.
"""

from b2bua.calls.parties import Role
from b2bua.sip.signals import Quality
from b2bua.storage.calls import CallRecord, PartRecord
from media.leg_sound import NOTHING, Line, figures
from routing.address import printable

LONGEST_REASON = 128
"Characters kept of a far end's Reason header."
LONGEST_CALL_ID = 256
"Characters kept of a Call-ID; the gate lets no longer one in."
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

    def add(self, leg: int, role: Role, party: str, sip_call_id: str, now: float, trunk: str = "") -> None:
        """`trunk`: whose the leg is; empty: it is none of a trunk's."""
        part = PartRecord(len(self.parts), str(role), self.at(now), party, kept_call_id(sip_call_id))
        if trunk:
            part.detail["trunk"] = trunk
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
        part.cause = printable(reason, LONGEST_REASON) or None
        if quality is None:
            return
        write_sound(part, quality)


def kept_call_id(call_id: str) -> str:
    """A Call-ID fit for a record: a far end may put octets into it that no database takes."""
    return printable(call_id, LONGEST_CALL_ID)


def write_sound(part: PartRecord, quality: Quality) -> None:
    """How it sounded, in the part's columns and, what has none, in its detail (docs/quality.md)."""
    sound, line = quality.sound, Line(quality.codec, quality.packet_ms, quality.buffer_ms)
    made = figures(sound._replace(relayed=0), NOTHING, line)  # the buffer's mean is over what was relayed as well
    part.codec, part.rx_packets, part.rx_lost = quality.codec or None, made.received, made.lost
    part.jitter_ms, part.rtt_ms = round(made.jitter_ms, 2), None if made.rtt_ms is None else round(made.rtt_ms, 2)
    part.mos = None if made.mos is None else round(made.mos, 2)
    part.detail |= {
        "tx_packets": sound.sent,
        "burst_lost": sound.lost_in_runs,
        "burst_ratio": round(made.burst, 2),
        "out_of_order": sound.disordered,
        "duplicates": sound.duplicates,
        "buffer_ms": round(quality.buffer_ms, 1),
        "packet_ms": quality.packet_ms,
    }
    if sound.unsent:
        part.detail["tx_unsent"] = sound.unsent
    if sound.told_loss >= 0:
        part.detail["tx_lost_ratio"] = round(sound.told_loss / 256, 3)
    if quality.refused:
        part.detail["refused"] = dict(quality.refused)
