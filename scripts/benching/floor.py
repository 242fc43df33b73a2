"""Choosing an agent and offering the call, in the floor alone: full house, no telephones."""

import random
import time
from dataclasses import dataclass, field

from routing.effects import Caller, Effect, Offer, Withdraw
from routing.floor import Floor
from routing.plan import Plan
from routing.queue import AgentProfile, PriorityClass, Queue, Strategy

from .console import headline, note
from .latency import percentile

AGENTS, QUEUES, WAITING = 1000, 200, 2000
EACH = 10
"Queues an agent serves."
SKILLS = 20
RATE = 50.0
"Offers a second, on the floor's own clock."
STRATEGIES = tuple(one for one in Strategy if one is not Strategy.RING_ALL)


@dataclass(slots=True)
class FloorTimes:
    """Milliseconds of processor time of one step that ended in an offer, one entry for each run.

    The floor waits for nothing, so what else runs on the machine need not count.
    """

    full_p50: list[float] = field(default_factory=list)
    full_p99: list[float] = field(default_factory=list)
    "An agent becomes free while so many wait."
    idle_p50: list[float] = field(default_factory=list)
    idle_p99: list[float] = field(default_factory=list)
    "A caller comes while nearly all agents are free."
    offers: int = 0
    double: int = 0
    "Offers to an agent, or of a caller, that another offer had."


def measure(*, runs: int, offers: int) -> FloorTimes:
    """`runs` times, each time a new floor with another plan; so many offers in each part of a run."""
    found = FloorTimes()
    for number in range(runs):
        headline(f"floor: {AGENTS} agents, {QUEUES} queues, {WAITING} waiting, run {number + 1} of {runs}")
        house = _House(number)
        idle = house.callers(offers)
        house.fill()
        full = house.releases(offers)
        for taken, p50, p99 in ((full, found.full_p50, found.full_p99), (idle, found.idle_p50, found.idle_p99)):
            p50.append(percentile(taken, 50))
            p99.append(percentile(taken, 99))
        found.offers += len(full) + len(idle)
        found.double += house.double
        note(
            f"an agent becomes free {found.full_p50[-1]:.3f} ms (p99 {found.full_p99[-1]:.3f}), "
            f"a caller comes {found.idle_p50[-1]:.3f} ms (p99 {found.idle_p99[-1]:.3f})"
        )
    return found


class _House:
    """A floor and the phones that answer at once."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        queues = [
            Queue(f"q{n}", f"Queue {n}", strategy=STRATEGIES[n % len(STRATEGIES)], skills=_skills(n), wrap_up=0)
            for n in range(QUEUES)
        ]
        agents = [self._agent(f"{1000 + n}") for n in range(AGENTS)]
        self.floor = Floor(Plan.of(*queues, *agents, PriorityClass("listed", 60)))
        self.now = 0.0
        self.talking: list[tuple[str, str]] = []
        self.double = 0
        self._busy: set[str] = set()
        self._count = 0
        for agent in agents:
            self.now += 0.1
            self.floor.log_in(agent.extension, self.now)

    def _agent(self, extension: str) -> AgentProfile:
        tiers = {f"q{n}": self.pick.randrange(3) for n in self.pick.sample(range(QUEUES), EACH)}
        return AgentProfile(extension, tiers, {f"s{n}": self.pick.randrange(4) for n in range(SKILLS)})

    def _come(self) -> Caller:
        self._count += 1
        priority = self.pick.choice([None, None, "listed"])
        return Caller(f"c{self._count}", f"q{self.pick.randrange(QUEUES)}", priority=priority, number=f"{self._count}")

    def callers(self, offers: int) -> list[float]:
        """Callers come, and one call ends for each that began: the house stays nearly empty."""
        taken: list[float] = []
        while len(taken) < offers:
            self.now += 1 / RATE
            caller = self._come()
            began = time.thread_time()
            effects = self.floor.enter(caller, self.now)
            self._take(effects, time.thread_time() - began, taken)
            while len(self.talking) > AGENTS // 10:
                self._release()
        return taken

    def fill(self) -> None:
        """Callers come until so many wait."""
        while self.floor.waiting < WAITING:
            self.now += 0.01
            self._take(self.floor.enter(self._come(), self.now), 0.0, [])

    def releases(self, offers: int) -> list[float]:
        """Calls end and the agents get their next; another caller comes for each."""
        taken: list[float] = []
        while len(taken) < offers:
            self.now += 1 / RATE
            began = time.thread_time()
            effects = self._release()
            self._take(effects, time.thread_time() - began, taken)
            while self.floor.waiting < WAITING:
                self._take(self.floor.enter(self._come(), self.now), 0.0, [])
        return taken

    def _release(self) -> list[Effect]:
        at = self.pick.randrange(len(self.talking))
        self.talking[at], self.talking[-1] = self.talking[-1], self.talking[at]
        extension, call = self.talking.pop()
        self._busy -= {extension, call}
        return self.floor.released(extension, call, self.now)

    def _take(self, effects: list[Effect], seconds: float, taken: list[float]) -> None:
        for effect in effects:
            if isinstance(effect, Offer):
                taken.append(1000 * seconds)
                extension = effect.extensions[0]
                self.double += len(self._busy & {extension, effect.call})
                self._busy |= {extension, effect.call}
                self.talking.append((extension, effect.call))
                answer = self.floor.answered(effect.offer, extension, self.now)
                self.double += sum(isinstance(one, Withdraw) for one in answer)


def _skills(number: int) -> dict[str, int]:
    return {f"s{number % SKILLS}": 1} if number % 2 else {}
