"""Whose number goes onto the list when somebody asks to be left alone."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from b2bua.calls.opt_out import callable_numbers, leave_alone
from b2bua.calls.session import Session
from b2bua.cli.plan_files import read_toml
from b2bua.storage.errors import StorageUnavailable
from b2bua.storage.plan_values import read
from routing.digits import Dialling
from routing.directory import Directory
from routing.goal import Goal
from routing.menu_walk import Arrive, LeaveAlone, Say, Walk
from routing.plan import KINDS, Plan, mistakes

GERMAN = Dialling("49", "0", "00")
BERLIN = "+493012345678"


@pytest.mark.parametrize(
    ("text", "dialling", "numbers"),
    [
        (BERLIN, GERMAN, [BERLIN]),
        (BERLIN, Dialling(), [BERLIN]),
        ("03012345678", GERMAN, [BERLIN]),
        ("004930 1234-5678", GERMAN, [BERLIN]),
        ("493012345678", Dialling(), [BERLIN]),
        ("anonymous", GERMAN, []),
        ("", GERMAN, []),
        ("110", GERMAN, []),
        ("1001", Dialling(), []),
    ],
)
def test_a_number_is_listed_in_each_form_that_somebody_could_dial(
    text: str, dialling: Dialling, numbers: list[str]
) -> None:
    assert list(callable_numbers(text, dialling)) == numbers


class Lists:
    """A do-not-call list that can be out of order."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.written: list[tuple[str, str, str, str]] = []

    async def list_number(self, tenant: str, number: str, reason: str, now: float, *, list: str = "own") -> bool:
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        self.written.append((tenant, number, reason, list))
        return True


def call(lists: Lists | None, caller: str | None = BERLIN, tenant: str | None = "acme") -> tuple[Session, list[Any]]:
    told: list[Any] = []
    exchange = SimpleNamespace(
        opt_outs=lists,
        profiles={"north": SimpleNamespace(dialling=GERMAN)},
        wall=lambda: 1.0,
        tell=lambda word, _, data: told.append((word, data)),
    )
    row = SimpleNamespace(tenant=tenant, trunk="north", effective_caller=caller)
    return cast(Session, SimpleNamespace(id="1", exchange=exchange, record=SimpleNamespace(row=row))), told


async def test_the_other_end_is_listed_and_told() -> None:
    lists = Lists()
    session, told = call(lists)
    assert await leave_alone(session)
    assert lists.written == [("acme", BERLIN, "opted-out", "own")]
    assert told == [("call.opted-out", {"numbers": [BERLIN]})]


async def test_so_is_a_number_that_he_dials() -> None:
    lists = Lists()
    session, _ = call(lists, caller=None)
    assert not await leave_alone(session)
    assert await leave_alone(session, "00442079460000")
    assert [number for _, number, _, _ in lists.written] == ["+442079460000"]


@pytest.mark.parametrize("fault", [StorageUnavailable("gone"), TimeoutError()])
async def test_what_was_not_written_is_not_promised(fault: Exception) -> None:
    session, told = call(Lists(fault))
    assert not await leave_alone(session)
    assert told == []


async def test_without_a_list_or_a_tenant_nothing_is_promised() -> None:
    assert not await leave_alone(call(None)[0])
    assert not await leave_alone(call(Lists(), tenant=None)[0])


def test_the_menu_for_call_backs_in_the_documentation_has_no_mistakes() -> None:
    """16 CFR 310.4(b)(4)(iii): who calls and from where first, and nobody can key that away; then how to opt out."""
    page = (Path(__file__).parents[3] / "docs" / "dialling-law.md").read_text(encoding="utf-8")
    text = next(part for part in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "[[menus]]" in part)
    items, wrong = read_toml(text)
    assert wrong == []
    plan = Plan.of(*(read(KINDS[item.word], item.data) for item in items))
    assert [found.message for found in mistakes(plan, Directory())] == ["there is no tenant acme"]
    walk = Walk(plan.menus["called-back"], values={"called": "4420"})
    first = walk.begin()
    assert isinstance(first, Say)
    assert not first.barge_in
    assert "4 4 2 0" in first.pieces[0].text
    walk.said()
    assert walk.dialled("9") == LeaveAlone("")
    assert isinstance(walk.listed(done=True), Say)
    assert walk.said() == Arrive(Goal("hangup"))
