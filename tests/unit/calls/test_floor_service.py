"""The floor as the calls use it: effects reach their calls, time passes, differences are repaired."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from b2bua.calls.floor import FloorService
from b2bua.calls.ring_many import refusal_of
from b2bua.events import EventLog
from b2bua.metrics import Metrics
from b2bua.settings.sections import Calls
from b2bua.sip.leg import Leg
from b2bua.sip.resolver import DEADLINE
from routing.agent_state import AgentState
from routing.effects import Caller, Leave, Offer, Withdraw
from routing.floor import DIRECT_LEASE
from routing.goal import Goal
from routing.matching import LEASE
from routing.plan import Plan
from routing.queue import AgentProfile, Overflow, Queue


class Line:
    """A live call as the floor sees it: an inbox, an id, the legs of its agents."""

    def __init__(self, id: str, centre: "Centre") -> None:
        self.id, self.inbox, self.agents = id, list[object](), dict[int, str]()
        self.exchange = SimpleNamespace(tell=lambda word, call, data: centre.told.append((word, call.id, data)))
        self.parties = SimpleNamespace(state=lambda leg: Leg.UP)
        self.monitoring = None

    def deliver(self, delivery: object) -> None:
        self.inbox.append(delivery)


class Centre:
    """A floor service with calls of the test's own, and a clock that the test moves."""

    def __init__(self, *values: object) -> None:
        self.plan, self.now = Plan.of(*values), 100.0
        self.calls: dict[str, Line] = {}
        self.told: list[tuple[str, str | None, Mapping[str, Any]]] = []
        self.metrics, self.gone = Metrics(), set[str]()
        events = SimpleNamespace(append=lambda word, call, data: self.told.append((word, call, data)))
        self.service = FloorService(
            plan=lambda: self.plan,
            sessions=cast("Any", lambda: list(self.calls.values())),
            session=cast("Any", self.calls.get),
            events=cast("EventLog", events),
            metrics=self.metrics,
            clock=lambda: self.now,
            known=lambda extension: extension not in self.gone,
        )

    def comes(self, id: str, **more: Any) -> Line:
        line = self.calls[id] = Line(id, self)
        self.service.enter(Caller(id, "orders", **more))
        return line

    def types(self) -> list[str]:
        return [word for word, _, _ in self.told]

    def state(self, extension: str = "1001") -> AgentState:
        seat = self.service.agent(extension)
        assert seat is not None
        return seat.state


QUEUE, AGENT = Queue("orders", "Orders", wrap_up=0.0), AgentProfile("1001", {"orders": 1})


@pytest.fixture
async def centre() -> Centre:
    return Centre(QUEUE, AGENT)


async def test_an_offer_reaches_its_call_and_the_listeners_hear_of_it(centre: Centre) -> None:
    """R2-05"""
    line = centre.comes("a")
    assert line.inbox == []
    centre.service.log_in("1001")
    [offer] = line.inbox
    assert isinstance(offer, Offer)
    assert centre.service.offered(offer.offer, "1001")
    centre.service.ringing(offer.offer, "1001")
    assert centre.service.answered(offer.offer, "1001")
    assert centre.state() is AgentState.TALKING
    assert set(centre.types()) == {"call.queued", "call.dequeued", "agent.state"}
    [left] = [data for word, _, data in centre.told if word == "call.dequeued"]
    assert (left["result"], left["extension"]) == ("answered", "1001")
    centre.service.released("1001", "a")
    assert centre.state() is AgentState.AVAILABLE


async def test_an_offer_for_a_call_that_is_gone_is_taken_back(centre: Centre) -> None:
    """R2-05: the call ended before the floor was told."""
    centre.comes("a")
    del centre.calls["a"]
    centre.service.log_in("1001")
    assert centre.state() is AgentState.AVAILABLE
    assert not centre.service.waits("a")


async def test_an_answer_that_comes_too_late_is_turned_down(centre: Centre) -> None:
    """R2-05: the caller left while the 200 was on its way; the phone is hung up by whoever told of it."""
    line = centre.comes("a")
    centre.service.log_in("1001")
    offer = line.inbox[0]
    assert isinstance(offer, Offer)
    centre.service.leave("a", "abandoned")
    assert isinstance(line.inbox[1], Withdraw)
    assert not centre.service.answered(offer.offer, "1001")
    assert centre.state() is AgentState.AVAILABLE


async def test_who_may_not_wait_is_told_at_once_where_to_go() -> None:
    """R2-05: no letter in the inbox that a later step could take for its own."""
    elsewhere = Goal("agent", "1009")
    full = Centre(Queue("orders", "Orders", overflow=(Overflow("no-agents", elsewhere),)), AGENT)
    line = full.calls["a"] = Line("a", full)
    sent = full.service.enter(Caller("a", "orders"))
    assert sent == Leave("a", "orders", "no-agents", elsewhere)
    assert line.inbox == []


async def test_a_lost_bye_leaves_nobody_talking(centre: Centre) -> None:
    """R2-05: an agent in a call that is gone, and one in a call the floor does not know, are put right and counted."""
    line = centre.comes("a")
    centre.service.log_in("1001")
    offer = line.inbox[0]
    assert isinstance(offer, Offer)
    centre.service.answered(offer.offer, "1001")
    line.agents[7] = "1001"
    centre.now += 10
    centre.service.reconcile()
    assert centre.state() is AgentState.TALKING
    del centre.calls["a"]
    centre.service.reconcile()
    assert centre.state() is AgentState.AVAILABLE
    assert centre.metrics.repaired.value("no-call") == 1
    centre.calls["b"] = stray = Line("b", centre)
    stray.agents[8] = "1001"
    centre.now += 10
    centre.service.reconcile()
    assert centre.state() is AgentState.TALKING
    assert centre.metrics.repaired.value("in-call") == 1


async def test_an_offer_that_nobody_ends_ends_by_its_lease() -> None:
    """R2-05: by the service's own timer."""
    centre = Centre(Queue("orders", "Orders", ring_timeout=1.0), AGENT)
    line = centre.comes("a")
    centre.service.log_in("1001")
    centre.now += 1.0 + LEASE + 0.1
    centre.service._tick()
    assert isinstance(line.inbox[-1], Withdraw)
    assert centre.metrics.repaired.value("lease") == 1
    assert centre.state() is not AgentState.RINGING


async def test_an_agent_who_is_deleted_is_logged_out(centre: Centre) -> None:
    centre.service.log_in("1001")
    centre.gone.add("1001")
    centre.service.reconcile()
    assert centre.state() is AgentState.LOGGED_OUT


async def test_a_new_plan_is_in_force_with_the_next_step(centre: Centre) -> None:
    """A queue that was made a moment ago takes callers; one that is gone sends them away."""
    centre.plan = Plan.of(QUEUE, AGENT, Queue("new", "New"))
    centre.calls["a"] = line = Line("a", centre)
    assert centre.service.enter(Caller("a", "new")) is None
    centre.plan = Plan.of(QUEUE, AGENT)
    centre.service.log_in("1001")
    assert isinstance(line.inbox[-1], Leave)


async def test_only_an_agent_who_is_free_can_be_reserved(centre: Centre) -> None:
    """A direct call: who is logged out is nobody's, who is busy is busy."""
    assert centre.service.reserve("1001", "x")
    centre.service.log_in("1001")
    assert centre.service.reserve("1001", "y")
    assert centre.state() is AgentState.RESERVED
    assert not centre.service.reserve("1001", "z")
    centre.service.refused("y", "1001", "reject")
    assert centre.state() is AgentState.AVAILABLE


def test_a_reservation_outlives_the_longest_ringing() -> None:
    """R2-05: an agent whose phone still rings for a direct call must not be given to a queue."""
    longest = Calls.model_json_schema()["properties"]["ring_timeout"]["maximum"]
    assert longest + DEADLINE < DIRECT_LEASE


@pytest.mark.parametrize(
    ("code", "local", "why"),
    [
        (486, False, "busy"),
        (600, False, "busy"),
        (603, False, "reject"),
        (480, False, "reject"),
        (404, False, "unreachable"),
        (408, True, "unreachable"),
        (503, False, "unreachable"),
        (200, True, "unreachable"),
    ],
)
def test_what_a_phones_status_says_of_its_agent(code: int, local: bool, why: str) -> None:
    assert refusal_of(code, local) == why
