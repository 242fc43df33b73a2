"""Listeners of the event records: over the TCP socket and over the WebSocket, with one way to wait for an event."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import websockets

from tests.peers.waiting import PATIENCE, deadline

Event = dict[str, Any]
"node, number, time, call, type, data."


class Listener:
    """Reads all the time; `pause()` makes it one of those who stop reading."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        "Everything received, in order."
        self.ended = False
        "Whether the server has closed the connection."
        self._taken: set[int] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._go = asyncio.Event()
        self._go.set()
        self._close: list[Callable[[], Any]] = []

    @classmethod
    async def over_tcp(cls, address: tuple[str, int], *, token: str | None = None, after: int | None = None) -> Self:
        """Connect to the event socket; `after` resumes behind that number."""
        listener = cls()
        reader, writer = await asyncio.open_connection(*address, limit=1 << 20)
        hello = {"token": token, "after": after}
        writer.write(json.dumps({k: v for k, v in hello.items() if v is not None}).encode() + b"\n")
        await writer.drain()

        async def lines() -> AsyncIterator[str | bytes]:
            with contextlib.suppress(OSError):
                while line := await reader.readline():
                    yield line

        listener._close = [writer.close]
        listener._task = asyncio.create_task(listener._read(lines()))
        return listener

    @classmethod
    async def over_websocket(cls, url: str, *, token: str, after: int | None = None) -> Self:
        """Connect to `/v1/events` with an API key."""
        listener = cls()
        query = "" if after is None else f"?after={after}"
        socket = await websockets.connect(
            f"{url.replace('http', 'ws', 1)}/v1/events{query}", additional_headers={"Authorization": f"Bearer {token}"}
        )

        async def lines() -> AsyncIterator[str | bytes]:
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    yield await socket.recv()

        listener._close = [socket.close]
        listener._task = asyncio.create_task(listener._read(lines()))
        return listener

    async def expect(
        self,
        kind: str,
        *,
        within: float | None = None,
        call: str | None = None,
        where: Callable[[Event], bool] | None = None,
        **data: object,
    ) -> Event:
        """Wait for an event of this type nobody has taken yet, of this call, with these members in its data."""
        end = deadline(within)
        while True:
            for number, event in enumerate(self.events):
                fits = event["type"] == kind and (call is None or event["call"] == call)
                fits = fits and all(event["data"].get(k) == v for k, v in data.items())
                if fits and number not in self._taken and (where is None or where(event)):
                    self._taken.add(number)
                    return event
            assert not self.ended, f"no {kind} {data}, and the server closed the connection\n{self.describe()}"
            self._news.clear()
            try:
                async with asyncio.timeout(max(0.0, end - asyncio.get_running_loop().time())):
                    await self._news.wait()
            except TimeoutError:
                limit = PATIENCE if within is None else within
                raise AssertionError(f"no {kind} {data or ''} within {limit:g} s\n{self.describe()}") from None

    def of_call(self, call: str) -> list[str]:
        """The types of a call's events so far, in order."""
        return [event["type"] for event in self.events if event["call"] == call]

    def of_type(self, kind: str) -> list[Event]:
        """All events of a type so far."""
        return [event for event in self.events if event["type"] == kind]

    @property
    def last(self) -> int:
        """Number of the last event received; 0 before the first."""
        return int(self.events[-1]["number"]) if self.events else 0

    def pause(self) -> None:
        """Stop reading: what comes then fills the server's buffers."""
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    async def close(self) -> None:
        """Leave."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for close in self._close:
            if asyncio.iscoroutine(waiting := close()):
                await waiting

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def describe(self) -> str:
        """What a failed test should print."""
        return "\n".join(f"  {e['number']} {e['type']} {(e['call'] or '-')[-6:]} {e['data']}" for e in self.events)

    async def _read(self, lines: AsyncIterator[str | bytes]) -> None:
        async for line in lines:
            await self._go.wait()
            self.events.append(json.loads(line))
            self._news.set()
        self.ended = True
        self._news.set()
