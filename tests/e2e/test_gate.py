"""The gate on a hostile network: floods, bans and strangers beside good calls, against the running server."""

from __future__ import annotations

import asyncio
import socket

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, call_in, end, hear_each_other
from tests.peers.configuration import Changes
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

TRUNK = "127.0.0.1"
FLOODER = "127.0.0.66"
CONFIG: Changes = {
    "trunks.carrier": {"addresses": [f"{TRUNK}/32"]},
    "security": {"stranger_rate": 5, "stranger_burst": 10, "faults": 20, "ban_seconds": 60},
}


class Attacker:
    """A socket that sends what it likes, from an address of its own."""

    def __init__(self, host: str, target: tuple[str, int]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.connect(target)
        self.socket.setblocking(False)
        self.host = host
        self.sent = 0

    def send(self, method: str, *headers: str) -> None:
        self.sent += 1
        host, port = self.socket.getsockname()
        lines = [
            f"{method} sip:4008100001@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{host}{self.sent}",
            f"From: <sip:1@{host}>;tag={self.sent}",
            "To: <sip:4008100001@127.0.0.1>",
            f"Call-ID: {self.sent}@{host}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:1@{host}:{port}>",
            "Max-Forwards: 70",
            *headers,
            "Content-Length: 0",
        ]
        self.socket.send("\r\n".join([*lines, "", ""]).encode())

    def flood(self, method: str, n: int = 300) -> None:
        for _ in range(n):
            self.send(method)

    def heard(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(65536))
            except BlockingIOError:
                return found

    def __enter__(self) -> Attacker:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


async def banned(server: Server) -> dict[str, str]:
    return {ban["address"]: ban["reason"] for ban in (await server.api.get("/v1/bans"))["bans"]}


async def test_a_flood_is_banned_told_and_lifted_and_good_callers_notice_nothing(
    start_server: StartServer, phone: Phone
) -> None:
    """Promises (a), (e): calls of the trunk go on beside a flood; the ban is listed, alarmed, and lifted by API."""
    server = await start_server(CONFIG)
    listener = await server.listen()
    async with await Caller.open("trunk", host=TRUNK) as caller, await Caller.open("other", host=TRUNK) as second:
        await call_in(server, caller, phone.uri)
        await phone.answers()
        await caller.answered()
        with Attacker(FLOODER, server.outside) as attacker:
            for method in ("INVITE", "REGISTER", "OPTIONS"):
                attacker.flood(method)
                await asyncio.sleep(0)

            async def is_banned() -> bool:
                return await banned(server) == {FLOODER: "flood"}

            await eventually_true(is_banned, "the flooder to be banned")
            attacker.flood("INVITE")
            await hear_each_other(caller, phone)
            await end(caller, phone)
            await call_again(server, second)
            await phone.answers()
            await second.answered()
            await end(second, phone)
            assert not attacker.heard(), "a stranger outside gets no answer at all"
            told = await listener.expect("source.banned")
            assert told["data"] == {"address": FLOODER, "reason": "flood", "seconds": 60.0, "by": "gate"}
            await server.log_contains("tandem bans lift 127.0.0.66")
            assert await server.api.metric("tandem_bans_total", reason="flood") == 1
            assert await server.api.metric("tandem_banned") == 1

            async def dropped_by_the_kernel() -> bool:
                attacker.flood("INVITE", 20)
                return await server.api.metric("tandem_kernel_drops_total") > 0

            await eventually_true(dropped_by_the_kernel, "the kernel to drop what the banned address sends")
            await server.api.delete(f"/v1/bans/{FLOODER}")
            assert await banned(server) == {}
            await listener.expect("source.lifted")


async def test_a_trunk_that_floods_is_held_to_its_calls_a_second_and_never_banned(
    start_server: StartServer, phone: Phone
) -> None:
    """Promise (e): an address of a trunk can be forged. Calls a second of a trunk come with its own refusal code."""
    server = await start_server(
        {
            "trunks.carrier": {"addresses": [f"{TRUNK}/32"], "cps_in": 5, "refusal_code": 480},
            "trunks.other": {"listener": "outside", "addresses": ["127.0.0.3/32"], "access_id_width": 4},
            "security": {"faults": 5, "stranger_rate": 5, "stranger_burst": 5},
        }
    )
    with Attacker(TRUNK, server.outside) as trunk:
        for _ in range(40):
            trunk.send("INVITE", "User-Agent: friendly-scanner")
            trunk.send("OPTIONS", "CSeq: 2 INVITE")

        async def refused() -> bool:
            return await server.api.metric("tandem_gate_total", counter="refused_trunk_rate") >= 30

        await eventually_true(refused, "what is too much to be refused")
        answers = [answer for answer in trunk.heard() if answer.startswith(b"SIP/2.0 480")]
        assert len(answers) >= 30
        assert b"Retry-After: " in answers[0]
    assert await banned(server) == {}
    answer = await server.api.http.post("/v1/bans", json={"address": TRUNK})
    assert answer.status_code == 409
    assert "never banned" in answer.text


async def test_bans_by_hand(start_server: StartServer) -> None:
    """Bans are added, listed and lifted by command, and end by themselves."""
    server = await start_server({**CONFIG, "security": {"outside_strangers": "refuse"}})

    async def run(*arguments: str) -> str:
        child = server.tandem("bans", *arguments)
        assert await child.ended(30) == 0, child.log()
        return child.log()

    assert "nobody is banned" in await run("list")
    with Attacker("127.0.0.9", server.outside) as other:
        assert "127.0.0.9 is banned for 60 seconds" in await run("add", "127.0.0.9", "--seconds", "60")
        listed = await run("list")
        assert "127.0.0.9" in listed
        assert "by hand" in listed
        other.flood("OPTIONS", 5)
        assert "no longer banned" in await run("lift", "127.0.0.9")

        async def answered() -> bool:
            other.send("OPTIONS")
            await asyncio.sleep(0.02)
            return any(b"403" in answer for answer in other.heard())

        await eventually_true(answered, "an answer after the ban")
        await server.api.post("/v1/bans", {"address": "127.0.0.9", "seconds": 0.3, "reason": "short"})
        assert await banned(server) == {"127.0.0.9": "short"}

        async def over() -> bool:
            return not await banned(server)

        await eventually_true(over, "the ban to end")
        await eventually_true(answered, "an answer after its end")
    for body, status in (({"address": "nobody"}, 422), ({"address": TRUNK}, 409)):
        assert (await server.api.http.post("/v1/bans", json=body)).status_code == status
    assert (await server.api.http.delete("/v1/bans/192.0.2.1")).status_code == 404
