"""People who come to a campaign's queue by themselves and give up: counted beside the people it calls, in no share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping

from b2bua.dialling.agents import queue_of
from b2bua.dialling.task import Task
from b2bua.log import logger
from b2bua.storage.errors import StorageUnavailable
from dialer.counts import Counts
from dialer.law import LawCounters
from dialer.ports import DialStore
from routing.effects import Dequeued, Effect

log = logger("dialler")

GAVE_UP = frozenset({"abandoned", "short-abandoned"})
ONE = LawCounters(inbound_abandoned=1)


class InboundAbandoned:
    """A follower of the floor."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        store: DialStore,
        wall: Callable[[], float],
        soon: Callable[[Coroutine[None, None, None], str], None],
    ) -> None:
        """`wall`: epoch seconds of the law's clock; `soon` runs something beside."""
        self._tasks, self._store, self._wall, self._soon = tasks, store, wall, soon

    def on_effect(self, effect: Effect) -> None:
        """What the floor did; one step on the loop."""
        if not isinstance(effect, Dequeued) or effect.result not in GAVE_UP:
            return
        tasks = [task for task in self._tasks.values() if queue_of(task.campaign) == effect.queue]
        if tasks and effect.call not in dialled(self._tasks.values()):
            for task in tasks:
                task.count(self._wall(), ONE)
                self._soon(self._keep(task.campaign.id), f"a caller of {task.campaign.id} gave up")

    async def _keep(self, campaign: str) -> None:
        try:
            await self._store.count(campaign, self._wall(), Counts(inbound_abandoned=1))
        except StorageUnavailable:
            log.warning("a caller who gave up is not counted: the database does not answer", campaign=campaign)


def dialled(tasks: Collection[Task]) -> set[str]:
    """The calls that campaigns have made."""
    return {flight.call.id for task in tasks for flight in task.flights.values() if flight.call is not None}
