"""Whose sound is heard, and whether it is encrypted: the part that listeners and trunks have in common."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from .values import Codecs, Networks, Section, items, no_repeats

Wish = Literal["off", "optional", "required"]
Keying = Literal["sdes", "dtls"]
KeyWay = Literal["auto", "auto-info", "rfc4733", "info", "inband"]
Keyings = Annotated[list[Keying], BeforeValidator(items), AfterValidator(no_repeats), Field(min_length=1)]


class ListenerSound(Section):
    """Sound of whoever is reached over a listener; for trunks, where the trunk does not say otherwise."""

    srtp: Wish = "off"
    "Encrypted media: `optional` offers and takes it, `required` refuses calls without it."
    srtp_keys: Keyings = Field(default=["sdes"])
    "How keys are agreed on, best first: `sdes` (in the SDP, RFC 4568), `dtls` (RFC 5764)."
    srtp_plain_signalling: bool = False
    "Allow keys in an SDP that is sent unencrypted (`sdes` on transport udp or tcp): whoever sees it can listen in."
    media_networks: Networks = Field(default=[])
    "Networks that phones' sound may come from, beside the address in their SDP and that of their signalling."
    media_strict: bool = False
    "Hear phones only from the port in their SDP. Not for phones behind address translation."
    codecs: Codecs | None = None
    "Codecs of whoever is reached over it, best first; without it, those of `media`."
    dtmf: KeyWay = "auto"
    """How keys are sent and taken: as telephone-events (`rfc4733`), INFO, tones (`inband`), or by what the SDP says:
    telephone-events, else tones (`auto`) or INFO (`auto-info`) (docs/codecs.md)."""


class TrunkSound(Section):
    """Sound of one trunk."""

    srtp: Wish | None = None
    "Encrypted media on this trunk; without it, as its listener."
    srtp_keys: Keyings | None = None
    "How keys are agreed on, best first; without it, as its listener."
    media_networks: Networks = Field(default=[])
    "Networks that its sound may come from, beside the address in its SDP."
    media_strict: bool = False
    "Hear it only from the port in its SDP, and in another stream (SSRC) only after another SDP."
    media_return: Literal["source", "sdp"] = "source"
    "Where our sound goes when its own comes from `media_networks`: back to that `source`, or where the SDP says."
    codecs: Codecs | None = None
    "Codecs of this trunk, best first; without it, those of its listener."
    dtmf: KeyWay | None = None
    "How keys are sent and taken; without it, as its listener."
