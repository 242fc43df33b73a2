"""Limits: what is too much is refused at once and by name, and what runs is not disturbed."""

import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest

from tests.e2e.bystander import bystander
from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, end, hear_each_other, shared_server, talking
from tests.peers.ports import PORTS
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true


@pytest.fixture
async def small(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server for two calls at once."""
    config = {"node": {"max_calls": 2}}
    async with shared_server(pool, tmp_path_factory.mktemp("small"), config, template) as server:
        yield server


async def refused_as_too_many(server: Server, caller: Caller) -> None:
    """503 with Retry-After in seconds; no record, no event, no token used."""
    token = await server.api.issue_token()
    headers = {"Diversion": f"<sip:{token['original_called_number']}@trunk>"}
    await caller.invite(server.outside, "4008100001", caller="02088880000", headers=headers)
    refused = await caller.expect(503)
    assert 1 <= int(refused.get("Retry-After")) <= 60
    assert await server.api.token_state(token) == "free"


async def test_one_call_too_many_is_told_to_come_back(small: Server, caller: Caller, phone: Phone) -> None:
    """Bad input, overload: above max_calls 503 with Retry-After; the calls that run go on; the next one is served."""
    async with bystander(small) as other:
        await talking(small, caller, phone)
        async with await Caller.open("third") as third:
            listener = await small.listen()
            for _ in range(3):
                await refused_as_too_many(small, third)
            assert await small.api.counted("tandem_sip_refusals_total", cause="overload") == 3
            assert listener.events == []
            await other.goes_on()
            await hear_each_other(caller, phone)
            await caller.hold()
            await caller.resume()
            await hear_each_other(caller, phone)
            await end(caller, phone)
            await small.api.cdr(called="4008100001")
            await call_again(small, third)
            await phone.answers()
            await third.answered()
            await hear_each_other(third, phone)
            await end(third, phone)
    assert len(await small.api.cdrs(3)) == 3


async def test_no_call_is_started_by_the_api_when_the_house_is_full(
    small: Server, caller: Caller, phone: Phone
) -> None:
    """Overload: click to call gets 503 too, and no phone rings."""
    async with bystander(small):
        await talking(small, caller, phone)
        answer = await small.api.http.post("/v1/calls", json={"a": {"agent": "1001"}, "b": {"agent": "1099"}})
        assert answer.status_code == 503
        assert len(phone.got("INVITE")) == 1
        await end(caller, phone)


async def test_a_burst_above_the_limit_leaves_nothing_behind(small: Server, phone: Phone) -> None:
    """Overload: forty calls at once at a house for two: two ring, the others are refused, and all is empty later."""
    await small.api.furnish(phone.uri)
    entry = {"kind": "agent", "target": "1001"}
    await small.api.add_access_number("4008100002", correlation="off", entry=entry)
    before = small.descriptors()
    async with await Caller.open("burst", sound=False) as burst:
        offer = phone.sdp()
        calls = [await burst.invite(small.outside, "4008100002", caller=f"138{n:08}", sdp=offer) for n in range(40)]
        rings = [await phone.rings() for _ in range(2)]
        await eventually(
            lambda: all({180, 503} & set(call.statuses) for call in calls), "each call rings or is refused"
        )
        refused = [call for call in calls if 503 in call.statuses]
        assert len(refused) == 38
        for call in calls:
            if call not in refused:
                await call.cancel()
                await call.expect(487, method="INVITE")
        for ring in rings:
            await phone.expect("CANCEL", call=ring.call)
    assert len(await small.api.cdrs(2)) == 2

    async def empty() -> bool:
        return await small.api.metric("tandem_legs_active") == 0 and small.descriptors() <= before

    await eventually_true(empty, "no leg and no descriptor more than before")


async def test_rtp_ports_used_up_by_others_cost_the_call_and_no_more(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """Overload: no port for a leg's sound is 500 with a cause of its own; with ports again, calls are served again."""
    first = PORTS.keep(8, even=True)
    server = await start_server(
        {"node": {"max_calls": 2}, "media": {"rtp_port_min": first, "rtp_port_max": first + 7}}, name="ports"
    )
    await server.api.furnish(phone.uri)
    with ExitStack() as taken:
        for port in range(first, first + 8):
            blocker = taken.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            blocker.bind(("127.0.0.1", port))
            if port == first + 5:
                await call_again(server, caller)
                await caller.expect(500)
        await call_again(server, caller)
        await caller.expect(500)
    assert [row["cause"] for row in await server.api.cdrs(2)] == ["no-resources", "no-resources"]
    await call_again(server, caller)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await end(caller, phone)
    PORTS.release(first)


async def test_new_calls_are_turned_away_before_the_last_port_is_taken(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """Early 503: from four fifths of the RTP ports on, with Retry-After; those who came before have their second legs,
    and the next call is served when one is over."""
    first = PORTS.keep(20, even=True)
    ports = {"rtp_port_min": first, "rtp_port_max": first + 19}
    server = await start_server({"node": {"max_calls": 5}, "media": ports}, name="early")
    assert await server.api.metric("tandem_admission_legs") == 8
    await server.api.furnish(phone.uri)
    entry = {"kind": "agent", "target": "1001"}
    await server.api.add_access_number("4008100002", correlation="off", entry=entry)
    for _ in range(4):
        call = await caller.invite(server.outside, "4008100002", sdp=phone.sdp())
        ring = await phone.rings()
        await caller.expect(180)
    refused = await caller.invite(server.outside, "4008100002", sdp=phone.sdp())
    answer = await caller.expect(503, call=refused)
    assert 1 <= int(answer.get("Retry-After")) <= 5
    assert await server.api.metric("tandem_rtp_ports_used") == 8
    await call.cancel()
    await phone.expect("CANCEL", call=ring.call)

    async def room() -> bool:
        return await server.api.metric("tandem_legs_active") < 8

    await eventually_true(room, "the legs of the call that is over to be gone")
    await caller.invite(server.outside, "4008100002", sdp=phone.sdp())
    await phone.rings()
    assert await server.api.metric("tandem_rtp_ports_exhausted_total") == 0
    PORTS.release(first)
