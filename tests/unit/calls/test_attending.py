"""What agents do about themselves, on a real floor with a clock of the test's own."""

from collections.abc import Callable

import pytest

from b2bua.calls.attending import Attending, CannotAttend, UnknownAgent
from routing.agent_state import AgentState
from routing.comeback import LastState
from routing.directory import Agent, Directory
from routing.floor import Floor
from routing.plan import Plan
from routing.queue import AgentProfile, Queue
from routing.seat import Seat


class Door:
    """The floor at the test's time."""

    def __init__(self, plan: Plan) -> None:
        self.floor, self.now = Floor(plan), 100.0
        self.left: list[str] = []
        "Who was at work before the restart and is no agent any more."

    def log_in(
        self, extension: str, *, pause: str | None = None, reachable: bool = True, reason: str = "log-in"
    ) -> None:
        self.floor.log_in(extension, self.now, pause=pause, reachable=reachable, reason=reason)

    def gone(self, extension: str) -> None:
        self.left.append(extension)

    def log_out(self, extension: str) -> None:
        self.floor.log_out(extension, self.now)

    def pause(self, extension: str, reason: str) -> None:
        self.floor.pause(extension, reason, self.now)

    def resume(self, extension: str) -> None:
        self.floor.resume(extension, self.now)

    def wrap_up_over(self, extension: str) -> None:
        self.floor.wrap_up_over(extension, self.now)

    def extend_wrap_up(self, extension: str, seconds: float) -> None:
        self.floor.extend_wrap_up(extension, seconds, self.now)

    def agent(self, extension: str) -> Seat | None:
        return self.floor.agent(extension)

    def clock(self) -> float:
        return self.now


class Opened:
    """The standing lines that were asked for."""

    def __init__(self) -> None:
        self.extensions: list[str] = []
        self.patient = False

    def open(self, extension: str, patient: bool = False) -> None:
        self.extensions.append(extension)
        self.patient = patient


PLAN = Plan.of(
    Queue("q", "q"),
    AgentProfile("1001", {"q": 1}, wrap_up=10.0),
    AgentProfile("1002", {"q": 1}, connection="nailed-up"),
)
AGENTS = [Agent(one, f"agent {one}", f"sip:{one}@192.0.2.10", "inside") for one in ("1001", "1002")]


@pytest.fixture
def door() -> Door:
    return Door(PLAN)


@pytest.fixture
def lines() -> Opened:
    return Opened()


@pytest.fixture
def agents(door: Door, lines: Opened) -> Attending:
    return Attending(lambda: Directory(agents=AGENTS), lambda: PLAN, door, lines)


def test_a_wrap_up_is_extended_and_ended(agents: Attending, door: Door) -> None:
    """Wrap-up with early end and extension."""
    agents.log_in("1001")
    door.floor.reserve("1001", "call-1", door.now)
    door.floor.answered("call-1", "1001", door.now)
    with pytest.raises(CannotAttend, match="no call to wrap up"):
        agents.wrap_up_over("1001")
    door.now += 30
    door.floor.released("1001", "call-1", door.now)
    assert (agents.state("1001").state, agents.state("1001").wrap_up_left) == (AgentState.WRAP_UP, 10.0)
    door.now += 4
    agents.extend_wrap_up("1001", 20.0)
    line = agents.state("1001")
    assert (line.wrap_up_left, line.seconds) == (26.0, 4.0)
    agents.wrap_up_over("1001")
    assert agents.state("1001").state is AgentState.AVAILABLE


def test_a_pause_during_a_call_comes_after_it(agents: Attending, door: Door) -> None:
    """A status change during a call is queued."""
    agents.log_in("1001")
    door.floor.reserve("1001", "call-1", door.now)
    agents.pause("1001", "lunch")
    assert agents.state("1001").state is AgentState.RESERVED
    door.floor.refused("call-1", "1001", "reject", door.now)
    line = agents.state("1001")
    assert (line.state, line.reason) == (AgentState.PAUSED, "lunch")


def test_only_a_standing_line_is_called_at_log_in(agents: Attending, lines: Opened) -> None:
    """Connection modes."""
    agents.log_in("1001")
    agents.log_in("1002")
    assert lines.extensions == ["1002"]
    assert [line.queues for line in agents.states()] == [("q",), ("q",)]


@pytest.mark.parametrize(
    "change", [Attending.log_in, Attending.log_out, Attending.resume, Attending.wrap_up_over, Attending.state]
)
def test_nobody_has_no_state(agents: Attending, change: Callable[[Attending, str], object]) -> None:
    """An extension that no agent has."""
    with pytest.raises(UnknownAgent):
        change(agents, "1999")


def test_after_a_restart_they_are_as_they_were(agents: Attending, door: Door, lines: Opened) -> None:
    """Paused with his reason, a standing line to be called first, and nobody who was removed."""
    told = {
        "1001": {"after": "paused", "reason": "lunch", "logged_in": True, "pause": "lunch"},
        "1002": {"after": "talking", "reason": "answered", "logged_in": True, "pause": None},
        "1003": {"after": "available", "reason": "log-in", "logged_in": True, "pause": None},
    }
    agents.come_back(LastState(extension, 100.0, data) for extension, data in told.items())
    line = agents.state("1001")
    assert (line.state, line.reason) == (AgentState.PAUSED, "lunch")
    assert (agents.state("1002").state, lines.extensions) == (AgentState.UNREACHABLE, ["1002"])
    assert lines.patient, "his phone may be in the old call still"
    assert door.left == ["1003"]
    agents.resume("1001")
    assert agents.state("1001").state is AgentState.AVAILABLE
    door.now += 3600
    door.floor.tick(door.now)
    assert agents.state("1002").state is AgentState.UNREACHABLE, "only his line says that he is back"
    door.floor.reachable("1002", True, door.now)
    assert agents.state("1002").state is AgentState.AVAILABLE


def test_who_was_removed_meanwhile_can_still_go(door: Door, lines: Opened) -> None:
    """Nobody stays logged in for ever."""
    left = list(AGENTS)
    agents = Attending(lambda: Directory(agents=left), lambda: PLAN, door, lines)
    agents.log_in("1001")
    left.clear()
    agents.log_out("1001")
    assert agents.state("1001").state is AgentState.LOGGED_OUT
    with pytest.raises(UnknownAgent):
        agents.log_in("1001")
