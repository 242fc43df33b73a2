"""The event log: every listener gets every event once, in order, wherever it resumes (R0-14)."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from b2bua.events import EventLog
from b2bua.events.log import Subscription
from tests.peers.waiting import eventually
from tests.unit.events.fakes import History, Journal


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def history(journal: Journal) -> History:
    return History(journal)


@pytest.fixture
def log(journal: Journal, history: History) -> EventLog:
    return EventLog("n1", journal, history, last=0, ring=8, clock=lambda: 1.0)


def append(log: EventLog, count: int) -> None:
    for _ in range(count):
        log.append("call.received", f"call-{log.last + 1}", {"called": "8000", "calling": "4008100001"})


async def numbers(place: Subscription, count: int, limit: int = 256) -> AsyncIterator[int]:
    """The numbers of the next `count` events."""
    while count > 0:
        for event in await place.next(limit):
            yield event.number
            count -= 1


async def next_numbers(place: Subscription, count: int, limit: int = 256) -> list[int]:
    async with asyncio.timeout(10):
        return [number async for number in numbers(place, count, limit)]


async def test_an_event_is_on_disk_before_anybody_sees_it(history: History) -> None:
    """R0-14: the journal has it when the listener wakes up, and when `append` returns."""
    seen: list[int] = []

    class Watching(Journal):
        def append(self, kind: str, record: object, payload: bytes | None = None) -> None:
            seen.append(watched.last)
            super().append(kind, record, payload)

    journal = Watching()
    watched = EventLog("n1", journal, history, last=41, clock=lambda: 1.5)
    event = watched.append("call.received", "call-1", {"called": "8000"})
    assert seen == [41], "it had no number for others when it went to the journal"
    assert journal.rows == [("n1", 42, 1.5, "call-1", "call.received", '{"called":"8000"}')]
    assert journal.lines == [event.line]
    assert json.loads(event.line)["number"] == watched.last == 42


async def test_a_listener_gets_what_comes_and_nothing_older(log: EventLog) -> None:
    """R0-14: without a number, from now on."""
    append(log, 3)
    place = log.subscribe()
    waiting = asyncio.ensure_future(place.next())
    await asyncio.sleep(0)
    append(log, 2)
    assert [event.number for event in await waiting] == [4, 5]
    assert place.after == 5


async def test_two_listeners_get_everything_in_order(log: EventLog, history: History) -> None:
    """R0-14: T: two listeners get all N events in order; one of them is slow."""

    async def listen(limit: int, pauses: int) -> list[int]:
        place, heard = log.subscribe(0), list[int]()
        while len(heard) < 200:
            heard += [event.number for event in await place.next(limit)]
            for _ in range(pauses):
                await asyncio.sleep(0)
        return heard

    listeners = [asyncio.ensure_future(listen(256, 0)), asyncio.ensure_future(listen(3, 7))]
    for _ in range(200):
        append(log, 1)
        history.stored = log.last
        await asyncio.sleep(0)
    assert await asyncio.gather(*listeners) == [list(range(1, 201))] * 2


async def test_a_listener_resumes_from_the_database_and_goes_live(log: EventLog, history: History) -> None:
    """R0-14: no gap and no duplicate where the database ends and memory begins, events coming in all the while."""
    append(log, 100)
    history.stored = 100
    for after in (0, 50, 91, 92, 93, 99, 100):
        place = log.subscribe(after)
        heard: list[int] = []
        while place.after < log.last or len(heard) < 5:
            heard += [event.number for event in await place.next(limit=7)]
            if log.last < 130:
                append(log, 1)
                history.stored = log.last - 2
        assert heard == list(range(after + 1, after + 1 + len(heard)))
        append(log, 1)
        history.stored = log.last
        assert (await place.next())[0].number == heard[-1] + 1


async def test_what_is_in_memory_is_not_asked_of_the_database(log: EventLog, history: History) -> None:
    """R0-14: a listener that is up to date, or nearly, costs no query."""
    append(log, 100)
    assert await next_numbers(log.subscribe(92), 8) == list(range(93, 101))
    assert history.asked == []


async def test_numbers_go_on_after_a_restart(journal: Journal, history: History) -> None:
    """R0-14: what an earlier life stored is found by the number, then what this one adds."""
    append(EventLog("n1", journal, history, last=0), 20)
    history.stored = 20
    log = EventLog("n1", journal, history, last=20, ring=8)
    append(log, 2)
    assert await next_numbers(log.subscribe(15), 7) == [16, 17, 18, 19, 20, 21, 22]


async def test_events_on_their_way_to_the_database_are_waited_for(log: EventLog, history: History) -> None:
    """R0-14: memory has let go of them and the database does not have them yet: late, but not left out."""
    append(log, 100)
    history.stored = 40
    place = log.subscribe(30)
    assert await next_numbers(place, 10) == list(range(31, 41))
    waiting = asyncio.ensure_future(next_numbers(place, 60))
    await eventually(lambda: history.asked[-1] == 40, "the listener asks for more")
    history.stored = 100
    assert await waiting == list(range(41, 101))


async def test_an_absent_database_delays_only_who_needs_it(log: EventLog, history: History) -> None:
    """R0-14: live listeners notice nothing."""
    append(log, 100)
    history.gone = True
    late = asyncio.ensure_future(next_numbers(log.subscribe(10), 90))
    live = log.subscribe()
    append(log, 1)
    assert await next_numbers(live, 1) == [101]
    await eventually(lambda: len(history.asked) > 1, "the late one tries again")
    assert not late.done()
    history.gone, history.stored = False, 101
    assert (await late)[:90] == list(range(11, 101))


async def test_deleted_events_are_passed_over(log: EventLog, history: History) -> None:
    """R0-14: old events go; a listener that comes too late hears the first that is left."""
    append(log, 100)
    history.stored = 100
    history.deleted = frozenset(range(1, 61))
    assert (await next_numbers(log.subscribe(0), 40))[0] == 61
    history.deleted = frozenset(range(1, 101))
    assert await next_numbers(log.subscribe(0), 8) == list(range(93, 101))


async def test_a_cancelled_listener_loses_nothing(log: EventLog) -> None:
    """A time limit around `next` is safe, and leaves nothing behind in the log."""
    place = log.subscribe()
    for n in range(5):
        waiting = asyncio.ensure_future(place.next())
        await asyncio.sleep(0)
        if n % 2:
            append(log, 1)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert log._waiting == []
    assert await next_numbers(log.subscribe(0), 2) == [1, 2]
    place.after = 0
    assert await next_numbers(place, 2) == [1, 2]


async def test_a_closed_subscription_ends_its_waiting(log: EventLog) -> None:
    """Nothing hangs at the end."""
    place = log.subscribe()
    waiting = asyncio.ensure_future(place.next())
    await asyncio.sleep(0)
    place.close()
    assert await waiting == []
    append(log, 1)
    assert await place.next() == []


def test_a_number_that_does_not_exist_is_refused(log: EventLog) -> None:
    """R0-14: the cursor of another node, or of a database that was set back."""
    append(log, 3)
    for after in (-1, 4):
        with pytest.raises(ValueError, match="the last one of node n1 is 3"):
            log.subscribe(after)
    assert repr(log.subscribe(3)) == "<Subscription after=3>"
    assert repr(log) == "<EventLog n1 last=3>"
