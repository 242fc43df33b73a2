"""Name servers, asked off the SIP thread (RFC 3263): SRV records of a trunk's name, and addresses, with their TTL."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

from b2bua.sip.resolver import is_address, split_host_port
from routing.trunk_groups import Member

if TYPE_CHECKING:
    from b2bua.settings.trunks import Dns

LONGEST = 3600.0
"Seconds an answer is used at most, whatever its TTL says."
HOSTS_FILE = 60.0
"Seconds that an address is used which the system knew, and no name server."
MOST = 32
"Addresses of one name."
SERVICES = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}


@dataclass(frozen=True, slots=True)
class Found:
    """What a name means now."""

    members: tuple[Member, ...]
    "Addresses, with a port where the records have one; an IPv6 address in brackets."
    fresh: float
    "Seconds until it should be asked again."


class Names:
    """Asks; remembers nothing.  Everything here raises OSError where nobody answers, or there is no address."""

    def __init__(self, settings: Dns) -> None:
        self._shortest = settings.shortest
        try:
            self._resolver: Any = dns.asyncresolver.Resolver(configure=not settings.servers)
        except dns.resolver.NoResolverConfiguration:
            self._resolver = dns.asyncresolver.Resolver(configure=False)
        if settings.servers:
            self._resolver.nameservers = [
                dns.nameserver.Do53Nameserver(host, port or 53) for host, port in map(split_host_port, settings.servers)
            ]
        self._resolver.lifetime = settings.timeout
        self._resolver.timeout = settings.timeout / 2

    async def target(self, target: str, transport: str, version: int) -> Found:
        """Where calls to `host` or `host:port` go: SRV records where there is no port (RFC 3263 section 4.2), else
        addresses of the IP version that the listener has."""
        host, port = split_host_port(target)
        if not port and not is_address(host):
            records = await self._services(host, transport, version)
            if records is not None:
                return records
        found = await self.addresses(host, version)
        members = tuple(Member(_shown(member.name, port), weight=1) for member in found.members)
        return Found(members, found.fresh)

    async def addresses(self, host: str, version: int) -> Found:
        """A or AAAA records; what the system's own file says where no name server knows the name."""
        try:
            answer = await self._resolver.resolve(host, "AAAA" if version == 6 else "A", search=False)
        except (
            dns.resolver.NXDOMAIN,
            dns.resolver.NoAnswer,
            dns.resolver.NoNameservers,
            dns.exception.Timeout,
        ) as error:
            return await self._system(host, version, error)
        except (dns.exception.DNSException, ValueError) as error:
            raise OSError(f"{host}: {error}") from None
        members = tuple(Member(str(record.address)) for record in answer)[:MOST]
        return Found(members, self._fresh(answer.rrset.ttl))

    async def _services(self, host: str, transport: str, version: int) -> Found | None:
        """None where the name has no SRV records."""
        name = f"{SERVICES[transport]}.{host}"
        try:
            answer = await self._resolver.resolve(name, "SRV", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except (dns.exception.DNSException, ValueError) as error:
            raise OSError(f"{name}: {error}") from None
        members: list[Member] = []
        fresh = self._fresh(answer.rrset.ttl)
        failed: OSError | None = None
        for record in list(answer)[:MOST]:
            server = str(record.target).rstrip(".")
            if not server:
                raise OSError(f"{name} says that there is no such service")
            try:
                found = await self.addresses(server, version)
            except OSError as error:
                failed = error
                continue
            fresh = min(fresh, found.fresh)
            members += [Member(_shown(one.name, record.port), record.priority, record.weight) for one in found.members]
        if not members:
            raise failed or OSError(f"{name} has no address")
        return Found(tuple({member.name: member for member in reversed(members)}.values())[:MOST], fresh)

    async def _system(self, host: str, version: int, error: Exception) -> Found:
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        try:
            rows = await asyncio.get_running_loop().getaddrinfo(host, None, family=family, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            raise OSError(f"{host} has no address: {error}") from None
        return Found(tuple(Member(str(row[4][0])) for row in rows)[:MOST], HOSTS_FILE)

    def _fresh(self, ttl: float) -> float:
        return min(max(float(ttl), self._shortest), LONGEST)


def _shown(address: str, port: int) -> str:
    host = f"[{address}]" if ":" in address and not address.startswith("[") else address
    return f"{host}:{port}" if port else host
