"""What listeners are told of the way that a call's sound takes."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from b2bua.calls.path_news import PathNews
from media import Reason, Way
from media.path import RELAYED, Decision


class Call:
    """A call whose path a test sets."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.exchange = SimpleNamespace(tell=self.tell)
        self.sound_path: Decision | None = None
        self.news = PathNews(cast("Any", self))

    def tell(self, kind: str, call: object, data: dict[str, Any]) -> None:
        assert (kind, call) == ("call.path", self)
        self.told.append((data["path"], data["reason"], data["before"]))

    async def goes(self, *paths: Decision | None) -> None:
        """All of these within one turn of the loop."""
        for path in paths:
            self.sound_path = path
            self.news.changed()
        await asyncio.sleep(0)


@pytest.fixture
async def call() -> Call:
    return Call()


def mixed(reason: Reason) -> Decision:
    return Decision(Way.CONFERENCE, reason)


async def test_a_call_that_begins_and_stays_on_the_relay_tells_nothing(call: Call) -> None:
    await call.goes(mixed(Reason.WAITING))
    await call.goes(RELAYED)
    await call.goes(mixed(Reason.WAITING))
    await call.goes(None)
    assert call.told == []


async def test_each_other_path_and_each_other_reason_is_told_once(call: Call) -> None:
    for path in (mixed(Reason.CODECS), mixed(Reason.CODECS), mixed(Reason.HELD), RELAYED, RELAYED):
        await call.goes(path)
    assert call.told == [
        ("conference", "different codecs", "relay"),
        ("conference", "on hold", "conference"),
        ("relay", "alike and alone", "conference"),
    ]


async def test_what_is_over_at_once_and_what_has_no_stream_is_not_told(call: Call) -> None:
    await call.goes(mixed(Reason.PLAYED), RELAYED)
    await call.goes(mixed(Reason.SUPERVISED))
    await call.goes(mixed(Reason.WAITING))
    await call.goes(mixed(Reason.SUPERVISED))
    assert call.told == [("conference", "supervisor", "relay")]


async def test_nothing_is_told_behind_the_end(call: Call) -> None:
    call.sound_path = mixed(Reason.CODECS)
    call.news.changed()
    call.news.over()
    await call.goes(mixed(Reason.HELD))
    assert call.told == []
