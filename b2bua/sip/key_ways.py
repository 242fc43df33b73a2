"""How a leg's keys travel: as telephone-events (RFC 4733), by INFO, or as tones in the sound.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Wish = Literal["auto", "auto-info", "rfc4733", "info", "inband"]
"What the configuration says: `dtmf` of a trunk or listener."

Way = Literal["rfc4733", "info", "inband", ""]
"How one key goes; empty: not at all."

CARRY_TONES = frozenset({"PCMA", "PCMU", "G722", "OPUS", "L16"})
"Codecs behind which two tones are still two tones; those that model a voice bend them."


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the offer and the answer of a leg came to."""

    codec: str
    "Encoding name as PJSIP has it: PCMA, G722, opus ..."
    clock_rate: int
    "Samples a second that the codec works with."
    payload_type: int
    "Of what we send."
    ptime: int
    "Milliseconds of sound in a packet that we send."
    events: bool
    "Both sides named telephone-event."

    @property
    def carries_tones(self) -> bool:
        return self.codec.upper() in CARRY_TONES


def in_sdp(wish: Wish) -> bool:
    """Whether our descriptions name telephone-event."""
    return wish not in ("info", "inband")


def sent_as(wish: Wish, agreed: Agreed, *, by_info: bool = False) -> Way:
    """How a key goes to the far end; `by_info`: it has sent keys by INFO itself."""
    if wish == "info" or wish == "inband":
        return wish
    if agreed.events:
        return "rfc4733"
    if wish == "rfc4733":
        return ""
    return "info" if wish == "auto-info" or by_info or not agreed.carries_tones else "inband"


def heard_as_tones(wish: Wish, agreed: Agreed, *, by_info: bool = False) -> bool:
    """Whether tones in its sound are keys: there is no other way in which it could send them."""
    return wish == "inband" or (wish == "auto" and not agreed.events and not by_info and agreed.carries_tones)
