"""Events over TCP: one JSON record a line; the first line from the listener may say who it is and where to resume."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from b2bua.events.event import VERSION, Event
from b2bua.events.log import EventLog, Subscription

FIRST_LINE = 4096
"Bytes a first line may have."

RECHECK = 30.0
"Seconds between two looks whether a listener may still listen."


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens: `tenant` restricts it to that tenant's events (None: all)."""

    name: str
    tenant: str | None = None


Check = Callable[[str | None], Awaitable[Listener | None]]
"From the token of the first line (None: it had none) to the listener, or None to turn it away."


class BadHello(Exception):
    """The first line is none of ours; the message goes to the listener."""


class CannotTell(BadHello):
    """Nobody knows at this moment whether the listener may listen."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What a first line may say."""

    token: str | None = None
    after: int | None = None

    @classmethod
    def parse(cls, line: bytes) -> "Hello":
        """Raises BadHello. Names we do not know are passed over."""
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            raise BadHello("the first line must be one JSON object") from None
        if not isinstance(said, dict):
            raise BadHello("the first line must be one JSON object")
        token, after, version = said.get("token"), said.get("after"), said.get("version", VERSION)
        if token is not None and not isinstance(token, str):
            raise BadHello("token must be a text")
        if after is not None and (type(after) is not int or after < 0):
            raise BadHello("after must be the number of an event, or 0")
        if version != VERSION:
            raise BadHello(f"records of this node have version {VERSION}")
        return cls(token, after)


class EventServer:
    """The TCP socket. A listener that stops reading falls behind alone, and is dropped after `stall` seconds."""

    def __init__(
        self,
        log: EventLog,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        check: Check | None = None,
        backlog: int = 100,
        stall: float = 30.0,
        hello: float = 1.0,
        most: int = 256,
        recheck: float = RECHECK,
    ) -> None:
        """`check` None lets everybody in; `hello`: seconds a listener has for its first line; `most`: connections."""
        self.stalled = 0
        "Listeners dropped because they did not read."
        self.refused = 0
        "Listeners turned away."
        self._log, self._address, self._port, self._check = log, address, port, check
        self._backlog, self._stall, self._hello, self._most, self._recheck = backlog, stall, hello, most, recheck
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def listeners(self) -> int:
        """Connections that are open now."""
        return len(self._connections)

    def __repr__(self) -> str:
        return f"<EventServer {self._address}:{self._port} listeners={self.listeners}>"

    async def start(self) -> int:
        """Listen; returns the port. Raises OSError."""
        self._server = await asyncio.start_server(
            self._accept, self._address, self._port, backlog=self._backlog, limit=FIRST_LINE
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def close(self) -> None:
        """Stop listening and let every listener go."""
        if self._server is not None:
            self._server.close()
        connections = list(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except BadHello as error:
            self.refused += 1
            writer.write(json.dumps({"error": str(error)}).encode() + b"\n")
            await _goodbye(writer)
        except TimeoutError:
            self.stalled += 1
            writer.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass  # it is gone, or we are: cancelled by `close` alone, so nothing waits for the cancellation
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        now_at = self._log.last
        if len(self._connections) > self._most:
            raise BadHello("too many listeners")
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        hello = await self._first_line(reader)
        listener = await self._admit(hello.token)
        try:
            place = self._log.subscribe(now_at if hello.after is None else hello.after)
        except ValueError as error:
            raise BadHello(str(error)) from None
        ends = asyncio.create_task(_end_of_input(reader, place, self._log))
        try:
            await self._feed(writer, place, hello, listener, ends)
        finally:
            ends.cancel()
            place.close()

    async def _first_line(self, reader: asyncio.StreamReader) -> Hello:
        try:
            async with asyncio.timeout(self._hello):
                line = await reader.readline()
        except TimeoutError:
            return Hello()
        except ValueError:
            raise BadHello(f"the first line is longer than {FIRST_LINE} bytes") from None
        return Hello.parse(line) if line.strip() else Hello()

    async def _admit(self, token: str | None) -> Listener:
        if self._check is None:
            return Listener("anybody")
        try:
            listener = await self._check(token)
        except Exception as error:
            raise CannotTell("whether you may listen cannot be found out now, try again") from error
        if listener is None:
            raise BadHello("this token may not listen" if token else "say who you are: a token in the first line")
        return listener

    async def _still(self, token: str | None, listener: Listener) -> Listener:
        """Who it is by now.  Where that cannot be found out it stays: a database that is away stops no event."""
        try:
            return await self._admit(token)
        except CannotTell:
            return listener

    async def _feed(
        self,
        writer: asyncio.StreamWriter,
        place: Subscription,
        hello: Hello,
        listener: Listener,
        ends: "asyncio.Task[int]",
    ) -> None:
        loop = asyncio.get_running_loop()
        check_at = loop.time() + self._recheck
        while not (ends.done() and place.after >= ends.result()):
            events: list[Event] = []
            try:
                async with asyncio.timeout_at(check_at):
                    events = await place.next()
            except TimeoutError:
                listener = await self._still(hello.token, listener)
                check_at = loop.time() + self._recheck
            lines = [
                event.line for event in events if listener.tenant is None or event.data.get("tenant") == listener.tenant
            ]
            if lines:
                writer.write(b"\n".join(lines) + b"\n")
                async with asyncio.timeout(self._stall):
                    await writer.drain()


async def _end_of_input(reader: asyncio.StreamReader, place: Subscription, log: EventLog) -> int:
    """When the listener has nothing more to say it gets what there is now, and no more; returns the last number."""
    try:
        while await reader.read(FIRST_LINE):
            pass  # only the first line means anything
    except OSError:
        pass
    last = log.last
    if place.after >= last:
        place.close()
    return last


async def _goodbye(writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(1.0):
            await writer.drain()
    except (OSError, TimeoutError):
        pass
