"""Which trunk a packet comes from: by the listener it came in on and its source address."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


class TrunkTable:
    """Longest prefix wins; answers are remembered, so a trunk's hundredth call costs one dictionary look-up."""

    REMEMBERED = 4096
    "Sources kept; forged ones could be many, so the memory is emptied when full."

    def __init__(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """`rows` are (listener, CIDR, trunk)."""
        self._nets: dict[str, list[tuple[IPv4Network | IPv6Network, str]]] = {}
        for listener, cidr, trunk in rows:
            self._nets.setdefault(listener, []).append((ip_network(cidr), trunk))
        for nets in self._nets.values():
            nets.sort(key=lambda row: row[0].prefixlen, reverse=True)
        self._known: dict[tuple[str, str], str | None] = {}

    def trunk_of(self, listener: str, source: str) -> str | None:
        """The trunk's name, or None for a stranger.  `source` is an address without a port."""
        key = (listener, source)
        if key in self._known:
            return self._known[key]
        if len(self._known) >= self.REMEMBERED:
            self._known.clear()
        address = ip_address(source.partition("%")[0])
        found = next((name for net, name in self._nets.get(listener, ()) if address in net), None)
        self._known[key] = found
        return found
