"""Who hears whom: events in, effects out."""

import pytest

from b2bua.calls.parties import Attach, Close, Held, Join, Part, Parties, Role, SendDtmf
from b2bua.sip.leg import IllegalStep, Leg
from b2bua.sip.signals import Answered, Closed, Dtmf, Progress, Sound

CALLER, AGENT = 1, 2


def two() -> Parties:
    parties = Parties()
    parties.add(CALLER, Role.CALLER)
    parties.add(AGENT, Role.AGENT)
    assert parties.pair(CALLER, AGENT) == [Join(CALLER, AGENT)]
    return parties


def talking() -> Parties:
    parties = two()
    assert parties.on(Sound(AGENT, "a")) == [Attach(AGENT, "a")]
    assert parties.on(Sound(CALLER, "c")) == [Attach(CALLER, "c")]
    parties.on(Answered(AGENT))
    parties.on(Answered(CALLER))
    return parties


def test_hold_and_its_end_are_told_once() -> None:
    parties = talking()
    assert parties.on(Sound(AGENT, "a2", held=True)) == [Attach(AGENT, "a2"), Held(AGENT, True)]
    assert parties.on(Sound(AGENT, "a3", held=True)) == [Attach(AGENT, "a3")]
    assert parties.on(Sound(AGENT, "a4")) == [Attach(AGENT, "a4"), Held(AGENT, False)]


def test_a_new_pair_begins_with_the_hold_it_finds() -> None:
    parties = talking()
    parties.on(Sound(AGENT, "a", held=True))
    assert parties.unpair(CALLER, AGENT) == [Part(CALLER, AGENT)]
    assert parties.pair(CALLER, AGENT) == [Join(CALLER, AGENT), Held(AGENT, True)]


def test_a_key_goes_to_the_partner_only() -> None:
    parties = talking()
    assert parties.on(Dtmf(CALLER, "5", "rfc4733")) == [SendDtmf(AGENT, "5", "rfc4733")]
    assert parties.on(Dtmf(AGENT, "#", "info")) == [SendDtmf(CALLER, "#", "info")]


def test_a_leg_that_closes_is_parted_from_its_partner_once() -> None:
    parties = talking()
    assert parties.on(Closed(AGENT, 200, True)) == [Close(AGENT), Part(CALLER, AGENT)]
    assert parties.on(Closed(CALLER, 200, True)) == [Close(CALLER)]
    assert parties.state(AGENT) is Leg.GONE


def test_the_caller_gives_up_while_the_agent_rings() -> None:
    parties = two()
    parties.on(Progress(AGENT, 180, False))
    parties.on(Closed(CALLER, 487, True))
    assert parties.drop(AGENT)
    assert parties.on(Answered(AGENT)) == []  # the 200 crossed our CANCEL
    assert parties.state(AGENT) is Leg.ENDING
    assert not parties.drop(AGENT)


def test_signals_of_a_leg_that_is_not_in_the_call_are_ignored() -> None:
    assert two().on(Answered(99)) == []


@pytest.mark.parametrize("state", list(Leg))
def test_every_state_can_close_and_be_dropped(state: Leg) -> None:
    parties = two()
    parties.by_leg[AGENT].state = state
    parties.drop(AGENT)
    parties.on(Closed(AGENT, 200, True))
    assert parties.state(AGENT) is Leg.GONE


def test_an_answer_from_a_leg_that_is_gone_is_our_own_mistake() -> None:
    parties = two()
    parties.on(Closed(AGENT, 486, True))
    with pytest.raises(IllegalStep, match="GONE cannot see ANSWERED"):
        parties.on(Answered(AGENT))


def test_the_repr_fits_a_log_line() -> None:
    assert repr(talking()) == "<parties caller:up, agent:up; 1 talking>"


def test_a_leg_goes_to_another_call_as_it_stands() -> None:
    """Attended transfer: what it was is what it is, its old partner hears it no more."""
    first, second = talking(), Parties()
    first.on(Sound(AGENT, "a", held=True))
    party, effects = first.release(AGENT)
    assert effects == [Part(CALLER, AGENT)]
    assert first.partners(CALLER) == []
    second.add(7, Role.CALLER)
    second.adopt(AGENT, party)
    assert second.state(AGENT) is Leg.UP
    assert second.pair(7, AGENT) == [Join(7, AGENT), Held(AGENT, True)]
    assert first.on(Closed(AGENT, 200, True)) == []  # a word that came late is nobody's


def test_who_talks_to_nobody_is_parted_from_nobody() -> None:
    parties = talking()
    assert parties.part(CALLER) == [Part(CALLER, AGENT)]
    assert parties.part(CALLER) == []
