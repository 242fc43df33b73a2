"""Host names of phones and trunks to addresses, off the SIP thread: PJSIP itself is only ever given addresses."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

FRESH = 60.0
"Seconds an address is used without asking again."
STALE = 86400.0
"Seconds an old address is still better than none, when the name server is dead."
DEADLINE = 2.0
"Seconds one look-up may take."
REMEMBERED = 4096

LookUp = Callable[[str], Awaitable[str]]


class NoAddress(Exception):
    """The name has no address, and never had one here."""


class Resolver:
    """Remembers addresses; `look_up` raises OSError where there is none."""

    def __init__(self, look_up: LookUp | None = None) -> None:
        self._look_up = look_up or _system_look_up
        self._known: dict[str, tuple[float, str]] = {}

    async def uri(self, uri: str) -> str:
        """The SIP URI with an address as its host; raises NoAddress.  Returns at once where it has one already."""
        if not uri:
            raise NoAddress("no phone is registered")
        host = host_of(uri)
        if is_address(host):
            return uri
        address = await self._address(host)
        scheme, _, rest = uri.partition(":")
        user, at, tail = rest.rpartition("@")
        shown = f"[{address}]" if ":" in address else address
        return f"{scheme}:{user}{at}{shown}{tail[len(host) :]}"

    async def _address(self, host: str) -> str:
        now = asyncio.get_running_loop().time()
        when, address = self._known.get(host, (-STALE, ""))
        if now - when < FRESH:
            return address
        try:
            async with asyncio.timeout(DEADLINE):
                address = await self._look_up(host)
        except (OSError, TimeoutError, UnicodeError) as error:
            if now - when < STALE:
                return address
            raise NoAddress(f"{host} has no address: {error or 'no answer in time'}") from None
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[host] = (now, address)
        return address


def is_address(host: str) -> bool:
    """Whether a host is an IP address already."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def split_host_port(text: str) -> tuple[str, int]:
    """`"10.0.0.1:5060"` or `"[::1]:5060"` to (host, port); port 0 where none is given."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:] or 0)
    host, _, port = text.partition(":")
    return host, int(port or 0)


def host_of(uri: str) -> str:
    """The host of a SIP URI, without brackets and port."""
    rest = uri.strip("<>").partition(":")[2]
    return split_host_port(rest.rpartition("@")[2].partition(";")[0].partition("?")[0])[0]


async def _system_look_up(host: str) -> str:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    return str(found[0][4][0])
