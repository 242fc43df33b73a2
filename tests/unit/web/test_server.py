"""uvicorn as a service of ours: starts, stops, keeps its hands off signals and log, and drops who wastes its time."""

import asyncio
import signal
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from b2bua.web import WebServer
from b2bua.web.limits import Limits
from tests.peers.waiting import eventually
from tests.unit.outside.certificates import server_context
from tests.unit.web.running import running
from tests.unit.web.server import CALL, Api, api


def address(web: Api) -> tuple[str, int]:
    return "127.0.0.1", web.node.settings.api.port


async def test_it_leaves_signals_alone_and_frees_its_port(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with api(tmp_path) as web:
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
        where = address(web)
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(where)


async def test_a_port_that_is_taken_is_named(web: Api) -> None:
    with pytest.raises(OSError, match=f"the API cannot listen on 127.0.0.1 port {address(web)[1]}"):
        async with running(WebServer(web.node)):
            pass


async def test_it_stops_though_clients_are_connected(tmp_path: Path) -> None:
    async with api(tmp_path) as web:
        _, idle = await asyncio.open_connection(*address(web))
        reader, busy = await asyncio.open_connection(*address(web))
        busy.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in await reader.readline()
    for writer in (idle, busy):
        writer.close()


async def test_no_version_is_told(web: Api) -> None:
    answer = await web.ask("GET", "/healthz", key=None)
    assert "server" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


async def test_something_that_is_not_http_gets_400(web: Api) -> None:
    reader, writer = await asyncio.open_connection(*address(web))
    writer.write(b"OPTIONS sip:x SIP/2.0\r\n\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()


async def test_an_endless_head_gets_400(web: Api) -> None:
    reader, writer = await asyncio.open_connection(*address(web))
    writer.write(b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000)
    assert b" 400 " in await reader.readline()
    writer.close()


async def test_a_connection_that_drips_its_head_is_dropped(tmp_path: Path) -> None:
    async with api(tmp_path, limits=Limits(head_within=0.1, look_every=0.05)) as web:
        for first in (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"):
            reader, writer = await asyncio.open_connection(*address(web))
            writer.write(first + b"GET /healthz HTTP/1.1\r\n")
            if first:
                assert b" 200 " in await reader.readline()
            dripping = asyncio.create_task(_drip(writer))
            await _until_closed(reader)
            dripping.cancel()
            writer.close()


async def _drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"X: y\r\n")
        await asyncio.sleep(0.01)


async def _until_closed(reader: asyncio.StreamReader) -> None:
    try:
        async with asyncio.timeout(10):
            while await reader.read(4096):
                pass
    except ConnectionError:
        pass


async def test_one_connection_too_many_is_closed(tmp_path: Path) -> None:
    async with api(tmp_path, limits=Limits(connections=2)) as web:
        await eventually(lambda: "0 connections" in _described(web), "those of the set-up have gone")
        kept = [await asyncio.open_connection(*address(web)) for _ in range(2)]
        reader, writer = await asyncio.open_connection(*address(web))
        await _until_closed(reader)
        writer.close()
        kept[0][1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in await kept[0][0].readline()
        for _, held in kept:
            held.close()


def _described(web: Api) -> str:
    return repr(web.server)


async def test_a_client_that_does_not_read_its_answer_is_dropped(tmp_path: Path) -> None:
    async with api(tmp_path, limits=Limits(read_within=0.2, look_every=0.05)) as web:
        for at in range(400):
            web.calls.calls[str(at)] = replace(CALL, data={"x": "y" * 10_000})
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, address(web))
            ask = f"GET /v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {web.keys['admin']}\r\n\r\n"
            await loop.sock_sendall(deaf, ask.encode() * 2)
            await eventually(lambda: "1 connections" in _described(web), "it is connected")
            await eventually(lambda: "0 connections" in _described(web), "it is dropped")


async def test_https_is_spoken_where_a_certificate_is_given(tmp_path: Path) -> None:
    _, authority = server_context(tmp_path, "localhost")
    async with api(tmp_path, tls_certificate=tmp_path / "leaf.pem", tls_key=tmp_path / "leaf.key") as web:
        trust = ssl.create_default_context(cafile=str(authority))
        url = f"https://localhost:{address(web)[1]}"
        headers = {"Authorization": f"Bearer {web.keys['admin']}"}
        async with httpx.AsyncClient(verify=trust, trust_env=False, headers=headers) as client:
            assert (await client.get(f"{url}/v1/tenants")).json() == {"tenants": []}
        async with httpx.AsyncClient(trust_env=False) as strict:
            with pytest.raises(httpx.ConnectError):
                await strict.get(f"{url}/healthz")
