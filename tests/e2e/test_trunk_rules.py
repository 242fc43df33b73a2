"""What trunks do to numbers, callers, headers and statuses; limits; and trunks on one address told apart."""

import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.e2e.carriers import dial, record
from tests.e2e.legs import shared_server
from tests.e2e.several_trunks import cdr_of
from tests.peers.api import BILLING_NUMBER
from tests.peers.call import Call
from tests.peers.configuration import Changes
from tests.peers.ports import PORTS
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import PATIENCE, eventually, eventually_true

CARRIER, LINE = PORTS.keep(1), PORTS.keep(1)
USUAL = {"listener": "outside", "access_id_width": 4, "probe": False}
GERMAN = {"country_code": "49", "national_prefix": "0"}
TARGET = {"target": f"127.0.0.1:{CARRIER}", "progress_timeout": 5.0}

CONFIG: Changes = {
    "listeners.outside": {"dscp": 26},
    "trunks.carrier": {"addresses": ["127.0.0.1/32"]},
    "trunks.line": {
        **USUAL, "addresses": ["127.0.0.1/32"], "source_ports": [LINE], "cps_in": 0.5, "refusal_code": 480,
    },
    "trunks.alone": {**USUAL, "addresses": ["127.0.0.7/32"], "cps_in": 0.5, "refusal_code": 486},
    "trunks.domain": {**USUAL, "addresses": ["127.0.0.1/32"], "request_hosts": ["sip.two.example"]},
    "trunks.user": {**USUAL, "addresses": ["127.0.0.1/32"], "request_users": ["4999*"]},
    "trunks.numbers": {
        **USUAL, **GERMAN, **TARGET,
        "addresses": ["127.0.0.2/32"],
        "called_in": ["strip 77", "digits"],
        "caller_in": ["e164"],
        "called_out": ["national", r"^0(30\d+)$ -> 77\1"],
        "caller_out": ["digits"],
        "number_examples": ["called_out +4930123 -> 7730123", "called_in 77030123 -> 4930123"],
        "caller_id": "+4930900",
        "caller_ids": ["+4930"],
        "tenant_callers": ["acme=+4930800"],
        "headers_in": ["X-Customer", "User-to-User"],
        "headers_in_rename": ["X-Customer=X-Account"],
    },
    "trunks.trusted": {
        **USUAL, **TARGET,
        "addresses": ["127.0.0.3/32"],
        "trust_asserted": True,
        "remote_party_id": True,
        "responses": ["404=503", "4xx=480"],
        "max_calls_in": 1,
        "refusal_code": 486,
        "headers_out": ["x-*"],
    },
    "trunks.one": {**USUAL, **TARGET, "addresses": ["192.0.2.4"], "max_calls_out": 1},
    "trunks.slow": {**USUAL, **TARGET, "addresses": ["192.0.2.5"], "cps_out": 0.5},
    "trunks.second": {**USUAL, **TARGET, "addresses": ["192.0.2.6"]},
    "trunk_groups.capped": {"members": ["one", "slow 2", "second 3"]},
}  # fmt: skip


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    async with shared_server(pool, tmp_path_factory.mktemp("trunks"), CONFIG, template) as server:
        yield server


async def answers_at(server: Server, number: str, kind: str, target: str) -> None:
    """An access number that leads there, without any data of the caller's."""
    entry = {"kind": kind, "target": target}
    await server.api.add_access_number(number, correlation="off", default_tenant="acme", entry=entry)


async def test_trunks_on_one_address_are_told_apart(server: Server) -> None:
    """By source port, host and user of the Request-URI; who has no mark has the rest."""
    async with (
        await Caller.open("a", sound=False) as plain,
        await Caller.open("b", port=LINE, sound=False) as line,
    ):
        here = f"127.0.0.1:{server.outside[1]}"
        calls = {
            "carrier": await plain.invite(server.outside, "4008100001"),
            "line": await line.invite(server.outside, "4008100001"),
            "user": await plain.invite(server.outside, "4999123"),
        }
        raw = plain.calls[0].invite_sent.raw.replace(
            f"INVITE sip:4008100001@{here}".encode(), b"INVITE sip:1@sip.two.example"
        )
        raw = raw.replace(plain.calls[0].call_id.encode(), b"by-domain@test").replace(
            b"branch=z9hG4bK", b"branch=z9hG4bKx"
        )
        await plain.send_raw(raw, server.outside)
        for name, call in calls.items():
            assert (await cdr_of(server, call))["trunk"] == name

        async def by_domain() -> bool:
            return any(
                row["sip_call_id"] == "by-domain@test" and row["trunk"] == "domain" for row in await server.api.cdrs(1)
            )

        await eventually_true(by_domain, "the call to sip.two.example is the trunk's of that domain")


async def test_numbers_are_written_as_each_side_writes_them(server: Server, phone: Phone) -> None:
    """Both ways: what comes in is ours in the record and at the agent, what goes out is the trunk's.

    Headers that the profile names go on to the agent, under the name it gives them; the network's word on the caller is
    in the record.
    """
    await server.api.furnish(phone.uri, trunks=["carrier"])
    await answers_at(server, "4930123", "agent", "1001")
    async with (
        await Caller.open("in", host="127.0.0.2") as trunk,
        await Phone.open("out", port=CARRIER, sound=False) as carrier,
    ):
        call = await trunk.invite(
            server.outside, "77030123", caller="0301234",
            headers={"X-Customer": "A-77", "X-Other": "no", "User-to-User": "56a390f3d2b7310023;encoding=hex",
                     "P-Asserted-Identity": "<sip:0301234;verstat=TN-Validation-Passed@carrier.example;user=phone>",
                     "Identity": "eyJhbGciOiJFUzI1NiJ9.eyJhdHRlc3QiOiJBIiwiaWF0IjoxNzY3MjI1NjAwfQ.c2ln;info=<https://x.example/c>;ppt=shaken"},
        )  # fmt: skip
        ring = await phone.answers()
        assert "sip:+49301234@" in ring.get("From")
        assert ring.get("X-Account") == "A-77"
        assert ring.get("User-to-User").startswith("56a390f3")
        assert not ring.has("X-Other")
        assert not ring.has("X-Customer")
        await trunk.answered()
        await (await trunk.bye()).expect(200)
        cdr = await cdr_of(server, call)
        assert (cdr["called"], cdr["effective_caller"]) == ("4930123", "+49301234")
        assert cdr["detail"]["verstat"] == "TN-Validation-Passed"
        assert cdr["detail"]["identity"] == [{"attest": "A", "iat": 1767225600, "ppt": "shaken"}]

        for tenant, shown in ((None, "4930900"), ("acme", "4930800")):
            body = {"a": {"agent": "1001"}, "b": {"number": "004930555", "trunk": "numbers"}, "tenant": tenant}
            await server.api.post("/v1/calls", body)
            await phone.answers()
            ring = await carrier.expect("INVITE", user="7730555")
            assert f"<sip:{shown}@" in ring.get("From")
            assert f"<sip:{shown}@" in ring.get("P-Asserted-Identity")
            ring.reply(486)
            await phone.expect("BYE")


async def test_a_private_caller_and_statuses_of_a_trunk(server: Server, phone: Phone) -> None:
    """Privacy: id goes on, the number only to a trusted trunk; Remote-Party-ID is read and written; one call too many
    and failures get the statuses that the settings name."""
    await server.api.furnish(phone.uri, trunks=["carrier"])
    await answers_at(server, "5550", "number", "12345")
    async with (
        await Caller.open("in", host="127.0.0.3", sound=False) as trunk,
        await Phone.open("out", port=CARRIER, sound=False) as carrier,
    ):
        told = {"Privacy": "id", "Remote-Party-ID": "<sip:0301234@c.example>;party=calling;privacy=full"}
        call = await trunk.invite(server.outside, "5550", caller="anonymous", headers=told)
        ring = await carrier.expect("INVITE", user="12345")
        assert "anonymous@anonymous.invalid" in ring.get("From")
        assert ring.get("Privacy") == "id"
        assert "<sip:0301234@" in ring.get("P-Asserted-Identity")
        assert "privacy=full" in ring.get("Remote-Party-ID")
        again = await trunk.invite(server.outside, "5550", caller=BILLING_NUMBER)
        await trunk.expect(486, call=again)
        ring.reply(404)
        await trunk.expect(503, call=call)
        await cdr_of(server, call)
        call = await trunk.invite(server.outside, "5550", caller=BILLING_NUMBER)
        await carrier.rejects(486, user="12345")
        await trunk.expect(480, call=call)
        await cdr_of(server, call)
    assert await server.api.counted("tandem_trunk_skipped_total", trunk="trusted", why="max-calls-in") == 1


async def test_signalling_is_marked_for_the_network(server: Server) -> None:
    """DSCP of what leaves the listener's socket (RFC 2474)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(PATIENCE)
        peer.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        via = f"127.0.0.1:{peer.getsockname()[1]}"
        ask = (
            f"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bKdscp\r\nMax-Forwards: 70\r\n"
            f"From: <sip:a@{via}>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: dscp@test\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n"
        )
        peer.sendto(ask.encode(), server.outside)
        data, marks, _, _ = await asyncio.to_thread(peer.recvmsg, 4096, 256)
        assert data.startswith(b"SIP/2.0 ")
        assert marks[0][2][0] >> 2 == 26


async def test_full_trunks_are_passed_over(server: Server) -> None:
    """Calls at once, calls a second: the next trunk of the group takes what is too much."""
    async with await Phone.open("out", port=CARRIER, sound=False) as carrier:
        numbers = [await dial(server, "capped") for _ in range(4)]
        rings = [await carrier.expect("INVITE", user=number) for number in numbers]
        state = {trunk["name"]: trunk["calls_out"] for trunk in (await server.api.get("/v1/trunks"))["trunks"]}
        assert (state["one"], state["slow"], state["second"]) == (1, 1, 2)
        for ring in rings:
            ring.reply(486)
        cdrs = [await record(server, number) for number in numbers]
        assert [cdr["trunk"] for cdr in cdrs] == ["one", "slow", "second", "second"]
    assert await server.api.counted("tandem_trunk_skipped_total", trunk="slow", why="cps") >= 1


async def test_each_trunk_is_held_to_its_own_calls_a_second(server: Server, phone: Phone) -> None:
    """`cps_in`: what is too much gets the trunk's own code and Retry-After, from the gate where the trunk is alone on
    its address, behind it where others share it; those others are served meanwhile."""
    async with (
        await Caller.open("a", sound=False) as plain,
        await Caller.open("b", port=LINE, sound=False) as line,
        await Caller.open("c", host="127.0.0.7", sound=False) as alone,
    ):
        offer = phone.sdp()
        for trunk, code in ((line, 480), (alone, 486)):
            calls = [await trunk.invite(server.outside, "4009", sdp=offer) for _ in range(6)]
            await eventually(partial(all_answered, calls), "an answer to each")
            refused = [call for call in calls if answer_of(call) == code]
            assert len(refused) >= 4, [call.statuses for call in calls]
            assert {answer_of(call) for call in calls} == {404, code}, "nobody has set up this number"
            assert all(1 <= int(call.received[-1].get("Retry-After")) <= 5 for call in refused)
            served = await plain.invite(server.outside, "4009", sdp=offer)
            await plain.expect(404, call=served)
    gate, behind = {"counter": "refused_trunk_rate"}, {"trunk": "line", "why": "cps"}
    assert await server.api.counted("tandem_gate_total", **gate) >= 4
    assert await server.api.counted("tandem_trunk_skipped_total", **behind) >= 4


def all_answered(calls: list[Call]) -> bool:
    return all(answer_of(call) for call in calls)


def answer_of(call: Call) -> int:
    """The final one; 0: none yet."""
    return next((status for status in call.statuses if status >= 200), 0)
