"""Supervisors who listen to calls: in which ways, who then hears whom, and whom each of them may listen to.  Pure."""

from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from routing.queue import AgentProfile


class Mode(StrEnum):
    """What a supervisor does in a call."""

    LISTEN = "listen"
    "He hears everybody, nobody hears him."
    WHISPER = "whisper"
    "The agent hears him, nobody else does."
    BARGE = "barge"
    "Everybody hears everybody."


KEYS = {"4": Mode.LISTEN, "5": Mode.WHISPER, "6": Mode.BARGE}
"What a supervisor presses to change it."

Hears = tuple[int, int]
"Two legs: the first hears the second."


def hearings(mode: Mode, supervisor: int, agent: int, others: Collection[int]) -> frozenset[Hears]:
    """Who hears whom because of this supervisor: `others` are those who talk to `agent`."""
    heard = {(supervisor, leg) for leg in (agent, *others)}
    if mode is not Mode.LISTEN:
        heard.add((agent, supervisor))
    if mode is Mode.BARGE:
        heard |= {(other, supervisor) for other in others}
    return frozenset(heard)


def may_monitor(supervisor: "AgentProfile | None", agent: "AgentProfile | None") -> bool:
    """Whether the one may listen to the other's calls; None: an agent without a profile."""
    if supervisor is None or supervisor.monitors == "nobody":
        return False
    if agent is not None and agent.extension == supervisor.extension:
        return False
    if supervisor.monitors == "all":
        return True
    return agent is not None and not agent.queues.keys().isdisjoint(supervisor.queues)
