"""Listeners: transports and families mixed, what each side is told of our addresses, trunks apart, long messages."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, end, hear_each_other, shared_server
from tests.peers.certificates import Authority
from tests.peers.message import Message
from tests.peers.ports import PORTS
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

FAMILIES = {"v4": ("tcp", "tls"), "v6": ("udp6", "tcp6", "tls6")}
"What the two servers have beside the usual listeners of UDP over IPv4; PJSIP's limit is eight listeners."

PAIRS = [
    ("v4", "udp", "tcp"),
    ("v4", "tcp", "udp"),
    ("v4", "tls", "udp"),
    ("v4", "udp", "tls"),
    ("v4", "tcp", "tls"),
    ("v6", "udp6", "udp"),
    ("v6", "udp", "udp6"),
    ("v6", "tls6", "udp"),
    ("v6", "udp6", "tcp6"),
    ("v6", "tcp6", "tls6"),
]
"Every kind stands on each side at least once."


def host_of(kind: str) -> str:
    return "::1" if kind.endswith("6") else "127.0.0.1"


@pytest.fixture(scope="module")
def module_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[str, list[Server]]]:
    servers: dict[str, list[Server]] = {family: [] for family in FAMILIES}
    yield servers
    for server in (server for pool in servers.values() for server in pool):
        server.close_now()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("listeners")


@pytest.fixture
async def family(request: pytest.FixtureRequest) -> str:
    """Which server a test wants; by default the one of IPv4."""
    return str(getattr(request, "param", "v4"))


@pytest.fixture
async def server(
    family: str, pools: dict[str, list[Server]], folder: Path, module_authority: Authority, template: Template
) -> AsyncIterator[Server]:
    """One listener of each kind on each side, and a trunk on each outside one."""
    pool = pools[family]
    config = {} if pool else every_kind(FAMILIES[family], module_authority)
    async with shared_server(pool, folder / family, config, template) as server:
        yield server


def every_kind(kinds: tuple[str, ...], authority: Authority) -> dict[str, dict[str, Any] | None]:
    """Listeners and trunks, named for their kind."""
    certificate = authority.issue("tandem")
    tls = {
        "tls_certificate": str(certificate),
        "tls_key": str(certificate.with_suffix(".key")),
        "tls_ca": str(authority.file),
    }
    config: dict[str, dict[str, Any] | None] = {}
    for kind in kinds:
        transport = kind.removesuffix("6")
        common = {"transport": transport, "address": host_of(kind), **(tls if transport == "tls" else {})}
        config[f"listeners.out-{kind}"] = {"side": "outside", "port": PORTS.take(2), **common}
        config[f"listeners.in-{kind}"] = {"side": "inside", "port": PORTS.take(2), **common}
        config[f"trunks.{kind}"] = {
            "listener": f"out-{kind}",
            "addresses": [f"{host_of(kind)}/{128 if kind.endswith('6') else 32}"],
            "access_id_width": 4,
            "sequence_width": 8,
        }
    return config


def outer_of(kind: str) -> tuple[str, str]:
    """Trunk and outside listener of a kind."""
    return ("carrier", "outside") if kind == "udp" else (kind, f"out-{kind}")


def inner_of(kind: str) -> str:
    """Inside listener of a kind."""
    return "inside" if kind == "udp" else f"in-{kind}"


async def open_peer(kind: type[Caller] | type[Phone], name: str, how: str, authority: Authority) -> Caller | Phone:
    transport = how.removesuffix("6")
    tls = authority.tls(name) if transport == "tls" else None
    return await kind.open(name, host=host_of(how), transport=transport, tls=tls)


@pytest.mark.parametrize(
    ("family", "outer", "inner"), PAIRS, ids=[f"{a}-{b}" for _, a, b in PAIRS], indirect=["family"]
)
async def test_a_call_crosses_transports_and_families(
    server: Server, module_authority: Authority, outer: str, inner: str
) -> None:
    """Listeners of UDP, TCP and TLS, IPv4 and IPv6: each side has its own, the sound crosses too; both may hang up."""
    async with (
        await open_peer(Caller, "trunk", outer, module_authority) as caller,
        await open_peer(Phone, "1001", inner, module_authority) as phone,
    ):
        assert isinstance(caller, Caller)
        assert isinstance(phone, Phone)
        trunk, listener = outer_of(outer)
        await server.api.add_agent(phone.uri, listener=inner_of(inner))
        await server.api.add_tenant(trunks=[trunk])
        await server.api.add_access_number()
        await call_again(server, caller, target=server.listener(listener))
        ring = await phone.answers()
        answer = await caller.answered()
        await hear_each_other(caller, phone)
        assert literal(server, listener) in answer.contact
        assert literal(server, inner_of(inner)) in ring.contact
        assert ring.get("Via").startswith(f"SIP/2.0/{inner.removesuffix('6').upper()} ")
        assert ring.sdp.audio.connection == host_of(inner)
        assert answer.sdp.audio.connection == host_of(outer)
        await (await phone.bye()).expect(200)
        await caller.expect("BYE")
        assert (await server.api.cdr())["trunk"] == trunk


def literal(server: Server, name: str) -> str:
    """host:port of a listener as URIs write it."""
    host, port = server.listener(name)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def test_a_tls_peer_without_our_authority_is_not_talked_to(server: Server, tmp_path: Path) -> None:
    """TLS towards an agent whose certificate nobody we trust has signed: 480 to the trunk, no INVITE in clear."""
    stranger = Authority(tmp_path / "stranger")
    async with (
        await Caller.open("trunk") as caller,
        await Phone.open("1001", transport="tls", tls=stranger.tls("1001", verify=False)) as phone,
    ):
        await server.api.add_agent(phone.uri, listener="in-tls")
        await server.api.add_tenant()
        await server.api.add_access_number()
        await call_again(server, caller)
        assert (await caller.expect("4xx")).status == 480
        assert phone.calls == []


# --- an SBC: inside and outside on addresses of their own ---


def sbc(**more: Any) -> dict[str, dict[str, Any] | None]:
    """Outside 127.0.0.11 with a face of its own for the world, inside 127.0.0.12; two trunks by address."""
    return {
        "listeners.outside": {
            "address": "127.0.0.11",
            "advertised_address": "203.0.113.5",
            "advertised_port": 5080,
            "advertised_media_address": "203.0.113.6",
            "media_address": "127.0.0.13",
            "local_networks": ["127.0.0.32/28"],
            **more,
        },
        "listeners.inside": {"address": "127.0.0.12"},
        "trunks.carrier": {"addresses": ["127.0.0.21/32"]},
        "trunks.near": {
            "listener": "outside",
            "addresses": ["127.0.0.33/32"],
            "access_id_width": 4,
            "sequence_width": 8,
        },
    }


def hosts(message: Message) -> set[str]:
    """The hosts that a message of ours names in Via, Contact and SDP."""
    own = (
        [value for name in ("Via", "Contact") for value in message.all(name)]
        if message.is_request
        else message.all("Contact")
    )
    found = {
        h for h in ("127.0.0.11", "127.0.0.12", "127.0.0.13", "203.0.113.5", "203.0.113.6") if any(h in v for v in own)
    }
    if message.content_type == "application/sdp":
        found |= {
            h
            for h in ("127.0.0.11", "127.0.0.12", "127.0.0.13", "203.0.113.5", "203.0.113.6")
            if h.encode() in message.body
        }
    return found


async def test_each_side_is_told_the_address_that_it_can_reach(start_server: StartServer) -> None:
    """SBC: far trunks see the advertised addresses, local ones the bound, agents the inside; sound crosses."""
    server = await start_server(sbc())
    async with (
        await Caller.open("far", host="127.0.0.21") as far,
        await Caller.open("near", host="127.0.0.33") as near,
        await Phone.open("1001", host="127.0.0.41") as phone,
    ):
        await server.api.add_agent(phone.uri)
        await server.api.add_tenant(trunks=["carrier", "near"])
        await server.api.add_access_number()

        far.proxy = server.outside  # 203.0.113.5 leads nowhere here
        await call_again(server, far)
        ring = await phone.answers()
        answer = await far.answered()
        assert hosts(ring) == {"127.0.0.12"}
        assert "203.0.113.5:5080" in answer.contact
        assert hosts(answer) == {"203.0.113.5", "203.0.113.6"}
        assert far.sound.remote
        far.sound.send_to(("127.0.0.13", far.sound.remote[1]))
        await hear_each_other(far, phone)
        assert far.sound.sources[0][0] == "127.0.0.13"
        assert phone.sound.sources[0][0] == "127.0.0.12"
        await (await phone.bye()).expect(200)
        bye = await far.expect("BYE")
        assert "203.0.113.5:5080" in bye.get("Via")
        assert (await server.api.cdr())["trunk"] == "carrier"

        await call_again(server, near)
        await phone.answers()
        answer = await near.answered()
        assert hosts(answer) == {"127.0.0.11", "127.0.0.13"}
        await hear_each_other(near, phone)
        await (await phone.bye()).expect(200)
        bye = await near.expect("BYE")
        assert literal(server, "outside") in bye.get("Via")
        assert [c["trunk"] for c in await server.api.cdrs(2)] == ["carrier", "near"]


async def test_cancel_and_ack_carry_the_via_of_their_invite(start_server: StartServer) -> None:
    """RFC 3261 9.1, 17.1.1.3: the same sent-by and branch, also where it is the advertised address."""
    inside = {"advertised_address": "203.0.113.9", "advertised_port": 5090}
    server = await start_server({"listeners.inside": inside})
    async with await Caller.open("trunk") as caller, await Phone.open("1001") as phone:
        phone.proxy = server.inside
        await server.api.furnish(phone.uri)
        await call_again(server, caller)
        ring = await phone.rings()
        assert "203.0.113.9:5090" in ring.contact
        assert ring.get("Via").startswith("SIP/2.0/UDP 203.0.113.9:5090;")
        await caller.expect(180)
        await (await caller.cancel()).expect(200)
        await caller.expect(487)
        assert (await phone.expect("CANCEL")).get("Via") == ring.get("Via")
        assert (await phone.expect("ACK")).get("Via") == ring.get("Via")
        await call_again(server, caller)
        ring = await phone.rejects(486)
        ack = phone.got("ACK")[-1]
        assert ack.get("Via") == ring.get("Via")
        await caller.expect(486)


async def test_trunks_are_told_apart_by_address_and_strangers_stay_out(start_server: StartServer) -> None:
    """R1-04: an access ID is bound to its trunks; an address that is no trunk's gets no answer and costs no call."""
    server = await start_server(sbc())
    async with (
        await Caller.open("far", host="127.0.0.21") as far,
        await Caller.open("near", host="127.0.0.33") as near,
        await Caller.open("stranger", host="127.0.0.99") as stranger,
        await Phone.open("1001", host="127.0.0.41") as phone,
    ):
        await server.api.add_agent(phone.uri)
        await server.api.add_tenant(trunks=["near"])
        await server.api.add_access_number()
        far.proxy = stranger.proxy = server.outside
        await call_again(server, far)
        assert (await far.expect("4xx")).status == 403
        await call_again(server, near)
        await phone.answers()
        await near.answered()
        await end(near, phone)
        await call_again(server, stranger)

        async def dropped() -> bool:
            return await server.api.metric("tandem_gate_total", counter="dropped_stranger") >= 1

        await eventually_true(dropped, "the stranger's INVITE to be dropped")
        assert not stranger.call.received
        assert [c["trunk"] for c in await server.api.cdrs(2)] == ["carrier", "near"]


# --- long messages ---


@pytest.mark.parametrize("size", [3_000, 10_000, 15_500])
async def test_a_long_invite_in_fragments_is_a_call(server: Server, size: int) -> None:
    """R1-03 (SIP-I bodies are long): UDP fragments on the way in, up to 16,000 octets; the agent's stays short."""
    async with await Caller.open("trunk") as caller, await Phone.open("1001") as phone:
        await server.api.add_agent(phone.uri, listener="inside")
        await server.api.add_tenant()
        await server.api.add_access_number()
        filler = [(f"X-Filler-{n}", "f" * 400) for n in range((size - 800) // 416)]
        await call_again(server, caller, headers=filler)
        assert abs(len(caller.call.invite_sent.raw) - size) < 500
        ring = await phone.answers()
        assert len(ring.raw) < 1_300
        await caller.answered()
        await hear_each_other(caller, phone)
        await end(caller, phone)


async def test_a_long_answer_of_an_agent_is_taken(server: Server) -> None:
    """The other direction: a 200 of 12 kB; nothing of it goes on."""
    async with await Caller.open("trunk") as caller, await Phone.open("1001") as phone:
        await server.api.add_agent(phone.uri, listener="inside")
        await server.api.add_tenant()
        await server.api.add_access_number()
        await call_again(server, caller)
        ring = await phone.rings()
        ring.reply(200, headers=[(f"X-Filler-{n}", "f" * 400) for n in range(28)])
        await phone.expect("ACK")
        answer = await caller.answered()
        assert len(answer.raw) < 1_300
        await hear_each_other(caller, phone)
        await end(caller, phone)


async def test_a_message_beyond_the_limit_harms_nobody(server: Server) -> None:
    """More than 16,000 octets: refused or dropped, and the next call is as any other."""
    async with await Caller.open("trunk") as caller, await Phone.open("1001") as phone:
        await server.api.add_agent(phone.uri, listener="inside")
        await server.api.add_tenant()
        await server.api.add_access_number()
        filler = [(f"X-Filler-{n}", "f" * 400) for n in range(60)]
        await call_again(server, caller, headers=filler)
        await call_again(server, caller)
        await phone.answers()
        await caller.answered()
        await hear_each_other(caller, phone)
        await end(caller, phone)
        assert len(phone.calls) == 1
