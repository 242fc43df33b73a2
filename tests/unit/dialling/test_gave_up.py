"""Callers of a campaign's queue who give up."""

import asyncio
from collections.abc import Coroutine

from b2bua.dialling.gave_up import InboundAbandoned
from b2bua.dialling.task import Task
from b2bua.storage.errors import StorageUnavailable
from dialer.campaign import Campaign, Mode
from dialer.counts import Counts
from dialer.profiles import LawProfile
from routing.effects import Dequeued

LAW = LawProfile("test")
NOON = 1_800_014_400.0


class Store:
    """Notes what is counted; the first time it does not answer."""

    def __init__(self) -> None:
        self.counted: list[tuple[str, Counts]] = []
        self.away = True

    async def count(self, campaign: str, at: float, counts: Counts) -> None:
        if self.away:
            self.away = False
            raise StorageUnavailable("away")
        self.counted.append((campaign, counts))


async def test_a_caller_who_gives_up_is_counted_apart() -> None:
    """Inbound abandons are part of no share: counted for each campaign of the queue; other queues' and who has been
    answered are not."""
    tasks = {
        id_: Task(Campaign(id_, "acme", mode=Mode.POWER, queue=queue), LAW)
        for id_, queue in (("a", "sales"), ("b", "sales"), ("c", "service"))
    }
    store, running = Store(), list[asyncio.Task[None]]()

    def soon(work: Coroutine[None, None, None], name: str) -> None:
        running.append(asyncio.create_task(work, name=name))

    inbound = InboundAbandoned(tasks, store, lambda: NOON, soon)  # type: ignore[arg-type]
    for result in ("abandoned", "answered", "short-abandoned", "overflow"):
        inbound.on_effect(Dequeued("call-1", "sales", "all", None, 12.0, result))
    await asyncio.gather(*running)
    assert [task.counters.in_window("24h", NOON).inbound_abandoned for task in tasks.values()] == [2, 2, 0]
    assert tasks["a"].counters.standing(LAW, NOON).worst == 0.0
    assert sorted(id_ for id_, _ in store.counted) == ["a", "b", "b"], "one was lost with the database"
    assert {counts for _, counts in store.counted} == {Counts(inbound_abandoned=1)}
