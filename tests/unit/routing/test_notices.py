"""Listeners and SMS rules as data: what is wrong with them is told at once."""

from dataclasses import replace
from typing import Any

import pytest

from routing.directory import Directory
from routing.notices import SmsRule, Webhook, sms_problems, wants, webhook_problems
from routing.plan import KINDS, Plan
from routing.queue import Queue

PLAN = Plan(queues={"repairs": Queue("repairs", "Repairs")})
HOOK = Webhook("crm", "https://crm.example/events")
RULE = SmsRule(
    "rush", ("+4917012345678",), "{queue}: {waiting} waiting", queue="repairs", measure="waiting", over=5.0,
    zone="Asia/Tokyo",
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ftp://crm.example"}, "url"),
        ({"url": "https://user:secret@crm.example"}, "url"),
        ({"types": ("call.*", "Call ended")}, "types.1"),
        ({"types": ("call.*",), "sends": "calls"}, "types"),
        ({"timeout": float("nan")}, "timeout"),
        ({"parallel": 0}, "parallel"),
        ({"parallel": 10**400}, "parallel"),
        ({"retry_for": 0.0}, "retry_for"),
    ],
)
def test_mistakes_of_a_listener(change: dict[str, Any], field: str) -> None:
    assert not list(webhook_problems(HOOK, PLAN, Directory()))
    assert [one.split(":")[0] for one in webhook_problems(replace(HOOK, **change), PLAN, Directory())] == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": ()}, "to"),
        ({"to": ("12345", "boss")}, "to.1"),
        ({"text": ""}, "text"),
        ({"text": "{wating} waiting"}, "text"),
        ({"queue": "sales"}, "queue"),
        ({"measure": "mood"}, "measure"),
        ({"under": 1.0}, "measure"),
        ({"over": None}, "measure"),
        ({"measure": "", "over": None}, "at"),
        ({"at": ("8:00", "08:00")}, "at.0"),
        ({"days": ("monday",)}, "days.0"),
        ({"lasting": -1.0}, "lasting"),
        ({"zone": "Mars/Olympus"}, "zone"),
    ],
)
def test_mistakes_of_an_sms_rule(change: dict[str, Any], field: str) -> None:
    assert not list(sms_problems(RULE, PLAN, Directory()))
    assert [one.split(":")[0] for one in sms_problems(replace(RULE, **change), PLAN, Directory())] == [field]


def test_a_listener_gets_the_types_it_names() -> None:
    assert wants(HOOK, "agent.state")
    some = replace(HOOK, types=("call.*", "agent.state"))
    assert [wants(some, kind) for kind in ("call.ended", "agent.state", "screen.pop")] == [True, True, False]


def test_they_are_kinds_of_the_plan() -> None:
    assert {"filters", "webhooks", "sms-rules"} <= KINDS.keys()
