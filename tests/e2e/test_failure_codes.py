"""Failure codes: what an agent's leg ended with reaches the trunk with a Reason, but nothing that would harm it."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, call_in, end, ringing, shared_server
from tests.peers.ports import PORTS
from tests.peers.server import Server, Template
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone

SHOWN = {
    400: (400, "agent-failed", 31),
    401: (500, "agent-failed", 31),
    403: (403, "agent-failed", 21),
    404: (404, "agent-failed", 1),
    405: (500, "agent-failed", 31),
    407: (500, "agent-failed", 31),
    408: (480, "agent-unreachable", 102),
    410: (410, "agent-failed", 22),
    480: (480, "agent-away", 18),
    481: (480, "agent-failed", 31),
    482: (500, "agent-failed", 31),
    484: (484, "agent-failed", 28),
    486: (486, "agent-busy", 17),
    487: (480, "agent-failed", 16),
    488: (488, "agent-failed", 88),
    500: (500, "agent-failed", 41),
    502: (502, "agent-failed", 38),
    503: (500, "agent-failed", 41),
    504: (504, "agent-failed", 102),
    600: (600, "agent-busy", 17),
    603: (603, "agent-declined", 21),
    604: (604, "agent-failed", 1),
    699: (699, "agent-failed", 31),
    302: (480, "agent-failed", 31),
    305: (480, "agent-failed", 31),
    380: (480, "agent-failed", 31),
}
"Status of the phone -> what the trunk gets, the record's cause, the Q.850 cause in Reason (RFC 3398 section 8.2.6.1)."

EXTRA = {
    302: {"Contact": "<sip:elsewhere@127.0.0.1:9>"},
    305: {"Contact": "<sip:elsewhere@127.0.0.1:9>"},
    401: {"WWW-Authenticate": 'Digest realm="inside", nonce="n", algorithm=MD5'},
    407: {"Proxy-Authenticate": 'Digest realm="inside", nonce="n", algorithm=MD5'},
    503: {"Retry-After": "120"},
}
"Headers such a response has."

SECRETS = (
    "inside",
    "Retry-After",
    "elsewhere",
    "Authenticate",
    "Contact",
    "Warning",
    "10.9.8.7",
    "private words",
)


@pytest.mark.parametrize("status", SHOWN)
async def test_what_the_phone_says_and_what_the_trunk_is_told(
    server: Server, caller: Caller, phone: Phone, status: int
) -> None:
    """Bridge, failure codes: passed on with Reason, but never a 503, 401, 407 or 3xx; nothing of the phone's words."""
    shown, cause, q850 = SHOWN[status]
    ring = await ringing(server, caller, phone)
    words = {"Warning": '399 10.9.8.7 "private words"', **EXTRA.get(status, {})}
    ring.reply(status, "private words", headers=words)
    await phone.expect("ACK")
    refused = await caller.expect(shown)
    [reason] = refused.all("Reason")
    assert reason.startswith(f'SIP;cause={status};text="')
    assert reason.endswith(f"Q.850;cause={q850}")
    assert [word for word in SECRETS if word in refused.text] == []
    assert len(phone.got("INVITE")) == 1
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["answered_at"]) == (cause, shown, None)
    assert cdr["parts"][1]["sip_code"] == status
    assert (await server.api.get(f"/v1/tokens/{cdr['sequence']}", tenant="acme"))["state"] == "free"
    assert await server.api.counted("tandem_calls_total", result="failed", cause=cause) == 1


async def test_the_phones_own_cause_is_kept(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, failure codes: a Q.850 cause of the agent's side goes on, its text does not; in a second header, folded
    (RFC 3326: one for each protocol)."""
    ring = await ringing(server, caller, phone)
    reasons = [("Reason", "SIP;cause=480"), ("Reason", 'Q.850;\r\n cause=20;text="secret of the inside"')]
    ring.reply(480, headers=reasons)
    refused = await caller.expect(480)
    assert refused.all("Reason") == ['SIP;cause=480;text="Temporarily Unavailable", Q.850;cause=20']


async def test_a_phone_that_refuses_without_ringing(server: Server, caller: Caller, phone: Phone) -> None:
    """Bridge, busy: 486 as the phone's first word; the next call finds it free."""
    await call_in(server, caller, phone.uri)
    await phone.rejects(486)
    await caller.expect(486)
    assert caller.call.statuses == [100, 486]
    await call_again(server, caller)
    await phone.answers()
    await caller.answered()
    await end(caller, phone)


@pytest.mark.parametrize(
    ("scenario", "shown"),
    [
        ("agent-busy", 486),
        ("agent-rejects-302", 480),
        ("agent-rejects-401", 500),
        ("agent-rejects-404", 404),
        ("agent-rejects-407", 500),
        ("agent-rejects-480", 480),
        ("agent-rejects-488", 488),
        ("agent-rejects-500", 500),
        ("agent-rejects-503", 500),
        ("agent-rejects-600", 600),
        ("agent-rejects-603", 603),
    ],
)
async def test_sipp_refuses(server: Server, trunk: Sipp, agent: Sipp, scenario: str, shown: int) -> None:
    """Bridge, failure codes: the same from a SIPp phone to a SIPp trunk, which sees nothing else and no second try."""
    await server.api.furnish(agent.uri)
    number = (await server.api.issue_token())["original_called_number"]
    refused = await agent.answers(scenario, n=1)
    placed = await trunk.calls(server.outside, "trunk-is-refused", diverted=number)
    await refused.done()
    assert placed.statuses()[-1] == shown
    assert len(refused.received("INVITE")) == 1
    assert (await server.api.cdr())["sip_code"] == shown


# --- nobody there ---


@pytest.fixture
async def hasty(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server that waits a second for a phone."""
    config = {"calls": {"ring_timeout": 1}}
    async with shared_server(pool, tmp_path_factory.mktemp("hasty"), config, template) as server:
        yield server


async def unreachable(server: Server, caller: Caller, contact: str, q850: int) -> None:
    """The call is refused with 480, the record says why, and the token may be used again."""
    await call_in(server, caller, contact)
    refused = await caller.expect(480)
    assert refused.all("Reason") == [f'SIP;cause=480;text="Temporarily Unavailable", Q.850;cause={q850}']
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["sip_code"], cdr["ringing_at"]) == ("agent-unreachable", 480, None)
    assert (await server.api.get(f"/v1/tokens/{cdr['sequence']}", tenant="acme"))["state"] == "free"


async def test_nothing_listens_at_the_phones_address(hasty: Server, caller: Caller) -> None:
    """Bad input, agent not reachable: the port is closed, so ICMP answers (or nothing does)."""
    await unreachable(hasty, caller, f"sip:1001@127.0.0.1:{PORTS.take()}", 18)


async def test_a_black_hole_at_the_phones_address(hasty: Server, caller: Caller) -> None:
    """Bad input, agent not reachable: packets go there and nothing ever comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", PORTS.take()))
        await unreachable(hasty, caller, f"sip:1001@127.0.0.1:{hole.getsockname()[1]}", 18)
        assert hole.recv(65536).startswith(b"INVITE sip:1001@")


async def test_a_host_name_without_an_address(hasty: Server, caller: Caller) -> None:
    """Bad input, agent not reachable: the name is looked up off the SIP thread, and is not there."""
    await unreachable(hasty, caller, "sip:1001@nowhere.invalid", 20)


async def test_tcp_is_refused_or_unanswered_or_cut(start_server: StartServer, caller: Caller) -> None:
    """Bad input, agent not reachable by TCP: connection refused, accepted but silent, and cut before an answer."""
    inside = {"side": "inside", "address": "127.0.0.1", "port": PORTS.take(), "transport": "tcp"}
    server = await start_server({"listeners.inside": inside, "calls": {"ring_timeout": 1}})
    await unreachable(server, caller, f"sip:1001@127.0.0.1:{PORTS.take()};transport=tcp", 20)

    connections: list[asyncio.StreamWriter] = []
    cut = False

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            if cut:
                writer.close()
                return

    port = PORTS.take()
    phone = await asyncio.start_server(accept, "127.0.0.1", port)
    await server.api.patch("/v1/agents/1001", {"contact": f"sip:1001@127.0.0.1:{port};transport=tcp"})
    for q850 in (18, 20):
        await call_again(server, caller)
        assert (await caller.expect(480)).get("Reason").endswith(f"Q.850;cause={q850}")
        cut = True
    phone.close()
    for connection in connections:
        connection.close()
    assert [row["cause"] for row in await server.api.cdrs(3)] == ["agent-unreachable"] * 3
