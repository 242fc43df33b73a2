"""Event records on the TCP socket and the WebSocket: one order for all, resumed by number, nobody waits."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.several_trunks import diverted_by, served
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.listener import Listener
from tests.peers.receiver import Receiver, receiver
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually

ORDER = [
    "call.received", "call.correlated", "screen.pop", "call.offered", "call.ringing", "call.answered", "call.connected",
    "call.wrapped", "call.ended",
]  # fmt: skip


async def test_each_call_is_received_once_with_both_numbers(server: Server, caller: Caller, phone: Phone) -> None:
    """R0-02: the calling and the called number, exactly once a call, before anything else of it."""
    await server.api.furnish(phone.uri)
    listener = await server.listen()
    token = await server.api.issue_token()
    await served(server, caller, phone, headers=diverted_by(token["original_called_number"]))
    await caller.invite(server.outside, "4008109999", caller="02166660000")  # nobody's number
    await caller.expect(404)
    for _ in range(2):
        await listener.expect("call.ended")
    received = listener.of_type("call.received")
    assert [event["data"] for event in received] == [
        {"calling": BILLING_NUMBER, "called": ACCESS_NUMBER, "trunk": "carrier"},
        {"calling": "02166660000", "called": "4008109999", "trunk": "carrier"},
    ]
    assert listener.of_call(received[0]["call"]) == ORDER
    assert listener.of_call(received[1]["call"]) == ["call.received", "call.uncorrelated", "call.ended"]
    assert all(event["node"] == "test" for event in listener.events)


@contextmanager
def seven_deaf_sockets(server: Server) -> Iterator[None]:
    """Listeners that ask for everything and read nothing: four on the event socket, three on the WebSocket."""
    upgrade = (
        "GET /v1/events?after=0&version=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {server.api.token}\r\n\r\n"
    )
    hellos = [(server.events_address, '{"after": 0, "version": 1}\n')] * 4 + [(server.api_address, upgrade)] * 3
    with ExitStack() as stack:
        for address, hello in hellos:
            deaf = stack.enter_context(socket.create_connection(address))
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.sendall(hello.encode())
        yield


@pytest.fixture
def hung() -> Iterator[Receiver]:
    """A listener over HTTP that takes every record and never says so."""
    with receiver() as made:
        made.answer = lambda got: 200 if made.released.wait(60) else 500
        yield made


async def test_two_listeners_get_everything_in_order_while_ten_others_take_nothing(
    server: Server, trunk: Sipp, agent: Sipp, hung: Receiver
) -> None:
    """R0-14: both sockets, the same records in the same order; sockets that nobody reads and listeners over HTTP that
    hang delay neither them nor the calls."""
    await server.api.furnish(agent.uri)
    await server.api.add_plan(webhooks=[{"id": f"hung-{n}", "url": hung.url, "timeout": 30} for n in range(3)])
    tcp, web = await server.listen_tcp(after=0), await server.listen(after=0)
    with seven_deaf_sockets(server):
        numbers = [(await server.api.issue_token())["original_called_number"] for _ in range(20)]
        file = trunk.folder / "numbers.csv"
        file.write_text("SEQUENTIAL\n" + "".join(f"{n};{BILLING_NUMBER};{ACCESS_NUMBER}\n" for n in numbers))
        answered = await agent.answers("load-agent", n=20)
        placed = await trunk.start_calls(server.outside, "load-trunk", n=20, rate=20, inject=file)
        await placed.done()
        await answered.done()
        assert placed.failed == 0
        ours = {cdr["id"] for cdr in await server.api.cdrs(20)}
        assert len(ours) == 20
        for listener in (tcp, web):
            await eventually(partial(all_ended, listener, ours), "all calls have ended for this listener")
    end = min(tcp.last, web.last)
    told = [[event for event in listener.events if event["number"] <= end] for listener in (tcp, web)]
    assert told[0] == told[1]
    assert [event["number"] for event in told[0]] == list(range(1, end + 1))
    for call in ours:
        assert tcp.of_call(call) == ORDER
    assert not hung.taken
    assert all([await server.api.metric("tandem_webhook_behind", webhook=f"hung-{n}") > 0 for n in range(3)])


def all_ended(listener: Listener, calls: set[str]) -> bool:
    """Whether these calls are over for this listener."""
    return calls <= {event["call"] for event in listener.of_type("call.ended")}


@pytest.mark.parametrize("kind", ["tcp", "websocket"])
async def test_a_listener_that_was_away_resumes_from_its_last_number(
    server: Server, caller: Caller, phone: Phone, kind: str
) -> None:
    """R0-14: what happened meanwhile, then what happens now, without gap or repeat."""
    await server.api.furnish(phone.uri)
    listen = server.listen_tcp if kind == "tcp" else server.listen
    first = await listen(after=0)
    tokens = [await server.api.issue_token() for _ in range(3)]
    a, b, c = (diverted_by(token["original_called_number"]) for token in tokens)
    await served(server, caller, phone, headers=a)
    await eventually(lambda: first.of_type("call.ended"), "the first call has ended for the listener")
    await first.close()
    await served(server, caller, phone, headers=b)
    second = await listen(after=first.last)
    await served(server, caller, phone, headers=c)
    for _ in range(2):
        await second.expect("call.ended")
    numbers = [event["number"] for event in second.events]
    assert numbers == list(range(first.last + 1, first.last + 1 + 2 * len(ORDER)))


async def test_a_number_from_the_future_is_an_error_and_not_silence(server: Server) -> None:
    """R0-14: a listener of another node, or of a database set back, learns of it."""
    listener = await server.listen_tcp(after=10**9)
    await eventually(lambda: listener.ended, "the server has closed the connection")
    assert "no event" in str(listener.events[0])


async def test_a_tenants_key_sees_its_own_calls_only(start_server: StartServer, caller: Caller, phone: Phone) -> None:
    """R0-14, R1-05: on both sockets; without a key, or with a wrong one, nobody listens where keys are asked for."""
    server = await start_server({"events": {"require_key": True}})
    await server.api.furnish(phone.uri)
    await server.api.add_tenant("beta", "7002")
    secret = {}
    for tenant in ("acme", "beta"):
        body = {"name": tenant, "role": "tenant", "tenant": tenant}
        secret[tenant] = (await server.api.post("/v1/api-keys", body))["secret"]
    listeners = {
        (tenant, listen.__name__): await listen(after=0, token=secret[tenant])
        for tenant in secret
        for listen in (server.listen, server.listen_tcp)
    }
    for tenant in secret:
        token = await server.api.issue_token(tenant)
        await served(server, caller, phone, headers=diverted_by(token["original_called_number"]))
    for (tenant, _), listener in listeners.items():
        await listener.expect("call.ended")
        assert {event["data"]["tenant"] for event in listener.events} == {tenant}
        assert len(listener.of_type("call.ended")) == 1
    for wrong in (None, "tdm_wrong"):
        async with await Listener.over_tcp(server.events_address, after=0, token=wrong) as refused:
            await eventually(partial(getattr, refused, "ended"), "the server has closed the connection")
            assert [list(event) for event in refused.events] == [["error"]]
