"""Calls that go out over a group of trunks: fail-over, its limits, what is left behind, and maintenance."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.carriers import CONFIG, SECOND, carriers, dial, record
from tests.e2e.legs import shared_server
from tests.peers.server import Server, Template
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    async with shared_server(pool, tmp_path_factory.mktemp("trunks"), CONFIG, template) as server:
        yield server


async def test_the_next_trunk_is_tried_when_one_fails(server: Server) -> None:
    """Fail-over on 408, 500, 502, 503, 504 and a trunk's own extras; the record says what was tried."""
    async with carriers() as (first, second):
        for status in (408, 500, 502, 503, 504, 403):
            number = await dial(server)
            await first.rejects(status, user=number)
            await second.rejects(486, user=number)
            cdr = await record(server, number)
            assert cdr["sip_code"] == 486
            assert cdr["trunk"] == "second"
            assert cdr["detail"]["trunks_failed"] == [{"trunk": "first", "why": str(status)}]
    assert await server.api.counted("tandem_trunk_failovers_total", trunk="first") == 6


async def test_an_address_where_nobody_listens(server: Server) -> None:
    """The black hole of a trunk costs a call the time of its first timer, not PJSIP's 32 s."""
    async with await Phone.open("second", port=SECOND, sound=False) as second:
        number = await dial(server)
        await second.rejects(486, user=number)
        assert (await record(server, number))["detail"]["trunks_failed"] == [{"trunk": "first", "why": "no-response"}]


async def test_an_address_that_the_system_does_not_send_to(server: Server) -> None:
    """No route, or a firewall's no: the next trunk gets the call at once, and the address is known to be out."""
    async with await Phone.open("second", port=SECOND, sound=False) as second:
        number = await dial(server, "cut-off")
        await second.rejects(486, user=number)
        cdr = await record(server, number)
    assert cdr["trunk"] == "second"
    assert cdr["detail"]["trunks_failed"] == [{"trunk": "forbidden", "why": "no-response"}]
    assert await server.api.counted("tandem_trunk_failovers_total", trunk="forbidden") == 1


async def test_a_word_on_the_number_is_the_last_one(server: Server) -> None:
    """Never after 404, 410, 484, 486, 6xx, nor once something has rung or was heard."""
    async with carriers() as (first, second):
        for status in (404, 410, 484, 486, 600, 603):
            number = await dial(server)
            await first.rejects(status, user=number)
            assert (await record(server, number))["detail"].get("trunks_failed") is None
        for progress, sdp in ((180, None), (183, b"v=0\r\n")):
            number = await dial(server)
            ring = await first.expect("INVITE", user=number)
            ring.reply(progress, sdp=sdp)
            ring.reply(503)
            await record(server, number)
        number = await dial(server)
        await first.rings(number)
        await first.expect("CANCEL")  # the time to answer is over, which is not the time to ring
        assert (await record(server, number))["cause"] == "no-answer"
        assert second.got("INVITE") == []


async def test_a_silent_trunk_is_left_behind_and_its_late_words_are_ended(server: Server) -> None:
    """No 1xx: the next trunk in time; a late 18x gets CANCEL, a late 200 ACK and BYE, both are counted."""
    async with carriers(trying=False, manual=["CANCEL"], sound=True) as (first, second):
        number = await dial(server)
        late = await first.expect("INVITE", user=number)
        ring = await second.expect("INVITE", user=number)
        assert ring.time - late.time > 0.3, "before any answer was due"
        late.reply(180)
        await first.expect("CANCEL", call=late.call)
        late.reply(200, sdp=True)  # it crosses the CANCEL
        await first.expect("ACK", call=late.call)
        await first.expect("BYE", call=late.call)
        ring.reply(486)
        cdr = await record(server, number)
        assert cdr["detail"]["trunks_failed"] == [{"trunk": "first", "why": "no-response"}]
        assert cdr["sip_code"] == 486

    async def counted() -> bool:
        ringing = await server.api.counted("tandem_gate_total", counter="late_ringing")
        return ringing == 1 and await server.api.counted("tandem_gate_total", counter="late_answers") >= 1

    await eventually_true(counted, "both late words are counted")


async def test_trying_alone_buys_a_trunk_more_time(server: Server) -> None:
    """Two timers: none for 1xx, and one for ringing behind a 100."""
    async with carriers() as (first, second):
        number = await dial(server)
        tried = await first.expect("INVITE", user=number)  # gets its 100, and no more
        ring = await second.expect("INVITE", user=number)
        assert ring.time - tried.time > 0.7
        await first.expect("CANCEL", call=tried.call)
        ring.reply(486)
        await record(server, number)


async def test_retry_after_is_honoured_within_bounds(server: Server) -> None:
    """A 503 with Retry-After keeps calls away from that address, no longer than the settings allow."""
    listener = await server.listen()
    async with carriers() as (first, second):
        number = await dial(server)
        ring = await first.expect("INVITE", user=number)
        ring.reply(503, headers={"Retry-After": "3600"})
        await second.rejects(486, user=number)
        await listener.expect("trunk.busy", trunk="first", seconds=1.0)
        number = await dial(server)
        await second.rejects(486, user=number)
        assert len(first.got("INVITE")) == 1
        assert await server.api.counted("tandem_trunk_skipped_total", trunk="first", why="retry-after") == 1

        async def allowed_again() -> bool:
            return bool((await server.api.get("/v1/trunks/first"))["far_ends"][0]["left_alone"] == 0)

        await eventually_true(allowed_again, "the address gets calls again")
        number = await dial(server)
        await first.rejects(486, user=number)
    await listener.close()


async def test_maintenance_keeps_new_calls_away(server: Server) -> None:
    """No new calls there, running ones stay; all out: the call has no trunk."""
    async with carriers() as (first, second):
        standing = await dial(server, "patient")
        ring = await first.rings(standing)
        for name in ("first", "patient"):
            await server.api.post(f"/v1/trunks/{name}/maintenance", {"on": True})
        number = await dial(server)
        await second.rejects(486, user=number)
        await server.api.post("/v1/trunks/second/maintenance", {"on": True})
        number = await dial(server)
        assert (await record(server, number))["cause"] == "no-trunk"
        assert first.got("CANCEL") == []
        ring.reply(486)
        await record(server, standing)
        for name in ("first", "second", "patient"):
            await server.api.post(f"/v1/trunks/{name}/maintenance", {"on": False})
        number = await dial(server)
        await first.rejects(486, user=number)
