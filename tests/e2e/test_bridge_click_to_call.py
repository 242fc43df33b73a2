"""Click to call: POST /v1/calls rings one agent, then the other with ringback to the first, then lets both talk."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import StartServer
from tests.peers.exchange import Received
from tests.peers.message import user_of
from tests.peers.server import Server
from tests.peers.uas import Phone

RINGBACK = 425.0
"Hz of the ringback tone the server makes."


@pytest.fixture
async def first() -> AsyncIterator[Phone]:
    async with await Phone.open("1001") as phone:
        yield phone
        print(phone.ladder())


@pytest.fixture
async def second() -> AsyncIterator[Phone]:
    async with await Phone.open("1002") as phone:
        yield phone
        print(phone.ladder())


async def click(server: Server, first: Phone, second: Phone) -> str:
    """Two agents, and a call between them; returns its id."""
    await server.api.add_tenant()
    await server.api.add_agent(first.uri, "1001")
    await server.api.add_agent(second.uri, "1002")
    body = {"a": {"agent": "1001"}, "b": {"agent": "1002"}, "tenant": "acme"}
    return str((await server.api.post("/v1/calls", body))["id"])


async def first_answered(server: Server, first: Phone, second: Phone) -> tuple[str, Received]:
    """As `click`; the first has answered and the second rings: the call's id and the second's INVITE."""
    started = await click(server, first, second)
    await first.answers()
    return started, await second.rings()


async def test_two_agents_talk(server: Server, first: Phone, second: Phone) -> None:
    """Live calls, start: the second is rung only when the first has answered, who hears ringback until both talk."""
    listener = await server.listen()
    started = await click(server, first, second)
    ring = await first.rings()
    assert user_of(ring.get("From")) == "1002"
    assert not second.got("INVITE")
    ring.reply(200)
    await first.expect("ACK")
    ring = await second.rings()
    assert ring.get("X-Tandem-Call-ID") == started
    assert user_of(ring.get("From")) == "1001"
    await first.hears(RINGBACK)
    ring.reply(200)
    await second.expect("ACK")
    await first.hears(second)
    await second.hears(first)
    await first.sound.expect_not(RINGBACK)
    assert [call["id"] for call in await server.api.calls()] == [started]
    await (await first.bye()).expect(200)
    await second.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["id"], cdr["direction"], cdr["tenant"], cdr["cause"]) == (started, "outbound", "acme", "normal")
    assert (cdr["ended_by"], cdr["called"], cdr["effective_caller"]) == ("caller", "1002", "1001")
    assert [part["party"] for part in cdr["parts"]] == ["1001", "1002"]
    await listener.expect("call.ended", call=started)
    types = [word for word in listener.of_call(started) if word != "call.path"]  # the ringback ends a moment later
    assert types[0] == "call.received"
    assert types[-3:] == ["call.ringing", "call.answered", "call.ended"]
    assert [event["data"]["extension"] for event in listener.of_type("call.ringing")] == ["1001", "1002"]


async def test_the_second_hangs_up(server: Server, first: Phone, second: Phone) -> None:
    """Live calls, start: either may end it."""
    _, ring = await first_answered(server, first, second)
    ring.reply(200)
    await second.expect("ACK")
    await first.hears(second)
    await (await second.bye()).expect(200)
    await first.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["ended_by"]) == ("normal", "agent")


async def test_the_first_does_not_answer_himself(server: Server, first: Phone, second: Phone) -> None:
    """Live calls, start: the first declines, so the second is never rung; he does not hear himself meanwhile."""
    started = await click(server, first, second)
    ring = await first.expect("INVITE")
    ring.reply(183, sdp=True)
    await first.hears_nothing()
    ring.reply(603)
    await first.expect("ACK")
    cdr = await server.api.cdr()
    assert (cdr["id"], cdr["cause"], cdr["sip_code"], cdr["answered_at"]) == (started, "agent-declined", 603, None)
    assert not second.got("INVITE")


async def test_early_media_of_the_second_takes_the_place_of_ringback(
    server: Server, first: Phone, second: Phone
) -> None:
    """Live calls, start: an announcement is heard alone; when the phone rings behind it, there is ringback again."""
    _, ring = await first_answered(server, first, second)
    await first.hears(RINGBACK)
    ring.reply(183, sdp=True)
    await first.hears(second)
    second.sound.pause()
    ring.reply(180)
    await first.hears(RINGBACK)
    ring.reply(200)
    second.sound.resume()
    await second.expect("ACK")
    await first.hears(second)


@pytest.mark.parametrize(("status", "cause"), [(486, "agent-busy"), (603, "agent-declined"), (404, "agent-failed")])
async def test_the_second_refuses(server: Server, first: Phone, second: Phone, status: int, cause: str) -> None:
    """Live calls, start: the first, who listens to ringback, gets a BYE that says why."""
    _, ring = await first_answered(server, first, second)
    ring.reply(status)
    bye = await first.expect("BYE")
    assert bye.get("Reason").startswith(f"SIP;cause={status};")
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["answered_at"], cdr["talk"]) == (cause, None, 0)


async def test_the_first_hangs_up_while_the_second_rings(server: Server, first: Phone, second: Phone) -> None:
    """Live calls, start: the second's phone stops ringing."""
    await first_answered(server, first, second)
    await (await first.bye()).expect(200)
    assert (await second.expect("CANCEL")).get("Reason") == 'SIP;cause=487;text="Originator cancelled"'
    cdr = await server.api.cdr()
    assert (cdr["cause"], cdr["ended_by"], cdr["answered_at"]) == ("cancelled", "caller", None)


async def test_an_order_ends_it_at_any_moment(server: Server, first: Phone, second: Phone) -> None:
    """Live calls, hang up: while the first rings, and while the second rings."""
    started = await click(server, first, second)
    await first.rings()
    await server.api.delete(f"/v1/calls/{started}")
    await first.expect("CANCEL")
    await server.api.cdr()
    started = str((await server.api.post("/v1/calls", {"a": {"agent": "1001"}, "b": {"agent": "1002"}}))["id"])
    await first.answers()
    await second.rings()
    await server.api.delete(f"/v1/calls/{started}")
    await first.expect("BYE")
    await second.expect("CANCEL")
    assert [row["cause"] for row in await server.api.cdrs(2)] == ["hung-up", "hung-up"]


async def test_keys_and_hold_work_as_in_any_call(server: Server, first: Phone, second: Phone) -> None:
    """Live calls, start: DTMF passes, and hold ends at its leg."""
    _, ring = await first_answered(server, first, second)
    ring.reply(200)
    await second.expect("ACK")
    await first.hears(second)
    first.sound.press("5", 60)
    await second.sound.expect_digits("5")
    await second.hold()
    await first.sound.expect_not(second.sound.tone or 0)
    await second.resume()
    await first.hears(second)
    await second.hears(first)


async def test_nobody_is_called_who_is_not_there(server: Server, first: Phone) -> None:
    """Live calls, start: 409 says who cannot be called; no phone rings."""
    await server.api.add_agent(first.uri, "1001")
    body = {"a": {"agent": "1001"}, "b": {"agent": "1002"}}
    answer = await server.api.http.post("/v1/calls", json=body)
    assert answer.status_code == 409
    assert "1002" in answer.json()["detail"]
    assert not first.got("INVITE")


async def test_a_number_is_called_over_a_trunk(start_server: StartServer, first: Phone, second: Phone) -> None:
    """Live calls, start: a number over a trunk; nothing of ours stands in the trunk's INVITE."""
    carrier = second
    server = await start_server({"trunks.carrier": {"target": f"127.0.0.1:{carrier.port}"}})
    await server.api.add_tenant()
    await server.api.add_agent(first.uri, "1001")
    body = {"a": {"agent": "1001"}, "b": {"number": "13800000001", "trunk": "carrier"}, "tenant": "acme"}
    await server.api.post("/v1/calls", body)
    await first.answers()
    ring = await carrier.expect("INVITE", user="13800000001")
    assert not ring.has("X-Tandem-Call-ID")
    assert user_of(ring.get("From")) == "02088880000"
    ring.reply(183, sdp=True)
    await first.hears(carrier)
    ring.reply(200)
    await carrier.expect("ACK")
    await first.hears(carrier)
    await carrier.hears(first)
    await (await carrier.bye()).expect(200)
    await first.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["trunk"], cdr["called"], cdr["extension"]) == ("carrier", "13800000001", "1001")
