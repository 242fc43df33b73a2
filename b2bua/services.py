"""The services of one server: started in the order of a list, stopped in reverse, also when one of them fails.

A service runs until it is cancelled.  One that ends by itself is a fault, not silence.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

START_WITHIN = 30.0
"Seconds a service has to say that it is ready."
STOP_WITHIN = 5.0
"Seconds a service has to end when it is cancelled; its attribute `stop_within` says otherwise."
LAST_WORD = 1.0
"Seconds it has once more after that, when it is cancelled a second time."

_log = logging.getLogger("tandem.services")


class Service(Protocol):
    """Something that lives as long as the server.

    `run` calls `ready` when others may build on it, and goes on until it is cancelled; it cleans up in `finally`.
    """

    @property
    def name(self) -> str: ...

    async def run(self, ready: Callable[[], None]) -> None: ...


@dataclass(slots=True)
class Forever:
    """A service made of one coroutine function that runs until it is cancelled."""

    name: str
    work: Callable[[], Coroutine[Any, Any, None]]
    stop_within: float = 5.0

    async def run(self, ready: Callable[[], None]) -> None:
        ready()
        await self.work()


class ServiceFault(Exception):
    """A service did not do as services must."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} {what}")
        self.name = name


class EndedByItself(ServiceFault):
    """It came back though nobody stopped it."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "ended by itself")


class NotReady(ServiceFault):
    """It did not become ready in time."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name, f"was not ready within {seconds:g} s")


class NotStopped(ServiceFault):
    """It did not end in time; it is left behind, and the process must end for it to go."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name, f"did not stop within {seconds:g} s")


async def serve(
    services: Sequence[Service],
    stop: asyncio.Event,
    *,
    start_within: float = START_WITHIN,
    stop_within: float = STOP_WITHIN,
    up: Callable[[], None] | None = None,
) -> None:
    """Run `services` until `stop` is set or one of them fails; `up` is called when all are ready.

    Returns when all have ended.  Raises an `ExceptionGroup` of their faults, the first one first.
    """
    run = _Run(stop_within)
    asked = asyncio.create_task(stop.wait(), name="stop is asked for")
    try:
        if await run.start(services, asked, start_within):
            if up is not None:
                up()
            await run.until_one_ends(asked)
    finally:
        asked.cancel()
        # A cancelled server still stops its services one by one: the stop is a task of its own, waited for again.
        stopping = asyncio.create_task(run.stop(), name="stop the services")
        cancelled = await _to_the_end(stopping)
    if run.faults:
        raise ExceptionGroup("services failed", run.faults)
    if cancelled:
        raise asyncio.CancelledError


async def _to_the_end(task: asyncio.Task[None]) -> bool:
    """Wait for `task` whatever happens; says whether somebody cancelled the waiting meanwhile."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            cancelled = True
    task.result()
    return cancelled


@dataclass(slots=True)
class _Run:
    """The tasks of the started services, in start order, and what went wrong."""

    stop_within: float
    running: list[tuple[Service, asyncio.Task[None]]] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def __repr__(self) -> str:
        alive = [service.name for service, task in self.running if not task.done()]
        return f"<services running: {', '.join(alive) or 'none'}; faults: {len(self.faults)}>"

    async def start(self, services: Sequence[Service], asked: asyncio.Task[bool], within: float) -> bool:
        """False when the start was broken off: by a stop, a fault, or a service that is not ready in time."""
        for service in services:
            ready = asyncio.Event()
            self.running.append((service, asyncio.create_task(_watched(service, ready.set), name=service.name)))
            is_up = asyncio.create_task(ready.wait(), name=f"{service.name} is ready")
            await asyncio.wait([is_up, asked, *self._tasks()], timeout=within, return_when=asyncio.FIRST_COMPLETED)
            is_up.cancel()
            if asked.done() or any(task.done() for task in self._tasks()):
                return False
            if not ready.is_set():
                self.faults.append(NotReady(service.name, within))
                return False
            _log.debug("%s is ready", service.name)
        return True

    async def until_one_ends(self, asked: asyncio.Task[bool]) -> None:
        await asyncio.wait([asked, *self._tasks()], return_when=asyncio.FIRST_COMPLETED)

    async def stop(self) -> None:
        # Faults seen now come before those that the stop itself brings.
        for _, task in self.running:
            self._note(task)
        for service, task in reversed(self.running):
            if task.done():
                self._note(task)
                continue
            within: float = getattr(service, "stop_within", self.stop_within)
            task.cancel()
            await asyncio.wait([task], timeout=within)
            if not task.done():
                self.faults.append(NotStopped(service.name, within))
                task.cancel()
                await asyncio.wait([task], timeout=LAST_WORD)
            self._note(task)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [task for _, task in self.running]

    def _note(self, task: asyncio.Task[None]) -> None:
        if not task.done() or task.cancelled():
            return
        fault = task.exception()
        if fault is None or any(fault is known for known in self.faults):
            return
        if isinstance(fault, Exception):
            self.faults.append(fault)
        else:
            self.faults.append(ServiceFault(task.get_name(), f"raised {fault!r}"))


async def _watched(service: Service, ready: Callable[[], None]) -> None:
    try:
        await service.run(ready)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # A cancellation that nobody asked for, for example of a future that somebody else cancelled.
        raise EndedByItself(service.name) from None
    raise EndedByItself(service.name)
