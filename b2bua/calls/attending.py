"""What agents do about themselves: log in and out, pause, end a wrap-up.  API, pages and phones ask here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from b2bua.log import logger
from routing.agent_state import AgentState
from routing.board import AgentLine
from routing.comeback import RESTART, LastState, who_comes_back

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan
    from routing.queue import AgentProfile
    from routing.seat import Seat


log = logger("agents")


class FloorDoor(Protocol):
    """The part of the floor that agents have to do with; every method is one step on the loop."""

    def log_in(
        self, extension: str, *, pause: str | None = None, reachable: bool = True, reason: str = "log-in"
    ) -> None: ...

    def log_out(self, extension: str) -> None: ...

    def gone(self, extension: str) -> None: ...

    def pause(self, extension: str, reason: str) -> None: ...

    def resume(self, extension: str) -> None: ...

    def wrap_up_over(self, extension: str) -> None: ...

    def extend_wrap_up(self, extension: str, seconds: float) -> None: ...

    def agent(self, extension: str) -> Seat | None: ...

    def clock(self) -> float: ...


class Lines(Protocol):
    """The standing lines of agents."""

    def open(self, extension: str, patient: bool = False) -> None:
        """He is logged in: call him, and keep him on the line.  `patient`: his phone may be in a dead call still."""
        ...


class CannotAttend(Exception):
    """An agent cannot do this as he is."""


class UnknownAgent(Exception):
    """There is no such agent who can be called."""


class Attending:
    """The state of every agent, as he and his supervisors change it.

    Raises UnknownAgent for an extension that no agent has, and CannotAttend for what makes no sense in his state.
    A change during an offer or a call is kept, and comes into force after it.
    """

    def __init__(
        self, directory: Callable[[], Directory], plan: Callable[[], Plan], floor: FloorDoor, lines: Lines
    ) -> None:
        self._directory, self._plan, self._floor, self._lines = directory, plan, floor, lines
        self.has_phone: Callable[[str], bool] = lambda extension: True
        "Whether his phone is there, as far as is known: one that registers and has not is not."

    def log_in(self, extension: str) -> None:
        """Nothing changes where he is logged in already."""
        self._known(extension)
        self._begin(extension, None, "log-in")

    def come_back(self, last: Iterable[LastState]) -> None:
        """After a restart, before calls are taken: who was at work is so again; who has been removed stays out."""
        directory = self._directory()
        back, removed = who_comes_back(last, lambda extension: directory.agent(extension) is not None)
        for one in back:
            self._begin(one.extension, one.pause, RESTART)
        for extension in removed:
            self._floor.gone(extension)
        if back or removed:
            log.info("agents are at work again after the restart", agents=len(back), removed=len(removed))

    def _begin(self, extension: str, pause: str | None, reason: str) -> None:
        """Where he has a line he is offered nothing before it is up."""
        profile = self.profile(extension)
        has_line = profile is not None and profile.connection == "nailed-up"
        reachable = not has_line and self.has_phone(extension)
        self._floor.log_in(extension, pause=pause, reachable=reachable, reason=reason)
        if has_line:
            self._lines.open(extension, patient=reason == RESTART)

    def log_out(self, extension: str) -> None:
        """Nothing changes where he is not logged in; one whom somebody has removed meanwhile can still go."""
        if self._floor.agent(extension) is None:
            self._known(extension)
        self._floor.log_out(extension)

    def pause(self, extension: str, reason: str) -> None:
        self._present(extension)
        self._floor.pause(extension, reason)

    def resume(self, extension: str) -> None:
        self._present(extension)
        self._floor.resume(extension)

    def wrap_up_over(self, extension: str) -> None:
        self._in_wrap_up(extension)
        self._floor.wrap_up_over(extension)

    def extend_wrap_up(self, extension: str, seconds: float) -> None:
        """Up to the ceiling of the queue whose call it was."""
        self._in_wrap_up(extension)
        self._floor.extend_wrap_up(extension, seconds)

    def state(self, extension: str) -> AgentLine:
        """How he is; somebody nobody has seen yet is logged out."""
        if self._floor.agent(extension) is None:
            self._known(extension)
        return self._line(extension)

    def states(self) -> Sequence[AgentLine]:
        """All agents who can be called, by extension."""
        return [self._line(one.extension) for one in self._directory().agents.values() if one.enabled]

    def profile(self, extension: str) -> AgentProfile | None:
        return self._plan().agent_profiles.get(extension)

    def _line(self, extension: str) -> AgentLine:
        seat = self._floor.agent(extension)
        if seat is None:
            profile = self.profile(extension)
            queues = tuple(profile.queues) if profile is not None else ()
            return AgentLine(extension, AgentState.LOGGED_OUT, 0.0, "", None, None, queues)
        return seat.line(self._floor.clock())

    def _known(self, extension: str) -> None:
        if self._directory().agent(extension) is None:
            raise UnknownAgent(f"there is no agent {extension} who can be called")

    def _present(self, extension: str) -> None:
        self._known(extension)
        seat = self._floor.agent(extension)
        if seat is None or not seat.logged_in:
            raise CannotAttend(f"agent {extension} is not logged in")

    def _in_wrap_up(self, extension: str) -> None:
        self._known(extension)
        seat = self._floor.agent(extension)
        if seat is None or seat.state is not AgentState.WRAP_UP:
            raise CannotAttend(f"agent {extension} has no call to wrap up")
