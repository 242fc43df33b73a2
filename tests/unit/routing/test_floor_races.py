"""The floor where things come together that seldom do: data that change under an offer, calls it did not know of,
lines that are down, callers who come back."""

from routing.agent_state import AgentState
from routing.effects import AgentChanged, Dequeued, Leave, Withdraw
from routing.floor import Caller, Floor, Offer
from routing.goal import Goal
from routing.plan import Plan
from routing.queue import AgentProfile, Queue, Widening
from routing.staff import UNREACHABLE_DELAY
from tests.unit.routing.floor_steps import ONE, QUEUE, floor, of, offer, state, talk


def test_several_queues_go_at_once_while_one_of_their_agents_rings() -> None:
    """R2-05: the agent of an offer that is taken back serves a queue that is gone already."""
    agent = AgentProfile("1001", {"a": 0, "b": 0, "c": 0})
    made = floor(Queue("a", "A"), Queue("b", "B", otherwise=Goal("voicemail", "b")), Queue("c", "C"), agent)
    ringing = offer(made.enter(Caller("c1", "b"), 1))
    said = made.replan(Plan.of(Queue("c", "C"), AgentProfile("1001", {"c": 0})), 2)
    assert of(said, Leave) == [Leave("c1", "b", "no-queue", Goal("voicemail", "b"))]
    assert [one.offer for one in of(said, Withdraw)] == [ringing.offer]
    assert state(made, "1001") is AgentState.AVAILABLE
    assert offer(made.enter(Caller("c2", "c"), 3)).extensions == ("1001",)


def test_who_logs_in_with_a_call_on_his_phone_is_asked_when_it_is_over() -> None:
    """R2-05: a direct call found him logged out; his phone is not rung a second time beside it."""
    made = floor(at_work=())
    made.enter(Caller("c1", "q"), 1)
    said = made.log_in("1001", 2, call="direct")
    assert not of(said, Offer)
    (changed,) = of(said, AgentChanged)
    assert (changed.after, changed.call, changed.queue) == (AgentState.TALKING, "direct", None)
    assert not made.reconcile({"1001": "direct"}, 60, {"direct", "c1"})
    assert offer(made.released("1001", "direct", 70)).call == "c1"


def test_a_direct_call_that_is_given_up_is_no_refusal() -> None:
    """R2-05: the caller has gone while the phone rang; the agent keeps his turn."""
    made = floor(QUEUE, ONE, AgentProfile("1002", {"q": 0}), at_work=("1001", "1002"))
    assert made.reserve("1001", "direct", 5) is not None
    made.ringing("direct", "1001", 6)
    (changed,) = of(made.released("1001", "direct", 7), AgentChanged)
    assert (changed.before, changed.after, changed.reason) == (AgentState.RINGING, AgentState.AVAILABLE, "released")
    assert offer(made.enter(Caller("c1", "q"), 8)).extensions == ("1001",), "still the longest idle"


def test_a_line_that_is_down_is_up_by_its_own_word_only() -> None:
    """R2-05: with a standing line nobody is offered to an agent before the line says that it is there."""
    made = floor(at_work=())
    made.enter(Caller("c1", "q"), 1)
    assert not of(made.log_in("1001", 2, reachable=False), Offer)
    assert state(made, "1001") is AgentState.UNREACHABLE
    said = made.reachable("1001", True, 3)
    ringing = offer(said)
    made.reachable("1001", False, 4)  # it goes while he is offered
    made.refused(ringing.offer, "1001", "unreachable", 5)
    assert not made.tick(5 + 10 * UNREACHABLE_DELAY)
    assert state(made, "1001") is AgentState.UNREACHABLE
    assert offer(made.reachable("1001", True, 500)).call == "c1"


def test_what_was_expected_of_the_first_wait_is_not_held_against_the_second() -> None:
    """R2-05: the error of the estimate is one of callers who wait for the first time."""
    made = floor(QUEUE, ONE, AgentProfile("1002", {"q": 0}))
    talk(made, "c0", 1)
    made.enter(Caller("c1", "q"), 2)
    place = made.place("c1")
    assert place is not None
    place.estimate = 30.0
    ringing = offer(made.released("1001", "c0", 12))
    (first,) = of(made.answered(ringing.offer, "1001", 12), Dequeued)
    assert (first.wait, first.estimate) == (10, 30.0)
    made.back("c1", 20)
    ringing = offer(made.log_in("1002", 25))
    (second,) = of(made.answered(ringing.offer, "1002", 25), Dequeued)
    assert (second.wait, second.estimate) == (5, None)


def test_nobody_is_kept_for_an_agent_who_cannot_serve_him_now() -> None:
    """R2-05: the one who served him last was enough only after a while; another one who can is free at once."""
    queue = Queue("q", "Q", skills={"german": 2}, widen=(Widening(20, {}),), sticky=300, wrap_up=0)
    made = floor(queue, ONE, AgentProfile("1002", {"q": 0}, {"german": 2}))
    made.enter(Caller("c1", "q", number="+49"), 1)
    ringing = offer(made.tick(30))
    made.answered(ringing.offer, "1001", 31)
    made.released("1001", "c1", 40)
    made.log_in("1002", 41)
    assert offer(made.enter(Caller("c2", "q", number="+49"), 50)).extensions == ("1002",)


def test_an_agent_who_asked_to_go_while_he_rang_goes_when_the_caller_leaves() -> None:
    """R2-05: a status change during an offer is kept, whatever ends the offer."""
    for ask, after in ((Floor.log_out, AgentState.LOGGED_OUT), (_lunch, AgentState.PAUSED)):
        made = floor()
        ringing = offer(made.enter(Caller("c1", "q"), 1))
        made.ringing(ringing.offer, "1001", 2)
        ask(made, "1001", 3)
        assert state(made, "1001") is AgentState.RINGING
        made.leave("c1", "abandoned", 4)
        assert state(made, "1001") is after


def _lunch(made: Floor, extension: str, now: float) -> None:
    made.pause(extension, "lunch", now)
