"""Mistakes of a campaign, all at once."""

from dataclasses import replace
from typing import Any

import pytest

from dialer.campaign import ALIVE, NEXT, Amd, Campaign, CampaignState, Mode, Pacing
from dialer.campaign_checks import mistakes, not_ready
from dialer.disposition import Disposition
from dialer.retry_rule import RetryRule
from routing.calendar import Calendar
from routing.directory import Agent, Directory, Tenant
from routing.goal import Goal
from routing.plan import Plan
from routing.queue import Queue

TENANTS = [Tenant(id=name, name=name, access_id=name, trunks=frozenset(), billing_numbers=frozenset()) for name in "ab"]
DIRECTORY = Directory(TENANTS, [], [Agent("1001", "first", "sip:1001@192.0.2.1", "inside")], [])
PLAN = Plan.of(Queue("sales", "Sales"), Queue("theirs", "Theirs", tenant="b"), Calendar("week"))
TRUNKS = {"out": True, "other": True, "in": False}
GOOD = Campaign(
    "spring", "a", trunks=("out", "other"), caller_id="+12125550100", queue="sales", profile="us", region="US"
)


def wrong(campaign: Campaign) -> list[str]:
    return list(mistakes(campaign, PLAN, DIRECTORY, trunks=TRUNKS, laws=["us", "uk"]))


def test_a_good_campaign_has_none_and_is_ready() -> None:
    """R3-11: nothing is found where nothing is wrong."""
    assert wrong(GOOD) == []
    assert list(not_ready(GOOD)) == []


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"tenant": "c"}, "tenant: there is no tenant c"),
        ({"trunks": ("out", "none")}, "trunks.1: there is no trunk none"),
        ({"trunks": ("in",)}, "trunks.0: trunk in takes no outbound calls: set trunks.in.target"),
        ({"trunks": ("out", "out")}, "trunks.1: out is there twice"),
        ({"caller_id": "0800"}, "caller_id: '0800' must be a number such as +14155550100"),
        ({"region": "XX"}, "region: 'XX' is no country such as US"),
        ({"profile": "mars"}, "profile: there is no law mars; there are: uk, us"),
        ({"queue": "none"}, "queue: there is no queue none"),
        ({"queue": "theirs"}, "queue: queue theirs is another tenant's"),
        ({"calendar": "none"}, "calendar: there is no calendar none"),
        ({"results_to": "none"}, "results_to: there is no webhook none"),
        ({"agent": "1002"}, "agent: there is no agent 1002"),
        ({"goal": Goal("queue", "none")}, "goal: there is no queue none"),
        ({"skills": {"french": 101}}, "skills.french: must be from 0 to 100"),
        ({"ring_for": 1.0}, "ring_for: must be from 5 to 180"),
        ({"redial_gap": float("nan")}, "redial_gap: must be from 0 to 7.776e+06"),
        ({"starts_at": 5.0, "ends_at": 5.0}, "ends_at: is not after starts_at"),
        ({"pacing": Pacing(lines=0)}, "pacing.lines: must be from 1 to 3800"),
        ({"pacing": Pacing(literal=True)}, "pacing.literal: is of mode rule-based only"),
        ({"amd": Amd(machine="message")}, "amd.message: is missing: what is left on a machine"),
        ({"retries": {"busy": RetryRule(0.0)}}, "retries.busy.after: must be from 1 to 7.776e+06"),
        ({"dispositions": (Disposition("a"), Disposition("a"))}, "dispositions.1.code: a is there twice"),
        ({"do_not_call": ("a list",)}, "do_not_call: 'a list' is no name of a list"),
    ],
)
def test_each_mistake_is_named_with_its_field(change: dict[str, Any], mistake: str) -> None:
    """R3-11: what cannot be right is found when it is written."""
    assert wrong(replace(GOOD, **change)) == [mistake]


def test_what_is_missing_for_a_start() -> None:
    """R3-12: an outline has no mistake, but is not ready; a broadcast needs no agents, but a prompt."""
    outline = Campaign("spring", "a")
    assert wrong(outline) == []
    assert [one.partition(":")[0] for one in not_ready(outline)] == ["trunks", "caller_id", "profile", "queue"]
    broadcast = replace(GOOD, mode=Mode.BROADCAST, queue="")
    assert [one.partition(":")[0] for one in not_ready(broadcast)] == ["prompt"]


def test_only_running_dials_and_every_living_state_can_be_stopped() -> None:
    """R3-13: pause, drain and stop lead out of `running`; stopped and ended ones may be started again."""
    assert all(NEXT[state, "stop"] is CampaignState.STOPPED for state in ALIVE)
    assert {state for (state, order) in NEXT if order == "start"} == set(CampaignState) - set(ALIVE)
    assert {order for (_, order), state in NEXT.items() if state is CampaignState.RUNNING} == {"start", "resume"}
