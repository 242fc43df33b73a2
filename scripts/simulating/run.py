"""One simulated day: callers and agents do what people do, the real floor decides, and no second passes."""

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from routing.floor import AgentChanged, Caller, Dequeued, Effect, Floor, Leave, Offer, Queued, Withdraw
from routing.plan import Plan
from routing.queue import Strategy

from .callers import Arrival, arrivals
from .outcome import Outcome, Served
from .scenario import HOUR, Scenario, seconds

MOST_HOPS = 8
"Queues one caller may overflow through."


def with_strategy(plan: Plan, strategy: Strategy | None) -> Plan:
    """The plan with this strategy in every queue; None: as it is."""
    if strategy is None:
        return plan
    return replace(plan, queues={name: replace(one, strategy=strategy) for name, one in plan.queues.items()})


def simulate(scenario: Scenario, strategy: Strategy | None = None, callers: list[Arrival] | None = None) -> Outcome:
    """Run it to the end of the day, and on until nobody waits or talks any more."""
    return _Run(scenario, strategy).run(arrivals(scenario) if callers is None else callers)


class _Run:
    def __init__(self, scenario: Scenario, strategy: Strategy | None) -> None:
        self.scenario = scenario
        self.floor = Floor(with_strategy(scenario.plan, strategy))
        self.outcome = Outcome(strategy.value if strategy else "as planned", scenario.day.hours * HOUR)
        self.now = 0.0
        self._pick = random.Random(scenario.day.seed)
        self._agenda: list[tuple[float, int, Callable[[], Iterable[Effect]]]] = []
        self._count = 0
        self._callers: dict[str, Arrival] = {}
        self._hops: dict[str, int] = {}
        self._running: dict[str, set[str]] = {}
        "Offer -> the agents who ring."

    def run(self, callers: list[Arrival]) -> Outcome:
        end = self.scenario.day.hours * HOUR
        self._put_to_work(end)
        for number, one in enumerate(callers):
            self._at(one.at, partial(self._call, f"c{number}", one))
        while self._agenda:
            due = self.floor.due()
            if due is not None and due < self._agenda[0][0]:
                self.now = max(self.now, due)
                self._carry_out(self.floor.tick(self.now))
                continue
            at, _, act = heapq.heappop(self._agenda)
            self.now = max(self.now, at)
            self._carry_out(act())
        self.outcome.finish(self.now)
        return self.outcome

    def _at(self, when: float, act: Callable[[], Iterable[Effect]]) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, act))

    def _put_to_work(self, end: float) -> None:
        for duty in self.scenario.duties:
            for begin in range(0, int(end), int(24 * HOUR)):
                for one in duty.agents:
                    self._at(begin + seconds(duty.begins), partial(self._log_in, one))
                    for span in duty.breaks:
                        first, _, last = span.partition("-")
                        self._at(begin + seconds(first), partial(self._pause, one))
                        self._at(begin + seconds(last), partial(self._resume, one))
                    if begin + seconds(duty.ends) < end:
                        self._at(begin + seconds(duty.ends), partial(self._log_out, one))

    def _log_in(self, extension: str) -> list[Effect]:
        return self.floor.log_in(extension, self.now)

    def _log_out(self, extension: str) -> list[Effect]:
        return self.floor.log_out(extension, self.now)

    def _pause(self, extension: str) -> list[Effect]:
        return self.floor.pause(extension, "break", self.now)

    def _resume(self, extension: str) -> list[Effect]:
        return self.floor.resume(extension, self.now)

    def _call(self, call: str, one: Arrival) -> list[Effect]:
        self._callers[call] = one
        if one.patience is not None:
            self._at(self.now + one.patience, lambda: self.floor.leave(call, "abandoned", self.now))
        stream = one.stream
        caller = Caller(call, stream.queue, stream.area, priority=one.priority, skills=stream.skills)
        return self.floor.enter(caller, self.now)

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Offer(offer, _, _, extensions, ring_for):
                    self._running[offer] = set(extensions)
                    for extension in extensions:
                        self._ring(offer, extension, ring_for)
                case Withdraw(offer, _, extensions, _):
                    self._running[offer] -= set(extensions)
                    if not self._running[offer]:
                        del self._running[offer]
                case AgentChanged():
                    self.outcome.agent(effect.extension, effect.after, self.now)
                case Queued(call, queue):
                    self.outcome.came(queue)
                case Dequeued():
                    self._gone(effect)
                case Leave(call, _, _, goal):
                    if goal is not None and goal.kind == "queue" and self._hop(call):
                        self._on(call, goal.target)
                case _:
                    pass

    def _ring(self, offer: str, extension: str, ring_for: float) -> None:
        day = self.scenario.day
        after = self._pick.expovariate(1 / day.answer_after) if day.answer_after else 0.0
        if after < ring_for and self._pick.random() >= day.missed:
            self._at(self.now + after, lambda: self._answer(offer, extension))
        else:
            self._at(self.now + ring_for, lambda: self._miss(offer, extension))

    def _answer(self, offer: str, extension: str) -> list[Effect]:
        if extension not in self._running.get(offer, ()):
            return []
        self._running[offer].discard(extension)
        call = offer.rpartition("#")[0]
        talk = self._callers[call].talk
        self._at(self.now + talk, lambda: self.floor.released(extension, call, self.now))
        return self.floor.answered(offer, extension, self.now)

    def _miss(self, offer: str, extension: str) -> list[Effect]:
        if extension not in self._running.get(offer, ()):
            return []
        self._running[offer].discard(extension)
        return self.floor.refused(offer, extension, "no-answer", self.now)

    def _hop(self, call: str) -> bool:
        self._hops[call] = self._hops.get(call, 0) + 1
        return self._hops[call] <= MOST_HOPS

    def _on(self, call: str, queue: str) -> None:
        """The effects of the event that sent him on are carried out first."""
        one = self._callers[call]
        caller = Caller(call, queue, one.stream.area, priority=one.priority, skills=one.stream.skills)
        self._at(self.now, lambda: self.floor.enter(caller, self.now))

    def _gone(self, effect: Dequeued) -> None:
        level = self.floor.queues[effect.queue].queue.service_level
        in_time = effect.result == "answered" and effect.wait <= level
        self.outcome.left(
            Served(self.now - effect.wait, effect.queue, effect.result, effect.wait, in_time, effect.estimate)
        )
        if effect.result == "answered" and effect.extension is not None:
            self.outcome.loads[effect.extension].calls += 1
