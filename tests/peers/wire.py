"""SIP over UDP, TCP and TLS sockets (RFC 3261 section 18): bytes of whole messages in and out, nothing more."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from tests.peers.ports import PORTS

Address = tuple[str, int]

SHUTDOWN = 0.2
"Seconds a TLS connection waits for the other side's close_notify, which many SIP stacks never send."


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message goes or came from; `send` writes bytes there at once (a stream buffers what does not fit)."""

    remote: Address
    transport: str
    send: Callable[[bytes], None]

    def __repr__(self) -> str:
        return f"{self.transport}:{self.remote[0]}:{self.remote[1]}"


@dataclass(frozen=True, slots=True)
class Tls:
    """The two contexts a TLS peer needs: one to listen, one to connect."""

    server: ssl.SSLContext
    client: ssl.SSLContext


OnMessage = Callable[[bytes, Route], None]


class Wire:
    """One local address: a UDP socket, or a TCP/TLS listener with all its connections, those we made included."""

    def __init__(self, host: str, transport: str, on_message: OnMessage, tls: Tls | None = None) -> None:
        self.host, self.transport, self.tls = host, transport, tls
        self.port = 0
        self.connections_lost = 0
        self._on_message = on_message
        self._udp: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._streams: dict[Address, Route] = {}
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, port: int | None = None) -> None:
        """Bind; without a port one of ours is taken, and another when somebody was faster."""
        for _ in range(20):
            self.port = port or PORTS.take()
            try:
                await self._listen()
                return
            except OSError:
                if port:
                    raise
        raise OSError(f"no free port on {self.host}")

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        if self.transport == "udp":
            self._udp, _ = await loop.create_datagram_endpoint(
                lambda: Datagrams(self), local_addr=(self.host, self.port)
            )
            self._udp.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            return
        context = self.tls.server if self.tls and self.transport == "tls" else None
        limit = SHUTDOWN if context else None
        self._server = await asyncio.start_server(
            self._accepted, self.host, self.port, ssl=context, ssl_shutdown_timeout=limit
        )

    async def route(self, remote: Address, transport: str | None = None) -> Route:
        """A way to that address: the socket for UDP, an open or new connection for TCP and TLS."""
        if (transport or self.transport) != self.transport:
            raise ValueError(f"this peer speaks {self.transport}, not {transport}")
        if self._udp is not None:
            return self.datagram_route(remote)
        if remote not in self._streams:
            context = self.tls.client if self.tls and self.transport == "tls" else None
            limit = SHUTDOWN if context else None
            reader, writer = await asyncio.open_connection(
                *remote, ssl=context, ssl_shutdown_timeout=limit, local_addr=(self.host, 0)
            )
            self._adopt(reader, writer, remote)
        return self._streams[remote]

    def datagram_route(self, remote: Address) -> Route:
        """The way to an address from our one UDP socket."""
        udp = self._udp
        assert udp is not None
        return Route(remote, "udp", lambda data: udp.sendto(data, remote))

    async def hang_up_streams(self) -> None:
        """Close every TCP or TLS connection but keep listening: a network that drops connections."""
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        self._writers.clear()
        self._streams.clear()

    async def close(self) -> None:
        """Close all sockets; nothing of ours stays behind in the loop."""
        if self._udp is not None:
            self._udp.close()
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.hang_up_streams()
        if self._server is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 2)
        await asyncio.sleep(0)  # lets the datagram transport close its socket

    def received(self, data: bytes, route: Route) -> None:
        """A whole message arrived (keep-alives are not messages)."""
        if data.strip(b"\r\n\0"):
            self._on_message(data, route)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = writer.get_extra_info("peername")
        self._adopt(reader, writer, (name[0], name[1]))

    def _adopt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, remote: Address) -> None:
        route = Route(remote, self.transport, writer.write)
        self._streams[remote] = route
        self._writers.append(writer)
        task = asyncio.create_task(self._read(reader, writer, route))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: Route) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.strip():
                    writer.write(b"\r\n")  # RFC 5626 pong
                    continue
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith((b"content-length:", b"l:")):
                        length = int(line.partition(b":")[2])
                self.received(head.lstrip(b"\r\n") + await reader.readexactly(length), route)
        self.connections_lost += 1
        if self._streams.get(route.remote) is route:
            del self._streams[route.remote]
        writer.close()


class Datagrams(asyncio.DatagramProtocol):
    """Hands every datagram to its wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def datagram_received(self, data: bytes, addr: Address) -> None:
        remote = (addr[0], addr[1])
        self.wire.received(data, self.wire.datagram_route(remote))

    def error_received(self, exc: Exception) -> None:
        """An ICMP error (nobody listens there): what is missing shows in the test's own wait."""
