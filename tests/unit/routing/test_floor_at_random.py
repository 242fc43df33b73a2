"""The floor under random events: hypothesis shrinks what fails, and one long run reaches what short ones do not."""

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.agent_state import OFFERED, AgentState
from routing.floor import Caller, Floor
from routing.matching import LEASE
from routing.plan import Plan
from routing.queue import AgentProfile, PriorityClass, Queue
from tests.unit.routing.floor_world import AGENTS, PLAN, QUEUES, Waiting, World

EVENTS = (
    ("enter", 10),
    ("answer", 7),
    ("release", 6),
    ("tick", 6),
    ("refuse", 3),
    ("leave", 3),
    ("log_in", 3),
    ("pause", 1),
    ("resume", 2),
    ("log_out", 1),
    ("unreachable", 1),
    ("back", 1),
    ("reprioritise", 1),
    ("late", 1),
    ("ringing", 2),
    ("wrap_up", 1),
    ("replan", 1),
    ("reconcile", 1),
)
WORDS = [word for word, weight in EVENTS for _ in range(weight)]


def happen(world: World, word: str, pick: random.Random) -> None:
    """One event; one that cannot be is none."""
    floor, now = world.floor, world.now
    extension = pick.choice(AGENTS).extension
    rung = [(offer, one) for offer, (_, who) in world.offers.items() for one in sorted(who)]
    match word:
        case "enter":
            world.enter(
                Caller(
                    f"c{world.count}",
                    pick.choice(QUEUES).id,
                    area=pick.choice(["", "north", "south"]),
                    priority=pick.choice([None, None, "member", "complaint"]),
                    number=f"+49{pick.randrange(12)}",
                    skills=pick.choice([{}, {}, {"german": 1}]),
                    entered=None if pick.random() < 0.9 else now - pick.randrange(20),
                    callback=pick.random() < 0.05,
                )
            )
        case "answer" if rung:
            world.answer(*pick.choice(rung))
        case "refuse" if rung:
            world.refuse(*pick.choice(rung), pick.choice(["reject", "busy", "no-answer", "unreachable"]))
        case "ringing" if rung:
            world.tell(floor.ringing(*pick.choice(rung), now))
        case "release" if world.talking:
            world.release(pick.choice(sorted(world.talking)))
        case "tick":
            world.tick(pick.choice([0.0, 0.5, 3.0, 12.0]))
        case "leave" if world.waiting:
            world.tell(floor.leave(pick.choice(sorted(world.waiting)), pick.choice(["abandoned", "moved"]), now))
        case "log_in":
            world.tell(floor.log_in(extension, now))
        case "log_out":
            world.tell(floor.log_out(extension, now))
        case "pause":
            world.tell(floor.pause(extension, "lunch", now))
        case "resume":
            world.tell(floor.resume(extension, now))
        case "unreachable":
            world.tell(floor.reachable(extension, pick.random() < 0.5, now))
        case "wrap_up":
            if pick.random() < 0.5:
                world.tell(floor.extend_wrap_up(extension, 30, now))
            world.tell(floor.wrap_up_over(extension, now))
        case "back" if world.talking:
            lost = pick.choice(sorted(world.talking))
            call = world.talking.pop(lost)
            place = floor._talking.get(call)
            if place is not None:
                world.count += 1
                world.waiting[call] = Waiting(place.caller, place.entered, -world.count)
                world.gone.discard(call)
            world.tell(floor.back(call, now))
        case "reprioritise" if world.waiting:
            call = pick.choice(sorted(world.waiting))
            priority = pick.choice([None, "member", "complaint"])
            effects = floor.reprioritise(call, priority, now)
            one = world.waiting[call]
            place = floor.place(call)
            assert place is not None
            one.caller = place.caller
            assert place.caller.priority == priority
            world.tell(effects)
        case "late":
            (late,) = floor.answered("c999#999", extension, now)
            assert late.extensions == (extension,)  # type: ignore[union-attr]
            world.check()
        case "replan":
            plan = pick.choice([PLAN, Plan.of(*QUEUES, PriorityClass("complaint", 5), *AGENTS[:6])])
            world.tell(floor.replan(plan, now))
        case "reconcile":
            world.tell(floor.reconcile(dict(world.talking), now, world.waiting.keys() | set(world.talking.values())))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.lists(st.sampled_from(WORDS), min_size=10, max_size=120))
def test_counts_equal_the_truth_after_every_event(seed: int, words: list[str]) -> None:
    """R2-05: total and area counts, one offer for each agent and caller, first come first served inside a class."""
    world, pick = World(), random.Random(seed)
    for agent in AGENTS[:5]:
        world.tell(world.floor.log_in(agent.extension, world.now))
    for word in words:
        happen(world, word, pick)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_random_run_agrees_with_the_truth_and_ends_every_reservation(seed: int) -> None:
    """R2-05: 4,000 events; then nobody answers any more, and by their leases all agents are free of offers."""
    world, pick = World(), random.Random(seed)
    for agent in AGENTS:
        world.tell(world.floor.log_in(agent.extension, world.now))
    for _ in range(4000):
        happen(world, pick.choice(WORDS), pick)
    assert len(world.served) > 200
    for call in list(world.waiting):
        if call not in {call for call, _ in world.offers.values()}:
            world.tell(world.floor.leave(call, "moved", world.now))
    for queue in QUEUES:
        world.tick(queue.ring_timeout + LEASE)
        for call in list(world.waiting):
            world.tell(world.floor.leave(call, "moved", world.now))
    assert not OFFERED & set(world.states.values())
    assert world.floor.waiting == 0


def test_nobody_starves_while_others_have_a_head_start() -> None:
    """R2-07: one agent, a new complaint whenever he is free; the caller of no class is served once he has waited the
    head start of those who were there."""
    queue = Queue("q", "Q", wrap_up=0)
    floor = Floor(Plan.of(queue, PriorityClass("complaint", 100), AgentProfile("1001", {"q": 0})))
    world = World(floor)
    world.tell(floor.log_in("1001", world.now))
    world.enter(Caller("busy", "q"))
    world.answer("busy#1", "1001")
    world.enter(Caller("plain", "q"))
    came = world.now
    for number in range(60):
        world.now += 5
        world.enter(Caller(f"complaint{number}", "q", priority="complaint"))
        world.now += 5
        world.release("1001")
        ((offer, (call, _)),) = world.offers.items()
        world.answer(offer, "1001")
        if call == "plain":
            break
    assert "plain" in world.served
    assert world.now - came <= 100 + 10 * 2
    assert Counter(world.served)["plain"] == 1
    assert world.states["1001"] is AgentState.TALKING
