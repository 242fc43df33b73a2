"""Which trunk a packet comes from: by the listener it came in on and its source address; where several trunks share an
address, by the marks that tell them apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2bua.settings.sip import Trunk


@dataclass(frozen=True, slots=True)
class Marks:
    """What a call must have beside its address; what is empty does not matter."""

    ports: frozenset[int] = frozenset()
    "Source ports."
    hosts: frozenset[str] = frozenset()
    "Of the Request-URI, in lower case."
    users: tuple[str, ...] = ()
    "Of the Request-URI; one that ends with * stands for all that begin so."
    names: frozenset[str] = frozenset()
    "Of its certificate, in lower case."

    @property
    def count(self) -> int:
        """How many kinds there are: who asks for more is asked first."""
        return sum(map(bool, (self.ports, self.hosts, self.users, self.names)))

    def fit(self, port: int, host: str, user: str, names: Collection[str]) -> bool:
        """Whether a call has all of them."""
        return (
            (not self.ports or port in self.ports)
            and (not self.hosts or host in self.hosts)
            and (not self.users or any(_is(user, wanted) for wanted in self.users))
            and (not self.names or not self.names.isdisjoint(names))
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One network of a trunk."""

    listener: str
    network: IPv4Network | IPv6Network
    trunk: str
    marks: Marks = Marks()


def marks_of(trunk: Trunk) -> Marks:
    """The marks of a trunk's settings; an account that registers has its user."""
    users = tuple(trunk.request_users) or ((trunk.user,) if trunk.registers else ())
    return Marks(
        frozenset(trunk.source_ports),
        frozenset(host.lower() for host in trunk.request_hosts),
        users,
        frozenset(name.lower() for name in trunk.tls_names),
    )


class TrunkTable:
    """The longest prefix wins, then who has more marks; what was found is remembered, so that a trunk's hundredth call
    costs one dictionary look-up."""

    REMEMBERED = 4096
    "Sources kept; forged ones could be many, so the memory is emptied when full."

    def __init__(self, rows: Iterable[tuple[str, str, str]] = ()) -> None:
        """`rows` are (listener, CIDR, trunk)."""
        self._rows: dict[str, list[Row]] = {}
        self._known: dict[tuple[str, str], tuple[Row, ...]] = {}
        self.fill([Row(listener, ip_network(cidr), trunk) for listener, cidr, trunk in rows])

    def fill(self, rows: Iterable[Row]) -> None:
        """These and no others from now on."""
        found: dict[str, list[Row]] = {}
        for row in rows:
            found.setdefault(row.listener, []).append(row)
        for of_listener in found.values():
            of_listener.sort(key=lambda row: (row.network.prefixlen, row.marks.count), reverse=True)
        self._rows, self._known = found, {}

    def trunk_of(
        self, listener: str, source: str, port: int = 0, uri: str = "", names: Collection[str] = ()
    ) -> str | None:
        """The trunk's name, or None for a stranger.

        `source` and `port` are those of the packet, `uri` is the Request-URI as written, `names` are those of the
        certificate of its connection, in lower case.
        """
        found = self._known.get((listener, source))
        if found is None:
            found = self._find(listener, source)
        if not found:
            return None
        if len(found) == 1 and not found[0].marks.count:
            return found[0].trunk
        user, host = user_and_host(uri)
        return next((row.trunk for row in found if row.marks.fit(port, host, user, names)), None)

    @property
    def rows(self) -> Mapping[str, list[Row]]:
        """By listener; another object after each `fill`."""
        return self._rows

    def networks(self, listener: str) -> dict[str, list[str]]:
        """The networks behind a listener, each with its trunks."""
        found: dict[str, list[str]] = {}
        for row in self._rows.get(listener, ()):
            found.setdefault(str(row.network), []).append(row.trunk)
        return found

    def trunks_at(self, listener: str, source: str) -> list[str]:
        """All trunks that a packet from there may be of."""
        return list(dict.fromkeys(row.trunk for row in self._find(listener, source)))

    def _find(self, listener: str, source: str) -> tuple[Row, ...]:
        if len(self._known) >= self.REMEMBERED:
            self._known.clear()
        address = ip_address(source.partition("%")[0])
        found = tuple(row for row in self._rows.get(listener, ()) if address in row.network)
        self._known[listener, source] = found
        return found


def user_and_host(uri: str) -> tuple[str, str]:
    """User, and host in lower case without its port, of a Request-URI as written; empty where there is none."""
    rest = uri.partition(":")[2]
    user, at, tail = rest.rpartition("@")
    place = tail.partition(";")[0].partition("?")[0]
    host = place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
    return (user.partition(":")[0].partition(";")[0] if at else ""), host.lower()


def _is(user: str, wanted: str) -> bool:
    return user.startswith(wanted[:-1]) if wanted.endswith("*") else user == wanted
