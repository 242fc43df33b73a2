"""The life of a leg, as a table."""

import pytest

from b2bua.sip.leg import NEXT, IllegalStep, Leg, Seen, step


def test_every_state_can_close() -> None:
    assert {step(state, Seen.CLOSED) for state in Leg} == {Leg.GONE}


def test_an_answer_without_ringing_is_an_answer() -> None:
    assert step(Leg.NEW, Seen.ANSWERED) is Leg.UP


@pytest.mark.parametrize("seen", [Seen.PROGRESS, Seen.ANSWERED, Seen.DROPPED])
def test_a_leg_that_ends_goes_on_ending(seen: Seen) -> None:
    assert step(Leg.ENDING, seen) is Leg.ENDING


@pytest.mark.parametrize(("state", "seen"), [(s, e) for s in Leg for e in Seen if (s, e) not in NEXT])
def test_what_is_not_in_the_table_is_our_own_mistake(state: Leg, seen: Seen) -> None:
    with pytest.raises(IllegalStep) as caught:
        step(state, seen)
    assert (caught.value.state, caught.value.seen) == (state, seen)


def test_nothing_leads_out_of_gone() -> None:
    assert {after for (state, _), after in NEXT.items() if state is Leg.GONE} == {Leg.GONE}
