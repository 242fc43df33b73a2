"""One simulated day of a campaign: people answer and talk as they do, the real pacing decides, no second passes."""

import heapq
import random
from collections import deque
from enum import IntEnum, auto

from dialer.campaign import Mode
from dialer.learning import Learner
from dialer.pacing import pace
from dialer.phases import Rules, Situation, Window

from .dialer_day import HOUR, DialDay, at
from .dialer_result import DayResult


class _Event(IntEnum):
    ANSWERED = auto()
    "A call needs an agent."
    FAILED = auto()
    "A call ends without one: nobody, or a machine that was detected."
    MISTAKEN = auto()
    "A person was taken for a machine."
    EXPIRED = auto()
    TALKED = auto()
    WRAPPED = auto()
    CHANGED = auto()


def simulate(day: DialDay, mode: Mode, rules: Rules | None = None, seed: int = 1) -> DayResult:
    """From a cold start to the end of the day, and on until nobody waits any more."""
    return _Run(day, mode, rules or Rules(), seed).run()


class _Run:
    def __init__(self, day: DialDay, mode: Mode, rules: Rules, seed: int) -> None:
        self.day, self.mode, self.rules = day, mode, rules
        self.random = random.Random(seed)
        self.learner = Learner(day.patience)
        self.now = 0.0
        self.end = day.hours * HOUR
        self.result = DayResult(mode.value, self.end)
        self._agenda: list[tuple[float, int, _Event, int]] = []
        self._count = 0
        self._ringing: dict[int, float] = {}
        self._machine: set[int] = set()
        "Calls that a machine has answered."
        self._waiting: deque[tuple[int, float]] = deque()
        self._idle: deque[int] = deque()
        self._talking: dict[int, float] = {}
        self._wrapping: dict[int, float] = {}
        self._leaving: dict[int, float] = {}
        "Agents whose last call runs."
        self._hearing: set[int] = set()
        "Agents who have a machine on the line."
        self._agents = 0
        self._since = 0.0

    def run(self) -> DayResult:
        for hour, _ in self.day.agents[1:]:
            self._at(hour * HOUR, _Event.CHANGED, 0)
        self._change()
        tick, next_tick, agenda = self.day.tick, 0.0, self._agenda
        while next_tick < self.end:
            while agenda and agenda[0][0] <= next_tick:
                self._next()
            self.now = next_tick
            self._decide()
            next_tick += tick
        while agenda and (self._ringing or self._waiting or agenda[0][0] <= self.end):
            self._next()
        for since in (*self._talking.values(), *self._leaving.values()):
            self.result.talk += max(0.0, self.end - since)
        self.result.duty += self._agents * max(0.0, self.end - self._since)
        return self.result

    def _at(self, when: float, what: _Event, whom: int) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (when, self._count, what, whom))

    def _next(self) -> None:
        self.now, _, what, whom = heapq.heappop(self._agenda)
        match what:
            case _Event.ANSWERED:
                self._answered(whom)
            case _Event.FAILED:
                self.learner.resolved(self.now - self._ringing.pop(whom), False, self.now)
                self._machine.discard(whom)
            case _Event.MISTAKEN:
                self.learner.resolved(self.now - self._ringing.pop(whom), False, self.now)
                self.result.answers(self.now, 1, 1.0)
            case _Event.EXPIRED:
                self._expired(whom)
            case _Event.TALKED:
                self._talked(whom)
            case _Event.WRAPPED:
                if whom in self._wrapping:
                    self.learner.wrapped(self.now - self._wrapping.pop(whom), self.now)
                    self._free(whom)
            case _Event.CHANGED:
                self._change()

    # Calls.

    def _decide(self) -> None:
        day, result = self.day, self.result
        seen = Situation(
            self.now,
            idle=len(self._idle),
            talking=tuple(self._talking.values()),
            wrapping=tuple(self._wrapping.values()),
            ringing=tuple(self._ringing.values()),
            waiting=len(self._waiting),
            connected=len(self._talking) + len(self._leaving),
            windows=(Window(result.answered, result.abandoned, estimated=result.abandoned - result.unattended),),
            unattended=Window(result.answered, result.unattended),
            lines_free=None if day.lines is None else day.lines - self._lines,
        )
        decision = pace(self.mode, seen, self.rules, self.learner.learned(seen))
        result.reasons[decision.reason.cause] += 1
        for _ in range(decision.calls):
            self._dial()
        result.most_lines = max(result.most_lines, self._lines)

    @property
    def _lines(self) -> int:
        return len(self._talking) + len(self._leaving) + len(self._ringing) + len(self._waiting)

    def _dial(self) -> None:
        day, pick = self.day, self.random
        self._count += 1
        call = self._count
        self._ringing[call] = self.now
        self.result.dialled += 1
        share, machines = day.share(self.now), day.machines
        drawn = pick.random()
        if drawn >= share + machines.share:
            self._at(self.now + day.hold, _Event.FAILED, call)
            return
        answers = self.now + min(day.hold, max(2.0, pick.gammavariate(4.0, day.ring / 4)))
        detected = machines.share > 0 and machines.detected
        if detected:
            answers += machines.delay
        if drawn < share:
            mistaken = detected and pick.random() < machines.human_as_machine
            self._at(answers, _Event.MISTAKEN if mistaken else _Event.ANSWERED, call)
        elif detected and pick.random() >= machines.machine_as_human:
            self._at(answers, _Event.FAILED, call)
        else:
            self._machine.add(call)
            self._at(answers, _Event.ANSWERED, call)

    def _answered(self, call: int) -> None:
        self.learner.resolved(self.now - self._ringing.pop(call), True, self.now)
        if call not in self._machine:
            self.result.answers(self.now, 1, 0.0)
        if self._idle:
            self._connect(call, self._idle.popleft())
        else:
            self._waiting.append((call, self.now))
            self._at(self.now + self.day.patience, _Event.EXPIRED, call)

    def _expired(self, call: int) -> None:
        if self._waiting and self._waiting[0][0] == call:
            self._waiting.popleft()
            if call in self._machine:
                self._machine.discard(call)
            else:
                self.result.answers(self.now, 0, 1.0)
                self.result.unattended += 1

    # Agents.

    def _connect(self, call: int, agent: int) -> None:
        day = self.day
        if call in self._machine:
            self._machine.discard(call)
            self._hearing.add(agent)
            lasts = self.random.expovariate(1 / day.machines.listens)
        else:
            sigma = day.talk_sigma
            lasts = at(day.talk, self.now) * self.random.lognormvariate(-sigma * sigma / 2, sigma)
        self._talking[agent] = self.now
        self._at(self.now + lasts, _Event.TALKED, agent)

    def _talked(self, agent: int) -> None:
        staying = agent in self._talking
        since = self._talking.pop(agent) if staying else self._leaving.pop(agent)
        self.learner.talked(self.now - since, self.now)
        machine = agent in self._hearing
        self._hearing.discard(agent)
        if not machine:
            self.result.talk += max(0.0, min(self.now, self.end) - min(since, self.end))
        if not staying:
            return
        if machine or self.day.wrap <= 0:
            self.learner.wrapped(0.0, self.now)
            self._free(agent)
            return
        self._wrapping[agent] = self.now
        self._at(self.now + self.random.gammavariate(4.0, self.day.wrap / 4), _Event.WRAPPED, agent)

    def _free(self, agent: int) -> None:
        if self._waiting:
            call, _ = self._waiting.popleft()
            self._connect(call, agent)
        else:
            self._idle.append(agent)

    def _change(self) -> None:
        """Agents come or go; who goes may be doing anything."""
        self.result.duty += self._agents * (self.now - self._since)
        self._since = self.now
        wanted = int(at(self.day.agents, self.now))
        while self._agents < wanted:
            self._agents += 1
            self._count += 1
            self._free(self._count)
        here = [*self._idle, *self._talking, *self._wrapping]
        for agent in self.random.sample(here, max(0, len(here) - wanted)):
            self._agents -= 1
            if agent in self._talking:
                self._leaving[agent] = self._talking.pop(agent)
            elif agent in self._wrapping:
                del self._wrapping[agent]
            else:
                self._idle.remove(agent)
