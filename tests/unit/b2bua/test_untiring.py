"""What calls can do without begins again after a fault, and takes nothing else with it."""

import asyncio
from collections.abc import Callable

import pytest

from b2bua.services import EndedByItself, Forever, serve
from b2bua.untiring import FIRST_PAUSE, LONGEST_PAUSE, Untiring


class Faulty:
    """A service with a fault in each of its first lives."""

    name, stop_within = "statistics", 7.0

    def __init__(self, faults: list[str]) -> None:
        self.faults, self.lives, self.steady = faults, 0, asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        self.lives += 1
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "early":
            raise OSError("port in use")
        ready()
        if fault == "raises":
            raise KeyError("no such call")
        if fault == "is cancelled by a stranger":
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.cancel()
            await future
        if fault != "returns":
            self.steady.set()
            await asyncio.Event().wait()


class Pauses:
    """Waits without waiting, and remembers for how long."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await asyncio.sleep(0)


async def test_each_fault_is_told_and_the_service_begins_again_beside_the_others() -> None:
    told: list[str] = []
    pauses, faulty, stop = Pauses(), Faulty(["raises", "returns", "is cancelled by a stranger"]), asyncio.Event()
    untiring = Untiring(faulty, told.append, pauses)
    assert (untiring.name, untiring.stop_within) == ("statistics", 7.0)
    up = asyncio.Event()
    calls = Forever("calls", lambda: asyncio.sleep(3600))
    async with asyncio.timeout(5):
        server = asyncio.create_task(serve([untiring, calls], stop, up=up.set))
        await up.wait()
        await faulty.steady.wait()
        assert not server.done()
        stop.set()
        await server
    assert (faulty.lives, told, pauses.taken) == (4, ["statistics"] * 3, [FIRST_PAUSE, 2.0, 4.0])


async def test_pauses_grow_to_a_minute() -> None:
    pauses, faulty = Pauses(), Faulty(["raises"] * 9)
    running = asyncio.create_task(Untiring(faulty, lambda name: None, pauses).run(lambda: None))
    async with asyncio.timeout(5):
        await faulty.steady.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (pauses.taken[-1], pauses.taken == sorted(pauses.taken)) == (LONGEST_PAUSE, True)


async def test_a_service_that_never_was_up_keeps_the_server_from_starting() -> None:
    told: list[str] = []
    with pytest.raises(ExceptionGroup) as caught:
        await serve([Untiring(Faulty(["early"]), told.append)], asyncio.Event())
    assert ([type(fault) for fault in caught.value.exceptions], told) == ([OSError], [])


async def test_a_service_that_ends_by_itself_has_failed() -> None:
    told: list[str] = []

    async def enough(seconds: float) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError) as caught:
        await Untiring(Faulty(["returns"]), told.append, enough).run(lambda: None)
    assert isinstance(caught.value.__context__, EndedByItself)
    assert told == ["statistics"]
