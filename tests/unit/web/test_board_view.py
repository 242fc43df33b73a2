"""The wallboard's JSON, and what a tenant sees of it."""

import json

from b2bua.web.board_view import board_text, of_tenant
from routing.agent_state import AgentState
from routing.board import AgentLine, Board, QueueLine


def queue(name: str, tenant: str | None, areas: dict[str, int]) -> QueueLine:
    waiting = sum(areas.values())
    return QueueLine(
        name, name.title(), tenant, waiting, 12.34, None, areas, {"": waiting}, {"talking": 1}, 0, 5, 4, 1, 0, 0.8, 0.8
    )


BOARD = Board(
    5,
    {"north": 3, "south": 2},
    (queue("repairs", "acme", {"north": 1, "south": 2}), queue("sales", "beta", {"north": 2})),
    (
        AgentLine("1001", AgentState.TALKING, 3.21, "", "sales", "call-1", ("repairs", "sales")),
        AgentLine("1002", AgentState.TALKING, 3.21, "", "repairs", "call-2", ("repairs",)),
        AgentLine("1003", AgentState.AVAILABLE, 3.21, "", None, None, ("sales",)),
    ),
    {"talking": 2, "available": 1},
)


def test_the_board_is_told_with_names_and_the_moment_it_was_made() -> None:
    told = json.loads(board_text(BOARD, {"1001": "agent 1001"}, "one", 1735689600.1234))
    assert (told["node"], told["time"], told["waiting"], told["areas"]) == (
        "one",
        1735689600.123,
        5,
        {"north": 3, "south": 2},
    )
    assert told["queues"][0]["oldest"] == 12.3
    assert told["agents"][0] | {"queues": []} == {
        "extension": "1001",
        "name": "agent 1001",
        "state": "talking",
        "seconds": 3.2,
        "reason": "",
        "queue": "sales",
        "call": "call-1",
        "queues": [],
        "wrap_up_left": None,
    }


def test_a_tenant_sees_its_queues_and_who_serves_them_and_nothing_of_other_tenants() -> None:
    seen = of_tenant(BOARD, "acme")
    assert (seen.waiting, seen.areas, [one.queue for one in seen.queues]) == (3, {"north": 1, "south": 2}, ["repairs"])
    assert [(one.extension, one.queue, one.call, one.queues) for one in seen.agents] == [
        ("1001", None, None, ("repairs",)),
        ("1002", "repairs", "call-2", ("repairs",)),
    ]
    assert seen.states == {"talking": 2}
    assert of_tenant(BOARD, "gamma") == Board(0, {}, (), (), {})
