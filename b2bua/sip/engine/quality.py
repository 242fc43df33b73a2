"""How a leg's sound was, and is: what its line has counted on whichever way the sound went on."""

import pjsua2 as pj

from b2bua.sip.engine.sources import refused
from b2bua.sip.signals import Quality
from media.leg_sound import LegSound


def sound_of(slot: int) -> LegSound | None:
    """The counters of a leg since its line of sound began; None where it has none."""
    counted = pj.tandem_leg_sound(slot)
    return None if counted is None else LegSound(*counted)


def with_stream(slot: int, stream: int, before: Quality | None) -> Quality | None:
    """How the leg was until now that one of its streams ends; `before` where it never started.

    The line counts over all streams of a leg (a re-INVITE begins another one); only the jitter buffer and what the far
    end has told of losses are this stream's.
    """
    counted, sound = pj.tandem_stream(slot, stream), sound_of(slot)
    if counted is None or sound is None:
        return before
    codec, _, _, _, tx_lost, _, _, buffer_ms, *_ = counted
    return Quality(
        codec,
        sound.packets,
        sound.lost,
        sound.sent,
        (before.tx_lost if before is not None else 0) + tx_lost,
        sound.jitter_us / 1000,
        sound.rtt_us / 1000 if sound.rtt_us >= 0 else 0.0,
        float(buffer_ms),
        refused(slot, stream),
    )
