"""Host names for connections out: cached, refreshed behind the scenes, old answers kept while DNS is dead.

The system resolver blocks, so it runs on named threads; one question per name is under way at a time, and a dead DNS
therefore holds at most one thread per name and never the loop.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

Lookup = Callable[[str], list[str]]
"A blocking look-up: a host name to its addresses, OSError when there are none."

METADATA = frozenset({"100.100.100.200", "fd00:ec2::254"})
"Where clouds tell machines their own secrets, beside the link-local 169.254.169.254."


def system_lookup(host: str) -> list[str]:
    """Ask the operating system; addresses in the order it prefers."""
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


@dataclass(slots=True)
class _Known:
    addresses: list[str]
    at: float


class Names:
    """Addresses of host names, at most `fresh` seconds old, or older ones while no newer can be had."""

    def __init__(
        self,
        *,
        fresh: float = 60.0,
        threads: int = 4,
        lookup: Lookup = system_lookup,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.fresh = fresh
        self._lookup, self._clock = lookup, clock
        self._known: dict[str, _Known] = {}
        self._asking: dict[str, asyncio.Future[list[str]]] = {}
        self._many, self._closed = threads, False
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="names")

    def open(self) -> None:
        """Look-ups may be started again after `close`."""
        if self._closed:
            self._threads, self._closed = ThreadPoolExecutor(self._many, thread_name_prefix="names"), False

    async def addresses(self, host: str) -> list[str]:
        """The addresses of `host`; at once when known (then refreshed if old). OSError when it has none.

        What the machine is told about itself is not for whoever answers for a name: such addresses are left out.
        """
        found = [address for address in await self._all(host) if not _is_own_business(address)]
        if not found:
            raise OSError(f"{host} has no address that may be asked")
        return found

    async def _all(self, host: str) -> list[str]:
        try:
            ipaddress.ip_address(host)
            return [host]
        except ValueError:
            pass
        known = self._known.get(host)
        if known is None:
            return await asyncio.shield(self._ask(host))
        if self._clock() - known.at > self.fresh:
            self._ask(host)
        return known.addresses

    def close(self) -> None:
        """Start no more look-ups; those under way end by themselves."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, host: str) -> "asyncio.Future[list[str]]":
        asking = self._asking.get(host)
        if asking is None:
            asking = asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host)
            self._asking[host] = asking
            asking.add_done_callback(lambda done: self._answered(host, done))
        return asking

    def _answered(self, host: str, done: "asyncio.Future[list[str]]") -> None:
        del self._asking[host]
        if not done.cancelled() and done.exception() is None and done.result():
            self._known[host] = _Known(done.result(), self._clock())


def _is_own_business(address: str) -> bool:
    """Link-local, or a cloud's metadata: no tenant's system is there."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return found.is_link_local or found.is_multicast or str(found) in METADATA
