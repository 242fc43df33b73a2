"""A campaign at work: its rate, its windows, what pacing sees; and the checks before the start."""

from dataclasses import replace

import pytest

from b2bua.dialling.agents import Seats
from b2bua.dialling.attempt import Attempt
from b2bua.dialling.checks import problems
from b2bua.dialling.flight import Flight, Phase
from b2bua.dialling.task import Task, without_agent
from b2bua.dialling.view import by_age, view_of
from dialer.campaign import Amd, Campaign, Mode, Pacing
from dialer.command import Command
from dialer.contact import Contact, PhoneNumber
from dialer.counts import Counts, HourCounts
from dialer.law import LawCounters
from dialer.profiles import LawProfile
from dialer.verdict import Cause
from routing.directory import Agent, Directory
from routing.plan import Plan
from routing.queue import AgentProfile, Queue

LAW = LawProfile("test", windows=("24h", "campaign"))
CAMPAIGN = Campaign(
    "c", "acme", mode=Mode.POWER, queue="q", profile="test", trunks=("carrier",), caller_id="+442079460999",
    pacing=Pacing(ratio=3.0, rate=10.0, lines=8),
)  # fmt: skip
NOON = 1_800_014_400.0


def flight(task: Task, number: int, phase: Phase, at: float, kept: str = "") -> None:
    contact = Contact(f"x{number}", "c", "acme", "b", number, (PhoneNumber("+442079460001"),))
    command = Command(f"k{number}", "c", "acme", contact.id, contact.number.number, 1, "n1", NOON)
    made = Flight(None, Attempt(task.campaign, contact, command, task.terms), LAW, at, kept, phase)  # type: ignore[arg-type]
    task.flights[command.id] = made


def seats(idle: int) -> Seats:
    """Agents who are free, as far as pacing counts them."""
    return Seats(kept=idle)


def test_lines_and_rate_bound_every_decision() -> None:
    """R3-10: three calls for each agent, never more than the lines, never faster than the rate."""
    task = Task(CAMPAIGN, LAW)
    task.counters.count(NOON, LawCounters(live=1000, connected=1000))
    decision = task.decide(seats(2), 100.0, NOON, others=0, lines_free=100)
    assert (decision.calls, decision.reason.cause) == (6, Cause.POWER)
    decision = task.decide(seats(2), 100.0, NOON, others=0, lines_free=4)
    assert (decision.calls, decision.reason.cause) == (4, Cause.LINES)
    task.room = 1.0
    assert task.decide(seats(2), 100.0, NOON, others=0, lines_free=100).reason.cause is Cause.BURST
    for at in range(6):
        flight(task, at, Phase.CONNECTED, 90.0)
    assert task.decide(seats(2), 101.0, NOON, others=0, lines_free=100).calls == 2, "8 lines, 6 in talks"


def test_calls_of_other_campaigns_want_the_same_agents() -> None:
    """Two campaigns on one queue do not both count on an agent; whom one of them keeps the other does not see."""
    task, other = Task(CAMPAIGN, LAW), Task(replace(CAMPAIGN, id="d"), LAW)
    flight(other, 1, Phase.SETTING_UP, 99.0)
    flight(other, 2, Phase.SETTING_UP, 99.0, kept="1001")
    assert without_agent([other]) == 1
    task.counters.count(NOON, LawCounters(live=1000, connected=1000))
    assert task.decide(seats(1), 100.0, NOON, others=1, lines_free=100).reason.cause is Cause.INBOUND


def test_the_cap_counts_what_was_counted_before_a_restart() -> None:
    """R3-15: hours come back; over the cap there is one call for each idle agent."""
    task = Task(CAMPAIGN, LAW)
    task.restore([HourCounts(NOON - 7200, Counts(attempts=100, live=100, connected=95, abandoned=5))])
    (day, whole) = task.windows(NOON)
    assert (day.answered, day.abandoned, whole.rate) == (100, 5, 0.05)
    decision = task.decide(seats(2), 100.0, NOON, others=0, lines_free=100)
    assert (decision.calls, decision.reason.cause) == (2, Cause.CAP)
    (day, whole) = task.windows(NOON + 86_400)
    assert (day.answered, whole.answered) == (0, 100)


def test_what_others_see() -> None:
    task = Task(CAMPAIGN, LAW)
    flight(task, 1, Phase.SETTING_UP, 90.0)
    flight(task, 2, Phase.CONNECTED, 10.0)
    view = view_of(task, Seats(kept=1, talking=[1.0, 2.0]), 100.0, NOON)
    assert (view.in_flight["setting-up"], view.in_flight["connected"], view.busy) == (1, 1, 2 / 3)
    assert view.ages == {"<5": 0, "<15": 1, "<30": 0, "<60": 0, "older": 0}
    assert by_age([1.0, 61.0]) == {"<5": 1, "<15": 0, "<30": 0, "<60": 0, "older": 1}


PLAN = Plan.of(
    Queue("q", "Q"), Queue("theirs", "T", tenant="beta"),
    AgentProfile("1001", {"q": 1}, skills={"german": 2}, connection="auto-answer"), AgentProfile("1002", {"q": 1}),
)  # fmt: skip
DIRECTORY = Directory(agents=[Agent(one, one, f"sip:{one}@192.0.2.9", "inside") for one in ("1001", "1002")])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "mode: power needs phones that answer by themselves; not so: 1002"),
        ({"mode": Mode.PROGRESSIVE}, ""),
        ({"agent": "1001"}, ""),
        ({"skills": {"german": 2}}, ""),
        ({"skills": {"german": 3}}, "queue: q has no agent for this campaign"),
        ({"queue": "theirs"}, "queue: there is no queue theirs for tenant acme"),
        ({"mode": Mode.PROGRESSIVE, "trunks": ("carrier", "gone")}, "trunks: there is no trunk gone"),
        ({"mode": Mode.PROGRESSIVE, "profile": "nowhere"}, "profile: there is no law nowhere; there are: test"),
        ({"mode": Mode.PROGRESSIVE, "caller_id": "+1"}, "caller_id: +1 is no number anybody could have (short-number)"),
        ({"mode": Mode.PROGRESSIVE, "calendar": "x"}, "calendar: there is no calendar x"),
        ({"mode": Mode.PROGRESSIVE, "results_to": "x"}, "results_to: there is no webhook x"),
        ({"mode": Mode.PROGRESSIVE, "wait_message": "x.wav"}, "there is no sound file x.wav"),
        ({"mode": Mode.PROGRESSIVE, "amd": Amd(parameters={"x": 1.0})}, "amd: there is no parameter x"),
    ],
)
def test_wrong_data_are_found_before_the_first_call(change: dict[str, object], said: str) -> None:
    """R3-11, R3-12: each mistake by itself."""
    campaign = replace(CAMPAIGN, **change)  # type: ignore[arg-type]
    found = list(
        problems(
            campaign, plan=PLAN, directory=DIRECTORY, dials_over={"carrier": True}.get, profiles={"test": LAW},
            is_sound=lambda name: False, contacts=5,
        )
    )  # fmt: skip
    assert found == ([said] if said else [])
