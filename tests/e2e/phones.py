"""An office whose phones register: settings, agents with passwords, and a phone of the test's own that answers 401."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any, Self

from b2bua.sip.digest import Answer, ha1, response
from tests.peers.exchange import Sent
from tests.peers.server import Server
from tests.peers.uas import Phone
from tests.peers.wire import Address

REALM, PASSWORD = "phones.test", "correct-horse"
OFFICE: dict[str, dict[str, Any]] = {
    "phones": {"realm": REALM, "algorithms": ["SHA-256", "MD5"], "md5_phones": ["old"], "probe": 0},
}


async def hire(server: Server, *extensions: str, password: str = PASSWORD) -> None:
    """Agents without a fixed contact."""
    for extension in extensions:
        body = {"extension": extension, "name": f"agent {extension}", "password": password}
        await server.api.post("/v1/agents", body)


def registrar(server: Server, listener: str = "inside", transport: str = "udp") -> str:
    """The URI phones register at."""
    host, port = server.listener(listener)
    return f"sip:{host}:{port}" + ("" if transport == "udp" else f";transport={transport}")


async def phones(server: Server, extension: str | None = None) -> list[dict[str, Any]]:
    """Who is registered."""
    found: list[dict[str, Any]] = (await server.api.get("/v1/registrations", extension=extension))["registrations"]
    return found


def credentials(challenge: str, method: str, uri: str, user: str, *, nc: int = 1, password: str = PASSWORD) -> str:
    """The Authorization header for an MD5 challenge."""
    said = dict(part.strip().split("=", 1) for part in challenge.partition(" ")[2].split(","))
    nonce = said["nonce"].strip('"')
    blank = Answer(user, REALM, nonce, uri, "", "MD5", "cafe", f"{nc:08x}")
    given = response("MD5", ha1("MD5", user, REALM, password), method, blank)
    return (
        f'Digest username="{user}", realm="{REALM}", nonce="{nonce}", uri="{uri}", response="{given}", algorithm=MD5, '
        f'cnonce="cafe", qop=auth, nc={nc:08x}'
    )


async def md5_challenge(sent: Sent) -> str:
    """The MD5 challenge of a 401."""
    refused = await sent.expect(401)
    return next(str(value) for value in refused.all("WWW-Authenticate") if "algorithm=MD5" in value)


async def register(
    server: Server, phone: Phone, contact: str, user: str = "1001", *, via: Address | None = None
) -> None:
    """A scriptable phone registers with MD5; `via`: it takes that for the server."""
    headers, target = [("Contact", contact)], via or server.inside
    challenge = await md5_challenge(await phone.request("REGISTER", target, user, headers=headers))
    uri = f"sip:{user}@{target[0]}:{target[1]}"
    headers.append(("Authorization", credentials(challenge, "REGISTER", uri, user)))
    await (await phone.request("REGISTER", target, user, headers=headers)).expect(200)


async def invite(server: Server, phone: Phone, number: str, user: str = "1001") -> None:
    """A scriptable phone dials, is challenged, and dials again with credentials."""
    call = await phone.invite(server.inside, number, caller=user)
    challenge = await md5_challenge(call.invite_sent)
    uri = f"sip:{number}@{server.inside[0]}:{server.inside[1]}"
    headers = [("Authorization", credentials(challenge, "INVITE", uri, user))]
    await phone.invite(server.inside, number, caller=user, headers=headers)


async def kept(server: Server) -> int:
    """Registrations in the server's database."""
    with sqlite3.connect(server.folder / "data" / "tandem.db") as database:
        return int(database.execute("SELECT count(*) FROM registrations").fetchone()[0])


class Nat:
    """Address translation between one phone and the server: what the phone sends to `inside` goes on from `outside`."""

    def __init__(self, inside: asyncio.DatagramTransport, outside: asyncio.DatagramTransport) -> None:
        self._inside, self._outside = inside, outside
        self.inside: Address = inside.get_extra_info("sockname")
        self.outside: Address = outside.get_extra_info("sockname")

    @classmethod
    async def open(cls, server: Address) -> Self:
        loop, phone = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
        made: list[asyncio.DatagramTransport] = []

        class Side(asyncio.DatagramProtocol):
            def __init__(self, inner: bool) -> None:
                self.inner = inner

            def datagram_received(self, data: bytes, source: Address) -> None:
                if self.inner:
                    if not phone.done():
                        phone.set_result(source)
                    made[1].sendto(data, server)
                elif phone.done():
                    made[0].sendto(data, phone.result())

        for inner in (True, False):
            transport, _ = await loop.create_datagram_endpoint(lambda inner=inner: Side(inner), ("127.0.0.1", 0))  # type: ignore[misc]
            made.append(transport)
        return cls(*made)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._inside.close()
        self._outside.close()
