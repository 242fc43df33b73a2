"""Services start in order, stop in reverse, and none ends unnoticed."""

import asyncio
from collections.abc import Callable

import pytest

from b2bua.services import EndedByItself, NotReady, NotStopped, serve


class Recorded:
    """A service that writes down its start and its end, and misbehaves as told."""

    def __init__(self, name: str, log: list[str], fault: str = "") -> None:
        self.name, self.log, self.fault = name, log, fault

    async def run(self, ready: Callable[[], None]) -> None:
        self.log.append(f"+{self.name}")
        if self.fault == "early":
            raise OSError("port in use")
        if self.fault == "never ready":
            await asyncio.Event().wait()
        ready()
        try:
            await self.middle()
        finally:
            self.log.append(f"-{self.name}")
            if self.fault == "raises in the end":
                raise OSError("disk full")

    async def middle(self) -> None:
        if self.fault == "raises":
            raise OSError("socket gone")
        if self.fault == "returns":
            return
        if self.fault == "is cancelled by a stranger":
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.cancel()
            await future
        await asyncio.Event().wait()


class Deaf(Recorded):
    """Does not hear the first `deaf` cancellations."""

    stop_within = 0.01
    deaf = 1

    async def middle(self) -> None:
        for _ in range(self.deaf):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.log.append(f"{self.name} did not hear")
        await asyncio.Event().wait()


async def run(services: list[Recorded], stop: asyncio.Event | None = None) -> list[Exception]:
    """The faults of a run that stops as soon as all services are up."""
    stop = stop or asyncio.Event()
    try:
        async with asyncio.timeout(5):
            await serve(services, stop, up=stop.set, start_within=0.05)
    except ExceptionGroup as group:
        return list(group.exceptions)
    return []


async def test_services_start_in_the_order_of_the_list_and_stop_in_reverse() -> None:
    log: list[str] = []
    assert await run([Recorded("db", log), Recorded("sip", log), Recorded("http", log)]) == []
    assert log == ["+db", "+sip", "+http", "-http", "-sip", "-db"]


async def test_a_service_waits_until_the_one_before_it_is_ready() -> None:
    log: list[str] = []
    faults = await run([Recorded("db", log, "never ready"), Recorded("sip", log)])
    assert log == ["+db"]
    assert [str(fault) for fault in faults] == ["db was not ready within 0.05 s"]
    assert isinstance(faults[0], NotReady)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("early", OSError),
        ("raises", OSError),
        ("returns", EndedByItself),
        ("is cancelled by a stranger", EndedByItself),
    ],
)
async def test_a_service_that_fails_or_ends_stops_all_others(fault: str, kind: type[Exception]) -> None:
    log: list[str] = []
    never = asyncio.Event()
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.timeout(5):
            await serve([Recorded("db", log), Recorded("sip", log, fault), Recorded("http", log)], never)
    assert [type(fault) for fault in caught.value.exceptions] == [kind]
    assert log[-1] == "-db"
    assert log.count("+http") == log.count("-http")


async def test_a_fault_while_stopping_is_told_and_the_others_still_stop() -> None:
    log: list[str] = []
    faults = await run([Recorded("db", log), Recorded("sip", log, "raises in the end")])
    assert [str(fault) for fault in faults] == ["disk full"]
    assert log == ["+db", "+sip", "-sip", "-db"]


async def test_a_service_that_does_not_hear_is_cancelled_again_and_named() -> None:
    log: list[str] = []
    faults = await run([Recorded("db", log), Deaf("sip", log)])
    assert [str(fault) for fault in faults] == ["sip did not stop within 0.01 s"]
    assert isinstance(faults[0], NotStopped)
    assert log == ["+db", "+sip", "sip did not hear", "-sip", "-db"]


async def test_a_stop_during_the_start_starts_no_more() -> None:
    log: list[str] = []
    stop = asyncio.Event()
    stop.set()
    assert await run([Recorded("db", log), Recorded("sip", log)], stop) == []
    assert "+sip" not in log


async def test_a_cancelled_server_stops_its_services_in_order_all_the_same() -> None:
    log: list[str] = []
    up = asyncio.Event()
    server = asyncio.create_task(serve([Recorded("db", log), Deaf("sip", log)], asyncio.Event(), up=up.set))
    await up.wait()
    server.cancel()
    while "sip did not hear" not in log:
        await asyncio.sleep(0)
    server.cancel()
    with pytest.raises((asyncio.CancelledError, ExceptionGroup)):
        await server
    assert log[-2:] == ["-sip", "-db"]
