"""An office whose phones register: settings, agents with passwords, and a phone of the test's own that answers 401."""

from __future__ import annotations

import sqlite3
from typing import Any

from b2bua.sip.digest import Answer, ha1, response
from tests.peers.exchange import Sent
from tests.peers.server import Server
from tests.peers.uas import Phone

REALM, PASSWORD = "phones.test", "correct horse"
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


async def register(server: Server, phone: Phone, contact: str, user: str = "1001") -> None:
    """A scriptable phone registers with MD5."""
    headers = [("Contact", contact)]
    challenge = await md5_challenge(await phone.request("REGISTER", server.inside, user, headers=headers))
    uri = f"sip:{user}@{server.inside[0]}:{server.inside[1]}"
    headers.append(("Authorization", credentials(challenge, "REGISTER", uri, user)))
    await (await phone.request("REGISTER", server.inside, user, headers=headers)).expect(200)


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
