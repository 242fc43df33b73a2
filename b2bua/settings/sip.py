"""The SIP side of a node: the addresses we listen on, and the trunks that may call in."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from routing.correlation import Pick, Source, TrunkProfile
from routing.digits import Dialling, DigitPlan
from routing.number_rules import Region

from .sound import Keying, ListenerSound, TrunkSound, Wish
from .trunks import TrunkWays
from .values import (
    Address,
    Digits,
    FilePath,
    Host,
    HostPort,
    Networks,
    Places,
    Port,
    is_network,
    items,
    no_repeats,
    whole,
)

Transport = Literal["udp", "tcp", "tls"]
Side = Literal["inside", "outside"]
SourceName = Literal["diversion", "history-info", "isup-called", "isup-redirecting"]
Sources = Annotated[list[SourceName], BeforeValidator(items), AfterValidator(no_repeats), Field(min_length=1)]


class Listener(ListenerSound):
    """A signalling address of ours: trunks call in on an outside one, agents' phones are reached from an inside one."""

    side: Side
    "`outside` faces trunks, `inside` faces agents' phones."
    transport: Transport = "udp"
    "Transport protocol of SIP on this address."
    address: Address
    "IP address the socket is bound to."
    port: Port = 5060
    "Port the socket is bound to."
    advertised_address: Host | None = None
    "Host that peers are told in Contact and Via, where it differs from `address` (address translation in front of us)."
    advertised_port: Port | None = None
    "Port that peers are told, where it differs from `port`."
    media_address: Address | None = None
    "IP address RTP sockets are bound to; without it, `address`."
    advertised_media_address: Address | None = None
    "IP address that peers are told in SDP, where it differs from the media address."
    dscp: Annotated[int, Field(ge=0, le=63)] = 0
    "Mark of its signalling packets for the network (RFC 2474), such as 24 (CS3) or 26 (AF31); 0: none."
    local_networks: Networks = Field(default=[])
    "Networks whose peers reach us without address translation: they are told the bound addresses."
    tls_certificate: FilePath | None = None
    "PEM file with our certificate chain (transport tls)."
    tls_key: FilePath | None = None
    "PEM file with the certificate's private key, not encrypted (transport tls)."
    tls_ca: FilePath | None = None
    "PEM file with the certificate authorities that peers' certificates are checked against."
    tls_verify_client: bool = False
    "Refuse peers that show no certificate signed by `tls_ca`."
    delayed_offer: bool = False
    "Ring phones behind this listener without an SDP offer; they make theirs in the answer (RFC 3264 section 4)."

    def unread(self, keys: Sequence[Keying]) -> tuple[Keying, ...]:
        """Those of these ways to agree on SRTP keys that nobody on the way can read along with (RFC 4568 section 7)."""
        closed = self.transport == "tls" or self.srtp_plain_signalling
        return tuple(key for key in keys if closed or key != "sdes")


class Trunk(TrunkWays, TrunkSound):
    """A carrier's connection: where its calls come from, and how the original called number in them is written."""

    listener: str
    "Name of the outside listener its calls come in on."
    addresses: Places = Field(min_length=1)
    "Addresses, networks and host names its signalling comes from; anybody else is a stranger."
    target: HostPort | None = None
    """host or host:port that our calls over this trunk are sent to (a name without a port: its SRV records, RFC 3263);
    without it the trunk only takes calls in."""
    sources: Sources = Field(default=["diversion", "history-info", "isup-called", "isup-redirecting"])
    "Where the original called number is looked for, in this order."
    diversion_pick: Literal["oldest", "newest", "first"] = "oldest"
    "Which Diversion entry holds it: the `oldest`, the `newest`, or the `first` that splits."
    prefix: Digits = ""
    "Digits in front of the access ID, the same on every call of this trunk."
    access_id_width: Annotated[int, Field(ge=1, le=12)] | None = None
    "Digits of an access ID; without it access IDs may differ in length (none may begin another)."
    sequence_width: Annotated[int, Field(ge=1, le=14)] = 8
    "Digits of a sequence number."
    check_digit: Literal["none", "luhn"] = "none"
    "Check digit behind the sequence number."
    max_digits: Annotated[Literal[15, 16], BeforeValidator(whole)] = 15
    "Longest number the trunk carries (E.164: 15)."
    international_prefix: Digits = "00"
    "What is dialled before a country code; it is taken off with the country code."
    country_code: Digits = ""
    "Country code that numbers in international form begin with; it is taken off before they are split."
    national_prefix: Digits = ""
    "Trunk prefix (often 0) that national numbers begin with; it is taken off before they are split."
    rel100: Wish = "optional"
    "Reliable provisional responses (RFC 3262)."
    session_timer: Wish = "optional"
    "Session timers (RFC 4028), for each leg on its own."
    session_expires: Annotated[int, Field(ge=90, le=86400)] = 1800
    "Session-Expires that we propose, seconds."
    min_se: Annotated[int, Field(ge=90, le=86400)] = 90
    "Shortest Session-Expires that we accept, seconds."
    trust_asserted: bool = False
    "Believe P-Asserted-Identity from this trunk (RFC 3325: a peer inside our trust domain)."
    command_header: bool = False
    "Tell this trunk the id of a campaign's command, as X-Tandem-Command-ID of the INVITE."
    transfers: bool = False
    "Take a REFER from this trunk: it may send the other party of its calls elsewhere, to what `transfers` allows."

    @property
    def networks(self) -> list[str]:
        """The addresses that are known without asking a name server."""
        return [place for place in self.addresses if is_network(place)]

    @property
    def hosts(self) -> list[str]:
        """The names among the addresses."""
        return [place for place in self.addresses if not is_network(place)]

    @property
    def region(self) -> Region:
        """How numbers are dialled there."""
        return Region(self.country_code, self.national_prefix, self.international_prefix)

    @property
    def plan(self) -> DigitPlan:
        """How its tenants compose the original called number."""
        return DigitPlan(self.prefix, self.access_id_width, self.sequence_width, self.check_digit, self.max_digits)

    def profile(self, name: str) -> TrunkProfile:
        """What the correlation needs to know of this trunk, as a value of `routing`."""
        return TrunkProfile(
            name=name,
            sources=tuple(map(Source, self.sources)),
            diversion_pick=Pick(self.diversion_pick),
            plan=self.plan,
            dialling=Dialling(self.country_code, self.national_prefix, self.international_prefix),
            trust_asserted=self.trust_asserted,
        )
