"""The table of an agent's states."""

import pytest

from routing.agent_state import BUSY, NEXT, OFFERED, RESTING, AgentState, IllegalStep, Seen, step


@pytest.mark.parametrize("state", sorted(BUSY))
def test_a_status_change_waits_while_he_is_busy(state: AgentState) -> None:
    assert step(state, Seen.STATUS, AgentState.PAUSED) is state


@pytest.mark.parametrize("state", sorted(RESTING))
def test_a_status_change_is_seen_at_once_while_he_rests(state: AgentState) -> None:
    assert step(state, Seen.STATUS, AgentState.PAUSED) is AgentState.PAUSED


@pytest.mark.parametrize("state", sorted(set(AgentState) - {AgentState.AVAILABLE}))
def test_only_who_is_available_is_offered_a_call(state: AgentState) -> None:
    with pytest.raises(IllegalStep, match=f"who is {state} cannot see OFFERED"):
        step(state, Seen.OFFERED, AgentState.AVAILABLE)


def test_from_every_state_there_is_a_way_to_rest() -> None:
    reached = set(RESTING)
    while True:
        more = {before for (before, _), after in NEXT.items() if after is None or after in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(AgentState)


def test_a_call_goes_from_offer_to_wrap_up() -> None:
    state = AgentState.AVAILABLE
    for seen in (Seen.OFFERED, Seen.RANG, Seen.ANSWERED, Seen.ENDED, Seen.WRAPPED):
        state = step(state, seen, AgentState.AVAILABLE)
        assert (state in OFFERED) == (seen in {Seen.OFFERED, Seen.RANG})
    assert state is AgentState.AVAILABLE
