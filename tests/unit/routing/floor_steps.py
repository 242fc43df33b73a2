"""Short words for tests of the floor."""

from typing import TypeVar

from routing.agent_state import AgentState
from routing.floor import (
    Caller,
    Effect,
    Floor,
    Offer,
)
from routing.plan import Plan
from routing.queue import AgentProfile, PriorityClass, Queue

T = TypeVar("T")

QUEUE = Queue("q", "Q", wrap_up=0)
ONE, TWO, THREE = (AgentProfile(extension, {"q": 0}) for extension in ("1001", "1002", "1003"))
CLASSES = (PriorityClass("complaint", 60), PriorityClass("repair", 30))


def floor(*values: object, at_work: tuple[str, ...] = ("1001",)) -> Floor:
    made = Floor(Plan.of(*(values or (QUEUE, ONE)), *CLASSES))
    for number, extension in enumerate(at_work):
        made.log_in(extension, number / 100)
    return made


def of(effects: list[Effect] | None, kind: type[T]) -> list[T]:
    return [effect for effect in effects or () if isinstance(effect, kind)]


def offer(effects: list[Effect] | None) -> Offer:
    (found,) = of(effects, Offer)
    return found


def state(of_floor: Floor, extension: str) -> AgentState:
    seat = of_floor.agent(extension)
    assert seat is not None
    return seat.state


def talk(of_floor: Floor, call: str, now: float, queue: str = "q") -> None:
    found = offer(of_floor.enter(Caller(call, queue), now))
    of_floor.answered(found.offer, found.extensions[0], now)


def order(of_floor: Floor, queue: str = "q") -> list[str]:
    return [place.caller.call for place in of_floor.waiting_in(queue)]
