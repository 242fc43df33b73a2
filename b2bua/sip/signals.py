"""What a leg tells its call: small values, made in a native callback and read by the call's own task."""

from dataclasses import dataclass

from b2bua.sip.refer import Referral
from media.leg_sound import LegSound


@dataclass(frozen=True, slots=True)
class Progress:
    """An 18x arrived (UAC legs only)."""

    leg: int
    code: int
    early_media: bool
    "The response carried SDP: there is sound to hear before the answer."


@dataclass(frozen=True, slots=True)
class Answered:
    """2xx and ACK have passed: the dialog is confirmed."""

    leg: int


@dataclass(frozen=True, slots=True)
class Sound:
    """The leg's media started, changed or went away."""

    leg: int
    handle: object | None
    "Opaque to everybody but `media`; None: no sound now."
    held: bool = False
    "The far end put us on hold (sendonly, inactive or c=0.0.0.0)."


@dataclass(frozen=True, slots=True)
class Dtmf:
    """One key, once, however it came."""

    leg: int
    digit: str
    method: str
    "rfc4733 | info | inband"
    duration: int = 0
    "Milliseconds, 0 when not known."


@dataclass(frozen=True, slots=True)
class Info:
    """An INFO that is not DTMF; answered 200 already."""

    leg: int
    message: bytes
    "The whole request, byte-exact."


@dataclass(frozen=True, slots=True)
class Refer:
    """The far end asks us to send whoever it talks to elsewhere; answered 202 already."""

    leg: int
    referral: Referral


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing of the leg is left.  The last signal of every leg."""

    leg: int
    code: int
    "The final status: of the INVITE when it failed, 200 for a BYE."
    by_peer: bool
    reason: str = ""
    "The far end's Reason header (RFC 3326), as it wrote it."
    quality: "Quality | None" = None
    local: bool = False
    "The stack ended it: nothing came in time, the transport failed (RFC 3261 8.1.3.1), or the answer was of no use."
    retry_after: int | None = None
    "Seconds that the far end asks to be left alone, with 500 or 503."


@dataclass(frozen=True, slots=True)
class Quality:
    """What was counted over the leg's life."""

    codec: str
    "That of its last stream, as in SDP."
    sound: LegSound
    packet_ms: float
    "Sound in one packet."
    buffer_ms: float
    "Mean delay of our jitter buffer over all packets; one that is relayed passes none."
    refused: tuple[tuple[str, int], ...] = ()
    "Packets that were not from its far end, by reason; never heard."


Signal = Progress | Answered | Sound | Dtmf | Info | Refer | Closed
