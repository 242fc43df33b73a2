"""Who is at work again after a restart: the last `agent.state` of each agent, folded.  Pure.

A call does not outlive the server, so whoever was offered one, talked or wrapped up is done with it; what he had asked
for meanwhile, a pause or the end of his work, comes into force.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from routing.agent_state import AgentState

RESTART = "restart"
"The reason of what the restart itself does to an agent, which says nothing of what he wants."
WITHOUT_REASON = "pause"


@dataclass(frozen=True, slots=True)
class LastState:
    """The last `agent.state` of an agent."""

    extension: str
    time: float
    "Epoch seconds."
    data: Mapping[str, Any]
    "As the event has it."


@dataclass(frozen=True, slots=True)
class Back:
    """An agent who is logged in again."""

    extension: str
    pause: str | None
    "Why he has paused; None: he has not."


def who_comes_back(last: Iterable[LastState], known: Callable[[str], bool]) -> tuple[list[Back], list[str]]:
    """Those who are logged in again, whose state is the oldest first, so that the longest idle is asked first again.

    The second list: who would be, but is no agent any more (`known` says so).
    """
    back: list[Back] = []
    removed: list[str] = []
    for one in sorted(last, key=lambda one: (one.time, one.extension)):
        if not _logged_in(one.data):
            continue
        if known(one.extension):
            back.append(Back(one.extension, _pause(one.data)))
        else:
            removed.append(one.extension)
    return back, removed


def _logged_in(data: Mapping[str, Any]) -> bool:
    return data.get("after") != AgentState.LOGGED_OUT and data.get("logged_in") is not False


def _pause(data: Mapping[str, Any]) -> str | None:
    """His reason, whether it is in force or was to be after the call."""
    pause = data.get("pause")
    if pause is None and data.get("after") == AgentState.PAUSED:
        pause = data.get("reason") or WITHOUT_REASON
    return None if pause is None else str(pause)
