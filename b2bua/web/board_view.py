"""What the wallboard's page is told: the floor at one moment as JSON, and the part of it one tenant may see.  Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace

from b2bua.jsontext import encode
from routing.board import AgentLine, Board


def board_text(board: Board, names: Mapping[str, str], node: str, at: float) -> str:
    """The board as JSON; `names`: agents' names by extension; `at`: epoch seconds."""
    whole = asdict(board)
    for agent in whole["agents"]:
        agent["name"] = names.get(agent["extension"], "")
        agent["seconds"] = round(agent["seconds"], 1)
    for queue in whole["queues"]:
        queue["oldest"] = round(queue["oldest"], 1)
    return encode({"node": node, "time": round(at, 3), **whole})


def of_tenant(board: Board, tenant: str) -> Board:
    """What a tenant may see: its queues, their callers, and the agents who serve them, in their part in them."""
    queues = tuple(queue for queue in board.queues if queue.tenant == tenant)
    own = {queue.queue for queue in queues}
    agents = tuple(_within(agent, own) for agent in board.agents if own.intersection(agent.queues))
    return Board(
        waiting=sum(queue.waiting for queue in queues),
        areas=_added(queue.areas for queue in queues),
        queues=queues,
        agents=agents,
        states=dict(Counter(agent.state.value for agent in agents)),
    )


def _within(agent: AgentLine, own: set[str]) -> AgentLine:
    """An agent as a tenant sees him: busy for another one, he is busy and no more."""
    foreign = agent.queue is not None and agent.queue not in own
    return replace(
        agent,
        queues=tuple(queue for queue in agent.queues if queue in own),
        queue=None if foreign else agent.queue,
        call=None if foreign or agent.queue is None else agent.call,
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
