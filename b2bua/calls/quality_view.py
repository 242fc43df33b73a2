"""How a leg of a live call sounds, for the API and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from b2bua.storage.calls import PartRecord
    from media.leg_alarm import Trouble
    from media.leg_sound import Figures, LegSound, Line


@dataclass(frozen=True, slots=True)
class LegSoundView:
    """The last five to ten seconds of a leg; times in milliseconds, shares from 0 to 1."""

    part: int
    "Its number in the call's record."
    role: str
    party: str | None
    trunk: str | None
    codec: str
    relayed: bool
    received: int
    "Packets."
    loss: float
    burst: float
    jitter_ms: float
    rtt_ms: float | None
    mos: float | None
    told_loss: float | None
    "What the far end has told to have lost of ours."
    alarm: str
    "good, one-way, unheard or dead."


def view_of_leg(part: PartRecord, trouble: Trouble, sound: LegSound, line: Line, made: Figures) -> LegSoundView:
    """How it is now."""
    return LegSoundView(
        part=part.n,
        role=part.role,
        party=part.party,
        trunk=part.detail.get("trunk"),
        codec=line.codec,
        relayed=bool(sound.relayed),
        received=made.received,
        loss=round(made.loss, 4),
        burst=round(made.burst, 2),
        jitter_ms=round(made.jitter_ms, 2),
        rtt_ms=None if made.rtt_ms is None else round(made.rtt_ms, 2),
        mos=None if made.mos is None else round(made.mos, 2),
        told_loss=None if sound.told_loss < 0 else round(sound.told_loss / 256, 3),
        alarm=trouble.value,
    )


def sounded(part: PartRecord) -> dict[str, Any]:
    """How a leg of a call that is over has sounded, for `call.ended`."""
    received, lost = part.rx_packets or 0, part.rx_lost or 0
    return {
        "part": part.n,
        "role": part.role,
        "trunk": part.detail.get("trunk"),
        "codec": part.codec,
        "received": received,
        "lost": lost,
        "loss": round(lost / max(1, received + lost), 4),
        "burst": part.detail.get("burst_ratio"),
        "jitter_ms": part.jitter_ms,
        "rtt_ms": part.rtt_ms,
        "mos": part.mos,
        "alarms": part.detail.get("alarms", []),
    }
