"""One trunk while the server runs: its addresses and whether they answer, what it carries, how it writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from b2bua.sip.arrival import arrival_of, user_of
from routing.caller_id import CallerPolicy, wants_privacy
from routing.circuit import Circuit
from routing.header_profile import HeaderProfile
from routing.number_rules import NumberPlan
from routing.trunk_groups import Draw, Member, in_order
from routing.trunk_limits import Limits, Load

if TYPE_CHECKING:
    from b2bua.settings.sip import Trunk
    from b2bua.sip.message import Message
    from routing.arrival import Arrival


@dataclass(frozen=True, slots=True)
class Way:
    """One address of one trunk, for one call."""

    trunk: str
    destination: str
    "host:port as it stands in a URI; the host is an address."


@dataclass(slots=True)
class Far:
    """One address that calls over a trunk are sent to."""

    destination: str
    member: Member
    "Its place among the addresses (RFC 2782)."
    circuit: Circuit = field(default_factory=Circuit)
    blocked_until: float = 0.0
    "Monotonic seconds: it has asked to be left alone (Retry-After)."


@dataclass(slots=True)
class Registration:
    """Our registration at the carrier."""

    code: int = 0
    "Status of the last answer; 0: none yet."
    until: float = 0.0
    "Epoch seconds; 0: we are not registered."
    why: str = ""


@dataclass(slots=True)
class Line:
    """A trunk of the settings, and its state."""

    name: str
    settings: Trunk
    numbers: NumberPlan
    policy: CallerPolicy
    headers_in: HeaderProfile
    headers_out: HeaderProfile
    limits: Limits
    load: Load = field(default_factory=Load)
    fars: dict[str, Far] = field(default_factory=dict)
    "By destination; empty where the trunk has no target, or nobody knows its address yet."
    sources: tuple[str, ...] = ()
    "Addresses of the names among its `addresses`."
    maintenance: bool = False
    registration: Registration = field(default_factory=Registration)
    out: bool = False
    "All its addresses are out, and everybody was told so."

    def __repr__(self) -> str:
        load = self.load
        return f"<trunk {self.name}{' out' if self.out else ''}, {load.calls_in} in, {load.calls_out} out>"

    @classmethod
    def of(cls, name: str, trunk: Trunk) -> Line:
        """A trunk that nothing is known of yet."""
        return cls(
            name,
            trunk,
            trunk.rules(trunk.region),
            replace(trunk.caller_policy, trusted=trunk.trust_asserted),
            trunk.incoming_headers,
            trunk.outgoing_headers,
            Limits(
                trunk.max_calls,
                trunk.max_calls_in,
                trunk.max_calls_out,
                trunk.cps_in,
                trunk.cps_out,
                trunk.minutes_per_day,
            ),
        )

    def adopt(self, other: Line) -> None:
        """The state of this trunk goes on under other settings."""
        other.load, other.maintenance, other.sources = self.load, self.maintenance, self.sources
        if other.settings.target == self.settings.target:
            other.fars, other.out = self.fars, self.out
        if other.settings.user == self.settings.user and other.settings.domain == self.settings.domain:
            other.registration = self.registration

    def lead_to(self, found: Iterable[Member]) -> None:
        """Its addresses are these now; what is known of those that stay is kept."""
        self.fars = {
            member.name: replace(self.fars[member.name], member=member)
            if member.name in self.fars
            else Far(member.name, member)
            for member in found
        }

    def destinations(self, draw: Draw) -> list[Far]:
        """Its addresses, the one to be tried first in front."""
        if len(self.fars) == 1:
            return list(self.fars.values())
        return [self.fars[name] for name in in_order((far.member for far in self.fars.values()), draw)]

    @property
    def usable(self) -> bool:
        """Some address of its takes calls, as far as we know."""
        return any(far.circuit.usable for far in self.fars.values())

    @property
    def state(self) -> str:
        """In one word: the best of its addresses."""
        if not self.settings.target:
            return "inbound"
        if not self.fars:
            return "no-address"
        states = {far.circuit.state for far in self.fars.values()}
        return next(str(state) for state in ("up", "unknown", "warning", "out") if state in states)

    # -- its calls

    def arrival(self, message: Message) -> Arrival:
        """An INVITE of its as values, numbers in our way of writing.  Never raises."""
        found = arrival_of(message, self.name)
        called, asserted = found.called, found.asserted
        if self.settings.called_header == "to":
            to = message.address("to")
            called = (user_of(to.uri) if to is not None else "") or called
        if asserted is None and self.settings.remote_party_id:
            party = message.address("remote-party-id")
            asserted = (user_of(party.uri) if party is not None else "") or None
        numbers = self.numbers
        return replace(
            found,
            called=numbers.called_in.apply(called),
            caller=numbers.caller_in.apply(found.caller),
            asserted=None if asserted is None else numbers.caller_in.apply(asserted),
        )

    def wants_privacy(self, message: Message) -> bool:
        """Whether its caller does not want to be shown."""
        if wants_privacy(message.all("privacy")):
            return True
        party = message.address("remote-party-id") if self.settings.remote_party_id else None
        return party is not None and wants_privacy([party.parameters().get("privacy", "off")])
