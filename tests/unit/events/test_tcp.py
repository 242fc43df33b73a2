"""The event socket: JSON lines, resume, who may listen, and listeners that do not read (R0-14)."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from b2bua.events import EventLog
from b2bua.events.tcp import EventServer, Listener
from tests.peers.waiting import eventually
from tests.unit.events.fakes import History, Journal


class Client:
    """A program that listens."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int, hello: object = None) -> "Client":
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        if hello is not None:
            client.writer.write(hello if isinstance(hello, bytes) else json.dumps(hello).encode() + b"\n")
        return client

    async def line(self) -> Any:
        """The next record; None at the end."""
        async with asyncio.timeout(10):
            try:
                line = await self.reader.readline()
            except ConnectionResetError:  # closed with something of ours unread
                line = b""
        return json.loads(line) if line else None

    async def numbers(self, count: int) -> list[int]:
        return [(await self.line())["number"] for _ in range(count)]

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            pass


@pytest.fixture
def log() -> EventLog:
    journal = Journal()
    history = History(journal)
    history.stored = 1 << 60
    return EventLog("n1", journal, history, last=0, ring=64)


@pytest.fixture
async def server(log: EventLog) -> AsyncIterator[EventServer]:
    made = EventServer(log, hello=0.1)
    yield made
    await made.close()


def append(log: EventLog, count: int, **data: object) -> None:
    for _ in range(count):
        log.append("call.received", "call-1", {"called": "8000", **data})


async def test_two_listeners_get_everything_while_a_third_does_not_read(log: EventLog, server: EventServer) -> None:
    """R0-14: T: all N events in order for two; the third delays nobody and memory stays flat; it then resumes."""
    port = await server.start()
    good = [await Client.open(port, {"after": 0}) for _ in range(2)]
    lazy = socket.create_connection(("127.0.0.1", port))
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.sendall(b'{"after": 0}\n')
    total = 30_000

    async def produce() -> None:
        for _ in range(total // 100):
            append(log, 100, filler="x" * 300)
            await asyncio.sleep(0)

    _, *heard = await asyncio.gather(produce(), *(client.numbers(total) for client in good))
    assert heard == [list(range(1, total + 1))] * 2
    assert server.listeners == 3
    lazy.settimeout(10)
    data = b""
    while len(data) < 5000:
        data += await asyncio.to_thread(lazy.recv, 4096)
    lazy.close()
    lazy_last = json.loads(data.rpartition(b"\n")[0].rpartition(b"\n")[2])["number"]
    assert 0 < lazy_last < total
    again = await Client.open(port, {"after": lazy_last})
    assert await again.numbers(5) == list(range(lazy_last + 1, lazy_last + 6))
    for client in (*good, again):
        await client.close()


async def test_a_record_has_the_documented_structure(log: EventLog, server: EventServer) -> None:
    """R0-02: one line with the calling and the called number."""
    port = await server.start()
    client = await Client.open(port, {"after": 0})
    log.append("call.received", "0190-call", {"calling": "4008100001", "called": "8000", "trunk": "carrier"})
    record = await client.line()
    time = record.pop("time")
    assert isinstance(time, float)
    assert record == {
        "node": "n1",
        "number": 1,
        "call": "0190-call",
        "type": "call.received",
        "data": {"calling": "4008100001", "called": "8000", "trunk": "carrier"},
    }
    await client.close()


async def test_who_says_nothing_hears_what_comes_from_its_connection_on(log: EventLog, server: EventServer) -> None:
    """R0-14: events between the connection and the end of the waiting time are not left out."""
    port = await server.start()
    append(log, 5)
    client = await Client.open(port)
    await eventually(lambda: server.listeners == 1, "the server has seen it")
    append(log, 1)
    assert await client.numbers(1) == [6]
    await client.close()


async def test_resume_after_a_number(log: EventLog, server: EventServer) -> None:
    """R0-14: from memory and from further back; names we do not know are passed over."""
    port = await server.start()
    append(log, 500)
    for after in (0, 100, 499, 500):
        client = await Client.open(port, {"after": after, "since": "later versions"})
        append(log, 1)
        assert (await client.numbers(1))[0] == after + 1
        await client.close()


async def test_input_that_ends_means_what_there_is_and_no_more(log: EventLog, server: EventServer) -> None:
    """`echo '{"after": 0}' | nc -N`: a script that wants to read the log to its end."""
    port = await server.start()
    append(log, 300)
    for after in (0, 300):
        client = await Client.open(port, {"after": after})
        client.writer.write_eof()
        assert len([line async for line in client.reader]) == 300 - after
        await client.close()
    await eventually(lambda: server.listeners == 0, "both are gone")


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        (b"GET / HTTP/1.1\r\n", "one JSON object"),
        (b"[1]\n", "one JSON object"),
        (b"[" * 4000 + b"\n", "one JSON object"),
        (b"\xff\xfe\n", "one JSON object"),
        (b"x" * 5000 + b"\n", "longer than"),
        ({"after": -1}, "after must be"),
        ({"after": "7"}, "after must be"),
        ({"after": True}, "after must be"),
        ({"after": 1e3}, "after must be"),
        ({"after": 999}, "the last one of node n1 is 3"),
        ({"token": 7}, "token must be"),
        ({"version": 2}, "records of this node have version 1"),
    ],
)
async def test_a_bad_first_line_is_answered_and_ends_it(
    log: EventLog, server: EventServer, hello: object, why: str
) -> None:
    """Bad input: one line that says why."""
    port = await server.start()
    append(log, 3)
    client = await Client.open(port, hello)
    assert why in (await client.line())["error"]
    assert await client.line() is None
    assert server.refused == 1
    await client.close()


async def test_only_whom_the_check_admits_may_listen(log: EventLog) -> None:
    """A token in the first line; a tenant hears its own events only, and a token that is revoked ends it."""
    valid = {"all": Listener("wallboard"), "acme": Listener("crm", tenant="acme")}
    away, looks = list[bool](), list[str | None]()

    async def check(token: str | None) -> Listener | None:
        looks.append(token)
        if token == "broken" or away:
            raise OSError("no database")
        return valid.get(token or "")

    server = EventServer(log, check=check, hello=0.1, recheck=0.05)
    port = await server.start()
    for hello, why in (
        ({"after": 0}, "say who you are"),
        (None, "say who you are"),
        ({"token": "wrong"}, "may not listen"),
        ({"token": "broken"}, "try again"),
    ):
        client = await Client.open(port, hello)
        assert why in (await client.line())["error"]
        await client.close()
    whole, part = [await Client.open(port, {"token": token, "after": 0}) for token in ("all", "acme")]
    append(log, 1)
    append(log, 1, tenant="acme")
    append(log, 1, tenant="other")
    append(log, 1, tenant="acme")
    assert await whole.numbers(4) == [1, 2, 3, 4]
    assert await part.numbers(2) == [2, 4]
    away.append(True)
    asked = len(looks)
    await eventually(lambda: len(looks) >= asked + 4, "each was looked at again while nobody could tell")
    append(log, 1, tenant="acme")
    assert (await whole.numbers(1), await part.numbers(1)) == ([5], [5]), "a database that is away stops no event"
    away.clear()
    del valid["all"]
    assert "may not listen" in (await whole.line())["error"]
    append(log, 1, tenant="acme")
    assert await part.numbers(1) == [6]
    for client in (whole, part):
        await client.close()
    await server.close()


async def test_a_listener_that_never_reads_is_dropped(log: EventLog) -> None:
    """R0-14: in time, and it alone."""
    server = EventServer(log, stall=0.2)
    port = await server.start()
    lazy = socket.create_connection(("127.0.0.1", port))
    lazy.sendall(b'{"after": 0}\n')
    await eventually(lambda: server.listeners == 1, "it is connected")
    append(log, 40_000, filler="x" * 300)
    await eventually(lambda: server.listeners == 0, "it is dropped")
    assert server.stalled == 1
    lazy.close()
    await server.close()


async def test_more_listeners_than_allowed_are_turned_away(log: EventLog) -> None:
    """Descriptors are not used up."""
    server = EventServer(log, most=2)
    port = await server.start()
    clients = [await Client.open(port, {"after": 0}) for _ in range(2)]
    await eventually(lambda: server.listeners == 2, "two are connected")
    third = await Client.open(port, {"after": 0})
    assert "too many" in (await third.line())["error"]
    append(log, 1)
    assert [await client.numbers(1) for client in clients] == [[1], [1]]
    for client in (*clients, third):
        await client.close()
    await eventually(lambda: server.listeners == 0, "all are gone")
    fourth = await Client.open(port, {"after": 0})
    assert await fourth.numbers(1) == [1]
    await fourth.close()
    await server.close()


async def test_closing_lets_everybody_go(log: EventLog, server: EventServer) -> None:
    """An orderly stop."""
    port = await server.start()
    clients = [await Client.open(port, {"after": 0}) for _ in range(3)]
    await eventually(lambda: server.listeners == 3, "all are connected")
    await server.close()
    assert [await client.line() for client in clients] == [None] * 3
    assert repr(server) == f"<EventServer 127.0.0.1:{port} listeners=0>"
    for client in clients:
        await client.close()
