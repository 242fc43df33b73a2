"""What goes into and comes out of the SIP engine, as values."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from b2bua.sip.message import Message

if TYPE_CHECKING:
    from b2bua.sip.engine.sipleg import SipLeg

Use = Literal["off", "optional", "required"]
Keying = Literal["sdes", "dtls"]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LegProfile:
    """How the dialogs of one kind of peer behave; one pjsua account serves each profile on a listener."""

    rel100: Use = "optional"
    "RFC 3262."
    session_timer: Use = "optional"
    "RFC 4028."
    session_expires: int = 1800
    "Seconds."
    min_se: int = 90
    "Seconds."
    srtp: Use = "off"
    srtp_keys: tuple[Keying, ...] = ("sdes",)
    "How SRTP keys are agreed on, best first: sdes, dtls."


@dataclass(frozen=True, slots=True)
class Arriving:
    """An INVITE that opened a leg; its 100 went out, nothing else."""

    leg: "SipLeg"
    message: Message
    listener: str
    trunk: str | None
    "None: the source is no trunk of ours."
    source: str
    "Address the packet came from, without the port."
    phone: str = ""
    "The extension whose password its sender has shown; empty: nobody's."
    emergency: bool = False
    "A phone has dialled an emergency number."


@dataclass(frozen=True, slots=True)
class Refusal:
    """An INVITE that the stack answered itself, before a leg stood (SDP that we cannot use, for one)."""

    message: Message
    listener: str
    trunk: str | None
    source: str
    code: int = 0
    "What the stack answered, 0 where that is not known."


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A leg to open."""

    target: str
    "Request-URI, with an IP address as host: nothing is looked up on the SIP thread."
    listener: str
    from_uri: str
    "The From header: a name-addr, display name included."
    to: str = ""
    "The To header where it is not the Request-URI."
    headers: Headers = ()
    profile: LegProfile = field(default_factory=LegProfile)
    offer: bool = True
    "False: INVITE without SDP (delayed offer); the far end's offer is answered in the ACK."
    trunk: str = ""
    "Whose leg it is, where it is a trunk's: it counts there, and may show its credentials."
    destination: str = ""
    "host:port that the INVITE is sent to, of a trunk; then the Request-URI may have a name as its host."
