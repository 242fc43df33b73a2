"""Policies as data: every mistake is told with its field; the examples of the documentation have none."""

import tomllib
from pathlib import Path

import pytest

from b2bua.storage.plan_values import read
from routing.calendar import Calendar
from routing.directory import Directory
from routing.org import Team
from routing.plan import KINDS, Plan, mistakes
from routing.policy import Policy

PAGE = Path(__file__).parents[3] / "docs" / "fraud.md"


def wrong(policy: Policy) -> set[str]:
    """Fields with mistakes."""
    plan = Plan.of(policy, Calendar("office"), Team("sales"))
    return {f"{one.field or 'whole'}" for one in mistakes(plan, Directory()) if one.kind.word == "policies"}


@pytest.mark.parametrize(
    ("policy", "fields"),
    [
        (Policy("p", calls=1), set()),
        (Policy("p", allow=("+49", "0800", "~[0-9]{3}", "*31#")), set()),
        (Policy("p"), {"whole"}),
        (Policy("p", calls=-1), {"calls"}),
        (Policy("p", minutes=float("nan")), {"minutes"}),
        (Policy("p", allow=("", "49x", "~(")), {"allow.0", "allow.1", "allow.2"}),
        (Policy("p", calls=1, numbers=("~" + "a" * 300,)), {"numbers.0"}),
        (Policy("p", calls=1, numbers=(r"~(\d+)+x", "~.*1.*2.*3.*4")), {"numbers.0", "numbers.1"}),
        (Policy("p", calls=1, agents=("9",), teams=("none",)), {"agents.0", "teams.0"}),
        (Policy("p", calendar="none"), {"calendar"}),
        (Policy("p", cost=5), {"prices"}),
        (Policy("p", cost=5, prices={"": 1, "x": 2, "+49": -1}), {"prices"}),
        (Policy("p", calls=1, zone="Mars/Base"), {"zone"}),
        (Policy("p", calls=1, warn_at=0), {"warn_at"}),
        (Policy("p", calls=1, tenant="nobody"), {"tenant"}),
    ],
)
def test_mistakes_are_told_with_their_field(policy: Policy, fields: set[str]) -> None:
    assert wrong(policy) == fields


def test_the_examples_of_the_documentation_are_policies() -> None:
    text = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    found = [read(KINDS["policies"], table) for table in tomllib.loads(text)["policies"]]
    assert [policy.id for policy in found] == ["acme-agents", "abroad", "north-cost"]
    assert [wrong(policy) for policy in found] == [{"tenant"}, set(), set()], "only the tenant is not here"
