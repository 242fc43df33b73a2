"""Two who talk: whose silence ends it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from b2bua.calls.deliveries import Silent
from b2bua.calls.parties import Role
from b2bua.calls.talk import Ended, conversation
from b2bua.settings import Settings
from b2bua.settings.recording import Recording
from b2bua.sip.signals import Closed
from tests.unit.calls.test_monitoring import AGENT, CALLER, Centre


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    """A caller and an agent who talk, and a colleague's leg that has been with them."""
    centre = Centre(tmp_path)
    centre.exchange.settings = Settings(recording=Recording(when="never"))
    centre.join(Role.AGENT, "1002")
    yield centre
    centre.desk.close()


async def ended(centre: Centre, *signals: object) -> Ended:
    """How the conversation ends when these come."""
    talk = asyncio.create_task(conversation(centre.call, AGENT))
    for signal in signals:
        await asyncio.sleep(0)
        centre.call.deliver(signal)  # type: ignore[arg-type]
    return await talk


async def test_silence_of_a_leg_that_does_not_talk_ends_nothing(centre: Centre) -> None:
    """The word of a colleague's leg comes when he is let go already."""
    colleague = max(centre.legs)
    assert await ended(centre, Silent(colleague), Closed(AGENT, 200, by_peer=True)) == Ended("normal", 200, "agent")


@pytest.mark.parametrize(("leg", "role"), [(CALLER, "caller"), (AGENT, "agent")])
async def test_silence_of_one_of_the_two_ends_it(centre: Centre, leg: int, role: str) -> None:
    found = await ended(centre, Silent(leg))
    assert (found.cause, found.silent) == ("media-silence", role)
