"""uvicorn as one of our services: in our event loop, under our signals, with our log."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from b2bua.importing.imports import Imports
from b2bua.web.app import make_app
from b2bua.web.limits import Limits
from b2bua.web.ports import Node

BACKLOG = 512
KEEP_ALIVE = 15
"Seconds an idle connection is kept."
MAX_HEAD = 16 * 1024
"Bytes of a request's head."
MAX_MESSAGE = 4096
"Bytes of a message on a WebSocket; listeners have nothing to say."
GRACE = 2
"Seconds running requests have to end when the server stops."


class WebServer:
    """The API's listener: a service."""

    name = "api"
    stop_within = GRACE + 3.0

    def __init__(self, node: Node, limits: Limits | None = None) -> None:
        self.node, self.limits = node, limits or Limits()
        self.port = node.settings.api.port
        "The port it listens on; the one the system gave, once it runs, where 0 was asked for."
        self._server: _Server | None = None

    def __repr__(self) -> str:
        open_ = len(self._server.server_state.connections) if self._server else 0
        return f"<api on {self.node.settings.api.address}:{self.port}, {open_} connections>"

    async def run(self, ready: Callable[[], None]) -> None:
        """Listen until cancelled. Raises OSError for an address that cannot be had, or a certificate that cannot."""
        api = self.node.settings.api
        listening = _listen(api.address, self.port)
        try:
            app = make_app(self.node, self.limits)
            config = uvicorn.Config(
                app,
                loop="none",
                http=_Connection,
                ws="websockets-sansio",
                ws_max_size=MAX_MESSAGE,
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
                h11_max_incomplete_event_size=MAX_HEAD,
            )
            config.load()
            config.ssl = _tls(api.tls_certificate, api.tls_key)
            self.port = listening.getsockname()[1]
            self._server = server = _Server(config, ready, self.limits)
            await self._serve(server, listening, app.state.desk.imports)
        finally:
            listening.close()

    async def _serve(self, server: "_Server", listening: socket.socket, imports: Imports) -> None:
        serving = asyncio.create_task(server.serve(sockets=[listening]), name="api server")
        watching = asyncio.create_task(_watch(server.server_state.connections, self.limits), name="api connections")
        importing = asyncio.create_task(imports.run(), name="api imports")
        try:
            await asyncio.wait([serving, watching, importing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            importing.cancel()
            server.stop()
            await serving
            await asyncio.wait([importing])
        if not importing.cancelled():
            importing.result()  # it never ends but by an error


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], limits: Limits) -> None:
        super().__init__(config)
        self._ready = ready
        self._stop = asyncio.Event()
        self.server_state = _State(limits)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the whole process, not to its API

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def main_loop(self) -> None:
        # uvicorn's own looks ten times a second whether it should stop, on the loop that carries the calls
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stop.wait()

    def stop(self) -> None:
        self.should_exit = True
        self._stop.set()


class _State(ServerState):
    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.limits = limits


class _Connection(H11Protocol):
    server_state: _State

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.server_state.limits.connections:
            transport.abort()


async def _watch(connections: set[Any], limits: Limits) -> None:
    """Drop connections that never send a whole head, and those whose peer does not read what we sent."""
    loop = asyncio.get_running_loop()
    seen: dict[Any, tuple[_Wait, float]] = {}
    while True:
        await asyncio.sleep(limits.look_every)
        now, before, seen = loop.time(), seen, {}
        for connection in list(connections):
            wait = _waits_for(connection)
            if wait is None:
                continue
            since = before[connection][1] if connection in before and before[connection][0] == wait else now
            seen[connection] = (wait, since)
            if now - since > (limits.read_within if wait[0] == "reading" else limits.head_within):
                connection.transport.abort()


_Wait = tuple[str, object]
"What a connection waits for, and what would show that it goes on."


def _waits_for(connection: Any) -> _Wait | None:
    """None when the next step is ours."""
    unread = connection.transport.get_write_buffer_size()
    if unread:
        return "reading", unread
    if connection.transport.is_closing() or not isinstance(connection, H11Protocol):
        return None  # a WebSocket is pinged
    cycle: Any = connection.cycle
    if cycle is None or cycle.response_complete:
        return "a head", id(cycle)
    return None


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it each answer is 40 ms late
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"the API cannot listen on {address} port {port}: {error.strerror}") from None
    return listening


def _tls(certificate: Any, key: Any) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    return context
