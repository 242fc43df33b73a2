"""The floor for calls that we place ourselves: an agent kept for one, and the called who comes before everybody."""

from routing.agent_state import AgentState
from routing.floor import Caller
from routing.goal import Goal
from routing.queue import AgentProfile, Overflow, Queue
from tests.unit.routing.floor_steps import ONE, QUEUE, floor, offer, order, state, talk

WRAPS = Queue("q", "Q", wrap_up=10, missed_before_pause=1)


def test_an_agent_kept_for_a_dialled_call_has_the_wrap_up_of_its_queue() -> None:
    here = floor(WRAPS, ONE)
    assert here.reserve("1001", "d1", 0, "q")
    here.answered("d1", "1001", 5)
    here.released("1001", "d1", 9)
    assert state(here, "1001") is AgentState.WRAP_UP
    here.tick(19)
    assert state(here, "1001") is AgentState.AVAILABLE
    here.reserve("1001", "d2", 20, "not-his")
    here.answered("d2", "1001", 21)
    here.released("1001", "d2", 22)
    assert state(here, "1001") is AgentState.AVAILABLE, "a queue he does not serve has no say"


def test_nobody_is_blamed_when_the_called_does_not_answer() -> None:
    here = floor(WRAPS, ONE, AgentProfile("1002", {"q": 0}), at_work=("1001", "1002"))
    here.reserve("1001", "d1", 1, "q")
    here.unreserve("1001", "another", 2)
    assert state(here, "1001") is AgentState.RESERVED
    here.unreserve("1001", "d1", 25)
    assert state(here, "1001") is AgentState.AVAILABLE
    assert offer(here.enter(Caller("c1", "q"), 26)).extensions == ("1001",), "his turn has not passed"
    here.unreserve("1001", "c1", 27)
    assert state(here, "1001") is AgentState.RESERVED, "an offer of the queue ends as offers do"


def test_whom_we_have_called_comes_before_all_who_wait_and_no_rule_moves_him() -> None:
    full = Queue("q", "Q", wrap_up=0, max_length=1, overflow=(Overflow("size", Goal("hangup"), 0),))
    here = floor(QUEUE, ONE)
    talk(here, "busy", 0)
    here.enter(Caller("c1", "q", priority="complaint"), 1)
    here.enter(Caller("d1", "q", ahead=1e6, callback=True), 100)
    assert order(here) == ["d1", "c1"]
    here = floor(full, ONE)
    talk(here, "busy", 0)
    here.enter(Caller("d1", "q", ahead=1e6, callback=True), 1)
    assert order(here) == ["d1"]
