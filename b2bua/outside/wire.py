"""HTTP/1.1 out, as small as it can be: h11 over asyncio's sockets, connections kept for the next question.

What may go wrong with bigger clients does not exist here: no redirects, no cookies shared between tenants, no proxies
from the environment, no decompression. Time limits belong to the caller: every await may be cancelled.
"""

import asyncio
import ssl
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from b2bua.outside.names import Names
from b2bua.outside.question import Request

KEEP = 20.0
"Seconds a connection is kept for the next question."
PIECE = 4096
"Bytes read at once, which bounds how much of an answer is taken apart in one go."
MAX_HEAD = 32 * 1024
"Bytes of an answer's head."
MOST_LINES = 100
"Lines of a head, or of the trailers, that are kept until the rest of them comes."
MOST_EVENTS = 4000
"Chunks and interim responses of one answer."
BREATH = 40
"Of these in one go: each costs 20 us, and the loop carries calls."

Origin = tuple[bool, str, int]
"Whether TLS, host, port."


class NoConnection(Exception):
    """The other side cannot be reached, its certificate is not valid, or the connection broke."""


class NoRoom(Exception):
    """Too many connections are open already."""


class NotHttp(Exception):
    """What came back is no HTTP."""


class TooLarge(Exception):
    """The body is larger than allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class _Wire:
    """One connection. It carries one question at a time."""

    __slots__ = ("expiry", "http", "origin", "reader", "used", "writer")

    def __init__(self, origin: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.origin, self.reader, self.writer = origin, reader, writer
        self.http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self.used = False
        "It has carried a question before."
        self.expiry: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        return not (self.writer.is_closing() or self.reader.at_eof())

    async def ask(self, head: h11.Request, body: bytes | None, max_body: int) -> Answer:
        self.writer.write(self.http.send(head) or b"")
        if body:
            self.writer.write(self.http.send(h11.Data(data=body)) or b"")
        self.http.send(h11.EndOfMessage())
        response: h11.Response | None = None
        got = bytearray()
        for count in range(1, MOST_EVENTS):
            event = self.http.next_event()
            if count % BREATH == 0:
                await asyncio.sleep(0)
            if event is h11.NEED_DATA:
                if self.http.trailing_data[0].count(b"\n") > MOST_LINES:
                    raise NotHttp(f"a head of more than {MOST_LINES} lines")
                self.http.receive_data(await self.reader.read(PIECE))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                got += event.data
                if len(got) > max_body:
                    raise TooLarge(f"more than {max_body} bytes")
            elif isinstance(event, h11.EndOfMessage):
                assert response is not None
                return Answer(response.status_code, tuple(response.headers), bytes(got))
            elif not isinstance(event, h11.InformationalResponse):
                raise NotHttp(f"unexpected {event!r}")
        raise NotHttp(f"an answer in more than {MOST_EVENTS} pieces")

    def has_heard(self) -> bool:
        """Whether any of the answer has come."""
        return self.http.their_state is not h11.SEND_RESPONSE or bool(self.http.trailing_data[0])


class Wires:
    """The connections to all outside systems."""

    def __init__(self, names: Names, tls: ssl.SSLContext, most: int) -> None:
        self._names, self._tls, self.most = names, tls, most
        self._idle: dict[Origin, list[_Wire]] = defaultdict(list)
        self._open: set[_Wire] = set()

    def __repr__(self) -> str:
        return f"<Wires {len(self._open)} open, {sum(map(len, self._idle.values()))} idle>"

    async def ask(self, request: Request, max_body: int) -> Answer:
        """Send it and read the answer. Raises NoConnection, NoRoom, NotHttp, TooLarge."""
        parts = urlsplit(request.url)
        secure = parts.scheme == "https"
        origin = (secure, parts.hostname or "", parts.port or (443 if secure else 80))
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        size = (("Content-Length", str(len(request.body))),) if request.body is not None else ()
        try:
            head = h11.Request(
                method=request.method, target=target, headers=[("Host", parts.netloc), *request.headers, *size]
            )
        except (h11.LocalProtocolError, ValueError):
            # not with its text, which repeats what stood there, and that may be the secret
            raise NoConnection("the URL or the secret has characters that HTTP cannot carry") from None
        while True:
            wire = self._kept(origin) or await self._new(origin)
            try:
                answer = await wire.ask(head, request.body, max_body)
            except BaseException as error:
                self._drop(wire)
                broken = isinstance(error, OSError | h11.RemoteProtocolError)
                if broken and wire.used and not wire.has_heard():
                    continue  # it was closed at the far end while it was kept; our questions may be asked again
                if isinstance(error, h11.RemoteProtocolError):
                    raise NotHttp(str(error)) from None
                if isinstance(error, OSError):
                    raise NoConnection(error.__class__.__name__) from None
                raise
            self._keep(wire)
            return answer

    def close(self) -> None:
        """Drop all connections."""
        for wire in list(self._open):
            self._drop(wire)
        self._idle.clear()

    def _kept(self, origin: Origin) -> _Wire | None:
        kept = self._idle[origin]
        while kept:
            wire = kept.pop()
            if wire.expiry is not None:
                wire.expiry.cancel()
            if wire.is_open:
                return wire
            self._drop(wire)
        return None

    async def _new(self, origin: Origin) -> _Wire:
        if len(self._open) >= self.most and not self._make_room():
            raise NoRoom(f"{self.most} connections are open")
        secure, host, port = origin
        try:
            addresses = await self._names.addresses(host)
        except OSError as error:
            raise NoConnection(f"no address for {host}") from error
        fault: OSError = OSError("no address")
        for address in addresses:
            try:
                reader, writer = await asyncio.open_connection(
                    address, port, ssl=self._tls if secure else None, server_hostname=host if secure else None
                )
            except OSError as error:  # a certificate that is not valid is one as well
                fault = error
                continue
            wire = _Wire(origin, reader, writer)
            self._open.add(wire)
            return wire
        raise NoConnection(fault.__class__.__name__) from fault

    def _keep(self, wire: _Wire) -> None:
        http = wire.http
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE or not wire.is_open:
            self._drop(wire)
            return
        http.start_next_cycle()
        wire.used = True
        wire.expiry = asyncio.get_running_loop().call_later(KEEP, self._drop, wire)
        self._idle[wire.origin].append(wire)

    def _make_room(self) -> bool:
        for kept in self._idle.values():
            if kept:
                self._drop(kept[0])
                return True
        return False

    def _drop(self, wire: _Wire) -> None:
        if wire.expiry is not None:
            wire.expiry.cancel()
        kept = self._idle[wire.origin]
        if wire in kept:
            kept.remove(wire)
        if not kept:
            del self._idle[wire.origin]
        self._open.discard(wire)
        wire.writer.transport.abort()
