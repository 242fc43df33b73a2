"""A colleague is asked: what may happen at each stage, and who then talks."""

from itertools import product

from routing.consulting import NEXT, Event, Stage, Then, talk, then

CALLER, AGENT, COLLEAGUE = 1, 2, 3


def test_every_event_has_an_end_at_every_stage() -> None:
    """Nothing but a second answer is left open, and that changes nothing."""
    open_ends = {pair for pair in product(Stage, Event) if pair not in NEXT}
    assert open_ends == {(Stage.ASKING, Event.ANSWERED), (Stage.JOINED, Event.ANSWERED)}
    assert {then(*pair) for pair in open_ends} == {Then.REFUSE}


def test_whoever_leaves_two_go_on() -> None:
    """Once the colleague has answered, each of the three may leave."""
    for stage in (Stage.ASKING, Stage.JOINED):
        assert then(stage, Event.AGENT_LEFT) is Then.HAND_OVER
        assert then(stage, Event.COLLEAGUE_LEFT) is Then.RETURN
        assert then(stage, Event.CALLER_LEFT) is Then.WITHOUT_CALLER


def test_nobody_waits_for_a_phone_that_rings() -> None:
    """The agent may leave while it rings: it rings for the caller then; a caller who leaves ends the call."""
    assert then(Stage.RINGING, Event.AGENT_LEFT) is then(Stage.RINGING, Event.COMPLETE) is Then.SEND
    assert then(Stage.RINGING, Event.CALLER_LEFT) is Then.END
    assert then(Stage.RINGING, Event.JOIN) is Then.REFUSE
    assert then(Stage.RINGING, Event.BACK) is then(Stage.RINGING, Event.COLLEAGUE_LEFT) is Then.RETURN


def test_who_talks_at_each_stage() -> None:
    """The caller hears music until he is joined; then all three are pairs."""
    assert talk(Stage.RINGING, CALLER, AGENT, COLLEAGUE) == frozenset()
    assert talk(Stage.ASKING, CALLER, AGENT, COLLEAGUE) == {(AGENT, COLLEAGUE)}
    joined = talk(Stage.JOINED, CALLER, AGENT, COLLEAGUE)
    assert {frozenset(pair) for pair in joined} == {
        frozenset({CALLER, AGENT}),
        frozenset({CALLER, COLLEAGUE}),
        frozenset({AGENT, COLLEAGUE}),
    }
    assert talk(Stage.ASKING, CALLER, AGENT, COLLEAGUE) <= joined, "what they hear does not stop"
