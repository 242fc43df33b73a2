"""Events over a WebSocket: from any number on, in order, to those who may see them (R0-14)."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from b2bua.web.limits import Limits
from tests.peers.waiting import PATIENCE, eventually
from tests.unit.web.server import Api, api


def open_feed(web: Api, key: str | None, query: str = "", **more: Any) -> Any:
    headers = {} if key is None else {"Authorization": f"Bearer {web.keys[key]}"}
    url = web.url.replace("http", "ws") + "/v1/events" + query
    return connect(url, additional_headers=headers, proxy=None, open_timeout=PATIENCE, **more)


async def numbers(listener: ClientConnection, count: int) -> list[int]:
    async with asyncio.timeout(PATIENCE):
        return [json.loads(await listener.recv())["number"] for _ in range(count)]


def feeds() -> list[Any]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "event feed"]


def tell(web: Api, count: int, tenant: str | None = None) -> None:
    for _ in range(count):
        web.node.events.append("call.received", "0190-a", {"tenant": tenant} if tenant else {})


async def test_a_listener_gets_every_event_in_order_and_resumes_from_its_last(web: Api) -> None:
    """R0-14: a listener that reconnects resumes from its last number."""
    tell(web, 5)
    async with open_feed(web, "listener", "?after=0") as listener:
        assert await numbers(listener, 5) == [1, 2, 3, 4, 5]
        tell(web, 2)
        assert await numbers(listener, 2) == [6, 7]
    tell(web, 3)
    async with open_feed(web, "listener", "?after=7") as listener:
        assert await numbers(listener, 3) == [8, 9, 10]


async def test_without_a_number_a_listener_hears_what_comes(web: Api) -> None:
    tell(web, 5)
    async with open_feed(web, "listener") as listener:
        tell(web, 1)
        assert await numbers(listener, 1) == [6]


async def test_two_listeners_get_all_while_a_third_does_not_read(web: Api) -> None:
    """R0-14: a listener that stops reading delays nobody."""
    async with (
        open_feed(web, "listener", "?after=0") as one,
        open_feed(web, "operator", "?after=0") as two,
        open_feed(web, "listener", "?after=0", max_queue=1) as deaf,
    ):
        for _ in range(20):
            tell(web, 100)
            await asyncio.sleep(0)
        assert await numbers(one, 2000) == await numbers(two, 2000) == list(range(1, 2001))
        deaf.transport.abort()


async def test_a_listener_that_never_reads_is_dropped(tmp_path: Path) -> None:
    """R0-14: it alone falls behind, and its place is given up."""
    async with api(tmp_path, limits=Limits(read_within=0.2, look_every=0.05)) as web:
        await _is_dropped(web)


async def _is_dropped(web: Api) -> None:
    key = web.keys["listener"]
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, ("127.0.0.1", web.node.settings.api.port))
        await loop.sock_sendall(
            deaf,
            b"GET /v1/events?after=0 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Authorization: Bearer " + key.encode() + b"\r\n\r\n",
        )
        assert b" 101 " in await loop.sock_recv(deaf, 64)
        await eventually(lambda: len(feeds()) == 1, "the listener is served")
        for _ in range(2000):
            web.node.events.append("call.received", "0190-a", {"filler": "x" * 5000})
        await eventually(lambda: not feeds(), "the listener is let go")


async def test_a_tenants_listener_gets_its_own_events_only(web: Api) -> None:
    """The events of a call that nobody was found for yet are not for tenants either."""
    tell(web, 1)
    tell(web, 1, "beta")
    tell(web, 1, "acme")
    tell(web, 1, "beta")
    tell(web, 1, "acme")
    for key in ("acme", "acme-listener"):
        async with open_feed(web, key, "?after=0") as listener:
            assert await numbers(listener, 2) == [3, 5]


async def test_a_browser_shows_its_key_as_a_subprotocol(web: Api) -> None:
    offered = ["tandem.events", f"bearer.{web.keys['listener']}"]
    async with open_feed(web, None, "?after=0", subprotocols=offered) as listener:
        assert listener.subprotocol == "tandem.events"
        tell(web, 1)
        assert await numbers(listener, 1) == [1]


async def test_those_who_may_not_listen_are_told_why_as_a_problem(web: Api) -> None:
    tell(web, 3)
    web.keys["wrong"] = "tdm_wrong"
    for key, query, status, kind in (
        (None, "", 401, "no-key"),
        ("wrong", "", 401, "wrong-key"),
        ("metrics", "", 403, "forbidden"),
        ("listener", "?after=4", 409, "ahead"),
        ("listener", "?after=x", 422, "invalid"),
        ("listener", "?after=-1", 422, "invalid"),
        ("listener", "?version=2", 422, "invalid"),
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with open_feed(web, key, query):
                pass
        answer = refused.value.response
        assert (answer.status_code, json.loads(answer.body)["type"]) == (status, f"urn:tandem:problem:{kind}")
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_plain_get_is_asked_to_upgrade(web: Api) -> None:
    answer = await web.ask("GET", "/v1/events", key="listener")
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


async def test_a_listener_whose_key_is_revoked_is_let_go(tmp_path: Path) -> None:
    async with api(tmp_path, limits=Limits(check_key=0.05)) as web:
        await _is_let_go(web)


async def _is_let_go(web: Api) -> None:
    keys = (await web.ask("GET", "/v1/api-keys")).json()["api_keys"]
    (listener_key,) = [key["id"] for key in keys if key["name"] == "listener"]
    async with open_feed(web, "listener") as listener:
        await web.ask("DELETE", f"/v1/api-keys/{listener_key}")
        with pytest.raises(ConnectionClosed) as closed:
            await numbers(listener, 1)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


async def test_what_a_listener_says_means_nothing(web: Api) -> None:
    async with open_feed(web, "listener", "?after=0") as listener:
        await listener.send("subscribe to everything")
        tell(web, 1)
        assert await numbers(listener, 1) == [1]
        await listener.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            await numbers(listener, 1)
