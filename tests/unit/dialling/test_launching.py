"""From a contact to a call: what goes wrong with one contact is no business of the others."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from b2bua.dialling.launching import Launcher
from b2bua.dialling.task import Task
from dialer.campaign import Campaign, CampaignState, Mode
from dialer.contact import Contact, PhoneNumber
from dialer.hours import read_week
from dialer.ports import NumberFacts
from dialer.profiles import LawProfile
from tests.peers.waiting import eventually
from tests.unit.dialling.memory import MemoryStore

CAMPAIGN = Campaign(
    "c", "acme", mode=Mode.POWER, queue="q", profile="test", state=CampaignState.RUNNING, seller="Acme",
    caller_id="+442079460000", callback_number="+442079460000",
)  # fmt: skip
BROKEN = "+442079460001"


def contact(number: str) -> Contact:
    return Contact(f"x{number[-1]}", "c", "acme", "b", 1, (PhoneNumber(number),))


class Broken(MemoryStore):
    """One number's history cannot be read."""

    async def facts(self, campaign: str, numbers: Sequence[str], since: float) -> Mapping[str, NumberFacts]:
        if BROKEN in numbers:
            raise ValueError("a row that nobody can read")
        return await super().facts(campaign, numbers, since)


class Calls:
    """Stands for the node's calls: notes which were begun."""

    def __init__(self) -> None:
        self.begun: list[Any] = []

    def open(self, trunk: str, tenant: str | None) -> Any:
        return object()

    def spawn(self, call: Any, steps: Any) -> None:
        self.begun.append(call)


@pytest.mark.parametrize("batch", [1, 3])
async def test_a_contact_that_cannot_be_judged_waits_alone(batch: int) -> None:
    """R3-12: it is not looked at again and again, and keeps nobody else from being called, now or later: what counts
    as being set up bounds all campaigns of the node."""
    contacts = [contact(BROKEN), contact("+442079460002"), contact("+442079460003")][:batch]
    store, calls, why = Broken(CAMPAIGN, contacts=contacts), Calls(), list[str]()
    launcher = Launcher(
        "n1", store, cast(Any, calls), cast(Any, None), cast(Any, None), why.append, lambda: 1_800_014_400.0
    )
    task = Task(CAMPAIGN, LawProfile("test", week=read_week(["daily 00:00-24:00"])))
    launcher.start(task, contacts)
    assert len(task.flights) == batch, "each counts as being set up at once"
    await eventually(
        lambda: [one[:2] for one in store.withheld] == [("x1", "own-fault")] and not launcher._running,
        "the others are begun",
    )
    await asyncio.sleep(0)
    assert not task.stock
    assert {one.contact for one in store.commands.values()} == {one.id for one in contacts[1:]}
    assert len(calls.begun) == len(task.flights) == batch - 1
    assert launcher.starting == 0
