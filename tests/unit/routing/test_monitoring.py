"""Who hears whom while a supervisor listens, and whom he may listen to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.monitoring import KEYS, Mode, hearings, may_monitor
from routing.queue import AgentProfile

CALLER, AGENT, COLLEAGUE, CHIEF = 1, 2, 3, 9


@pytest.mark.parametrize(
    ("mode", "heard"),
    [
        (Mode.LISTEN, {(CHIEF, AGENT), (CHIEF, CALLER)}),
        (Mode.WHISPER, {(CHIEF, AGENT), (CHIEF, CALLER), (AGENT, CHIEF)}),
        (Mode.BARGE, {(CHIEF, AGENT), (CHIEF, CALLER), (AGENT, CHIEF), (CALLER, CHIEF)}),
    ],
)
def test_each_way_to_listen(mode: Mode, heard: set[tuple[int, int]]) -> None:
    """Listen, whisper, barge: (who hears, whom)."""
    assert hearings(mode, CHIEF, AGENT, {CALLER}) == heard


@given(st.sampled_from(Mode), st.sets(st.integers(10, 20), max_size=4))
def test_the_others_hear_him_in_one_way_only(mode: Mode, others: set[int]) -> None:
    """Whoever else talks to the agent (a caller, a colleague in a conference) hears a supervisor only when he barges
    in; what the others hear of each other is never touched; nobody hears himself."""
    heard = hearings(mode, CHIEF, AGENT, others)
    assert all(CHIEF in pair and pair[0] != pair[1] for pair in heard)
    assert {ear for ear, _ in heard} & others == (others if mode is Mode.BARGE else set())
    assert {voice for ear, voice in heard if ear == CHIEF} == others | {AGENT}


def test_a_key_for_each_way() -> None:
    """4, 5 and 6 on his phone."""
    assert KEYS == {"4": Mode.LISTEN, "5": Mode.WHISPER, "6": Mode.BARGE}


def test_whose_calls_a_profile_lets_him_hear() -> None:
    """`monitors`: nobody's by default, those of agents of a same queue, everybody's; never his own."""

    def chief(monitors: str, *queues: str) -> AgentProfile:
        return AgentProfile("1003", dict.fromkeys(queues, 1), monitors=monitors)  # type: ignore[arg-type]

    agent = AgentProfile("1001", {"orders": 1, "repairs": 2})
    assert not may_monitor(None, agent)
    assert not may_monitor(AgentProfile("1003", {"orders": 1}), agent)
    assert may_monitor(chief("queues", "repairs"), agent)
    assert not may_monitor(chief("queues", "sales"), agent)
    assert not may_monitor(chief("queues", "sales"), None), "an agent without a profile has no queues"
    assert may_monitor(chief("all"), None)
    assert may_monitor(chief("all"), agent)
    assert not may_monitor(chief("all"), chief("all"))
