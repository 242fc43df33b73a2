"""Who there is: tenants, access numbers, agents and routes as one immutable snapshot with the look-ups a call makes."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from routing.digits import BadNumber, Dialling, Nature, identities, lookup_forms, read_number
from routing.goal import GOAL_KINDS


class Correlation(StrEnum):
    """What an access number expects of its calls (R1-05)."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a customer system (R1-06, R1-07)."""

    kind: Literal["json", "xmlrpc"]
    url: str
    mode: Literal["push", "pull", "both"] = "pull"
    timeout_ms: int = 500
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer system and the marks of its calls."""

    id: str
    name: str
    access_id: str
    trunks: frozenset[str]
    "The trunks its numbers may arrive on."
    billing_numbers: frozenset[str]
    "The numbers its system calls under; tenants may share one."
    token_ttl: float = 300.0
    "Seconds."
    connection: Connection | None = None
    default_extension: str | None = None
    enabled: bool = True
    record: bool = False
    "Its calls are recorded."
    keep_recordings: int | None = None
    "Days; 0: for ever, None: as the node keeps them."


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Where an access number leads."""

    kind: str
    target: str


ENTRY_KINDS = GOAL_KINDS
"Entry points that exist."


@dataclass(frozen=True, slots=True)
class AccessNumber:
    """A called number, or a range of numbers of one length, both ends included."""

    first: str
    last: str
    correlation: Correlation = Correlation.REQUIRED
    default_tenant: str | None = None
    entry: EntryPoint | None = None
    default_route: str | None = None
    trunks: frozenset[str] = frozenset()
    "Empty: any trunk."

    @property
    def label(self) -> str:
        return self.first if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is kept of the password of an agent's phone: a hash for each digest algorithm (RFC 8760)."""

    realm: str
    "The one it was made for; with another realm the password has to be set again."
    md5: str = field(default="", repr=False)
    sha256: str = field(default="", repr=False)

    def of(self, algorithm: str) -> str:
        """The hash for an algorithm, empty where there is none."""
        return {"MD5": self.md5, "SHA-256": self.sha256}.get(algorithm, "")


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who takes calls: at a fixed contact, or where his phone has registered."""

    extension: str
    name: str
    contact: str
    "SIP URI; empty: where his phone has registered."
    listener: str
    "Name of our inside listener that reaches the contact."
    enabled: bool = True
    credentials: Credentials | None = None
    "None: his phone cannot register, and shows nothing when it calls."
    srtp: Literal["off", "optional", "required"] | None = None
    "Encrypted sound of his phone, both ways; None: as its listener."
    srtp_keys: tuple[Literal["sdes", "dtls"], ...] = ()
    "How its keys are agreed on, best first; none: as its listener."


@dataclass(frozen=True, slots=True)
class Route:
    """A named destination for calls that no token directs."""

    name: str
    extension: str


class _Ranges:
    """The rows of one length: the range that holds a number is the last one that begins at or before it."""

    def __init__(self, rows: list[AccessNumber]) -> None:
        self._rows = sorted(rows, key=lambda row: row.first)
        self._firsts = [row.first for row in self._rows]

    def find(self, digits: str) -> AccessNumber | None:
        at = bisect_right(self._firsts, digits) - 1
        return self._rows[at] if at >= 0 and digits <= self._rows[at].last else None


class Directory:
    """One consistent view; a change makes a new one.  `routing.conflicts` says what would be wrong with it."""

    def __init__(
        self,
        tenants: Iterable[Tenant] = (),
        access_numbers: Iterable[AccessNumber] = (),
        agents: Iterable[Agent] = (),
        routes: Iterable[Route] = (),
    ) -> None:
        self.tenants = {tenant.id: tenant for tenant in tenants}
        self.access_numbers = tuple(access_numbers)
        self.agents = {agent.extension: agent for agent in agents}
        self.routes = {route.name: route for route in routes}
        self._by_access_id = {tenant.access_id: tenant for tenant in self.tenants.values()}
        self._id_widths = sorted({len(access_id) for access_id in self._by_access_id})
        self._singles: dict[tuple[str, str], AccessNumber] = {}
        self._ranges: dict[tuple[str, int], _Ranges] = {}
        self._billing: dict[tuple[str, Dialling], frozenset[str]] = {}
        self._index(self.access_numbers)

    def __repr__(self) -> str:
        return (
            f"<Directory {len(self.tenants)} tenants, {len(self.access_numbers)} access numbers, "
            f"{len(self.agents)} agents, {len(self.routes)} routes>"
        )

    def tenant_of(self, access_id: str) -> Tenant | None:
        return self._by_access_id.get(access_id)

    def access_ids_beginning(self, digits: str) -> list[str]:
        """The access IDs that `digits` begin with, shortest first; one at most where no ID begins another."""
        return [digits[:width] for width in self._id_widths if digits[:width] in self._by_access_id]

    def access_number(self, trunk: str, digits: str, nature: Nature, dialling: Dialling) -> AccessNumber | None:
        """The row for a called number on a trunk.  The number as written comes first, then its other forms."""
        found = self._access_number(trunk, digits)
        if found is not None:
            return found
        for form in lookup_forms(digits, nature, dialling):
            if form != digits and (found := self._access_number(trunk, form)) is not None:
                return found
        return None

    def bills(self, tenant: Tenant, caller: str, dialling: Dialling) -> bool:
        """Whether `caller`, as the trunk wrote it, is a billing number of the tenant.  Without any, nobody is."""
        try:
            digits, nature = read_number(caller)
        except BadNumber:
            return False
        known = self._billing.get((tenant.id, dialling))
        if known is None:
            known = self._billing[tenant.id, dialling] = frozenset(_billing_identities(tenant, dialling))
        return not known.isdisjoint(identities(digits, nature, dialling))

    def agent(self, extension: str | None) -> Agent | None:
        """The agent at `extension` who can be called."""
        found = self.agents.get(extension) if extension else None
        return found if found is not None and found.enabled else None

    def credentials(self, extension: str) -> Credentials | None:
        """What the phone of an agent who can be called has to know."""
        found = self.agent(extension)
        return found.credentials if found is not None else None

    def _access_number(self, trunk: str, digits: str) -> AccessNumber | None:
        # Rows that name the trunk come before rows for any trunk.
        for where in (trunk, ""):
            found = self._singles.get((where, digits))
            if found is not None:
                return found
            ranges = self._ranges.get((where, len(digits)))
            if ranges is not None and (found := ranges.find(digits)) is not None:
                return found
        return None

    def _index(self, rows: Iterable[AccessNumber]) -> None:
        ranges: dict[tuple[str, int], list[AccessNumber]] = {}
        for row in rows:
            for trunk in row.trunks or ("",):
                if row.first == row.last:
                    self._singles[trunk, row.first] = row
                elif len(row.first) == len(row.last):
                    ranges.setdefault((trunk, len(row.first)), []).append(row)
        self._ranges = {key: _Ranges(found) for key, found in ranges.items()}


def _billing_identities(tenant: Tenant, dialling: Dialling) -> Iterable[str]:
    for number in tenant.billing_numbers:
        try:
            digits, nature = read_number(number)
        except BadNumber:
            continue
        yield from identities(digits, nature, dialling)
