"""What we know of a phone: the floor's word, else whether a call has it (R0-09)."""

from types import SimpleNamespace
from typing import Any

import pytest

from b2bua.calls.presence import presence
from routing.agent_state import AgentState
from routing.directory import Agent, Directory
from routing.plan import Plan
from routing.queue import AgentProfile
from routing.seat import Seat
from routing.substitute import Presence, Seen

DIRECTORY = Directory(agents=[Agent("1001", "agent 1001", "sip:1001@phones", "inside")])
PROFILE = AgentProfile("1001")


def seen(seat: Seat | None = None, plan: Plan | None = None, sessions: Any = (), extension: str = "1001") -> Seen:
    return presence(extension, "this", DIRECTORY, plan or Plan.of(PROFILE), seat, sessions)


def at(state: AgentState, call: str | None = None) -> Seat:
    return Seat("1001", PROFILE, 0.0, state, call=call)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (AgentState.AVAILABLE, Presence.ONLINE),
        (AgentState.RESERVED, Presence.BUSY),
        (AgentState.RINGING, Presence.BUSY),
        (AgentState.TALKING, Presence.BUSY),
        (AgentState.WRAP_UP, Presence.BUSY),
        (AgentState.PAUSED, Presence.OFFLINE),
        (AgentState.UNREACHABLE, Presence.OFFLINE),
        (AgentState.LOGGED_OUT, Presence.OFFLINE),
    ],
)
def test_an_agent_who_logs_in_is_what_the_floor_says(state: AgentState, expected: Presence) -> None:
    assert seen(at(state, "other")).presence is expected


def test_an_agent_whom_the_floor_does_not_know_yet_is_not_logged_in() -> None:
    """R0-10: the plan has just made him a queue's agent."""
    assert seen() == seen(at(AgentState.LOGGED_OUT)) == Seen(Presence.OFFLINE, "logged-out")


def test_a_call_does_not_find_its_own_agent_busy() -> None:
    assert seen(at(AgentState.RESERVED, "this")).presence is Presence.ONLINE


def test_a_phone_that_nobody_is_there_to_answer_is_told_by_its_word() -> None:
    assert seen(extension="9999") == Seen(Presence.OFFLINE, "no-phone")
    assert seen(at(AgentState.PAUSED)).why == "paused"


@pytest.mark.parametrize(
    ("call", "extension", "state", "expected"),
    [
        ("other", "1001", "talking", Presence.BUSY),
        ("other", "1001", "waiting", Presence.ONLINE),
        ("other", "1002", "talking", Presence.ONLINE),
        ("this", "1001", "ringing", Presence.ONLINE),
    ],
)
@pytest.mark.parametrize("seat", [None, at(AgentState.LOGGED_OUT)])
def test_who_is_no_queues_agent_is_busy_while_a_call_has_him(
    seat: Seat | None, call: str, extension: str, state: str, expected: Presence
) -> None:
    session = SimpleNamespace(record=SimpleNamespace(row=SimpleNamespace(extension=extension)), state=state, id=call)
    assert seen(seat, Plan(), [session]).presence is expected
