"""The last `agent.state` event of each agent of a node, kept beside the events: what a restart brings him back by.

It is written in the transaction that stores the event, so the two never say different things; and it outlives the
event, which is deleted for its age.
"""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from b2bua.storage.hot import Hot
from b2bua.storage.tables import agent_states
from routing.agent_state import AgentState
from routing.comeback import RESTART, LastState

if TYPE_CHECKING:
    from b2bua.storage.storage import Storage

TYPE = "agent.state"
OUT = AgentState.LOGGED_OUT


def _upsert(insert: Callable[[sa.Table], Any]) -> Any:
    new = insert(agent_states)
    return new.on_conflict_do_update(
        index_elements=["node", "extension"],
        set_={name: new.excluded[name] for name in ("number", "time", "data")},
        where=agent_states.c.number < new.excluded.number,  # a replay brings old ones again
    )


_UPSERT = Hot(_upsert)


def store(conn: sa.Connection, rows: Sequence[tuple[str, int, float, str | None, str, str]]) -> None:
    """Keep the last one of each agent among these events, where it is newer than what is kept.

    One that sends him home because the server starts is passed over: if the server died in that moment, he would not
    come back.
    """
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for node, number, time, _, kind, text in rows:
        if kind != TYPE:
            continue
        data = json.loads(text)
        extension = data.get("extension")
        if not isinstance(extension, str) or (data.get("reason") == RESTART and data.get("after") == OUT):
            continue
        known = newest.get((node, extension))
        if known is None or known["number"] < number:
            newest[node, extension] = {"number": number, "time": time, "data": text}
    if newest:
        _UPSERT.many(conn, ({"node": node, "extension": name, **kept} for (node, name), kept in newest.items()))


async def last_states(storage: "Storage", node: str) -> list[LastState]:
    """Of all agents that this node has ever seen.  Raises StorageUnavailable."""
    query = sa.select(agent_states.c.extension, agent_states.c.time, agent_states.c.data).where(
        agent_states.c.node == node
    )

    def op(conn: sa.Connection) -> list[LastState]:
        return [LastState(extension, time, json.loads(data)) for extension, time, data in conn.execute(query)]

    return await storage.read(op)
