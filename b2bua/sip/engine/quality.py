"""How a leg's sound is and was, as PJSIP and our own part of it count it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pjsua2 as pj

from b2bua.sip.engine.sources import refused
from b2bua.sip.signals import Quality
from media.leg_sound import PACKET_MS, LegSound, Line

if TYPE_CHECKING:
    from b2bua.sip.engine.sipleg import SipLeg

UNKNOWN = Line("")
"A leg without a stream at the moment."


def sound_of(slot: int) -> LegSound | None:
    """The counters of a leg's line, by its native id; None where it has none (any more)."""
    counted = pj.tandem_leg_sound(slot)
    return None if counted is None else LegSound._make(counted)


def line_of(leg: SipLeg) -> Line:
    """What was agreed for it."""
    return _line(leg.native_id())[0]


def strangers(leg: SipLeg) -> dict[str, int]:
    """Packets that came to it and were not its far end's, by reason."""
    return dict(refused(leg.native_id(), 0))


def with_stream(slot: int, stream: int, before: Quality | None) -> Quality | None:
    """The leg's counters in the last moment of a stream, which may be followed by another one; `before` where it has
    none."""
    sound, (line, mixed) = sound_of(slot), _line(slot)
    if sound is None:
        return before
    if not line.codec and before is not None:
        line = replace(line, codec=before.codec, packet_ms=before.packet_ms)
    if not sound.packets and not sound.sent:
        return before
    # what went up to the stream passed our buffer, the rest was relayed and did not
    share = min(1.0, mixed / sound.packets) if sound.packets else 1.0
    return Quality(
        codec=line.codec,
        sound=sound,
        packet_ms=line.packet_ms,
        buffer_ms=line.buffer_ms * share,
        refused=refused(slot, stream),  # of the whole leg: its sockets stay
    )


def _line(slot: int) -> tuple[Line, int]:
    """And how many packets have come to its stream."""
    agreed = pj.tandem_line(slot)
    if agreed is None:
        return UNKNOWN, 0
    codec, packet_ms, buffer_ms, packets, receives, pauses = agreed
    return Line(codec, float(packet_ms or PACKET_MS), float(buffer_ms), bool(receives), bool(pauses)), packets
