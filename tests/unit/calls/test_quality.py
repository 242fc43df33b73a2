"""The look at all legs: what it tells, what it leaves in records, and that it keeps nothing of calls that are over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from b2bua.calls.parties import Party, Role
from b2bua.calls.quality import QualityWatch
from b2bua.calls.record import Record
from b2bua.metrics import Metrics
from b2bua.settings import Settings
from b2bua.settings.quality import Quality
from b2bua.sip.leg import Leg
from media.leg_sound import NOTHING, LegSound, Line
from tests.unit.b2bua.test_metrics import samples


class World:
    """Calls of two legs whose counters the test turns."""

    def __init__(self) -> None:
        self.sounds: dict[int, LegSound] = {}
        self.line = Line("PCMA")
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.metrics = Metrics()
        events = SimpleNamespace(append=lambda kind, call, data: self.told.append((kind, data)))
        exchange: Any = SimpleNamespace(
            settings=None,
            metrics=self.metrics,
            events=events,
            tell=lambda kind, call, data: self.told.append((kind, data)),
        )
        self.exchange = exchange
        self.rules(silence_alarm=1.0)
        self.watch = QualityWatch(exchange, self.sounds.get, lambda leg: self.line)
        self.now = asyncio.get_running_loop().time
        self.sessions: list[Any] = []

    def rules(self, silence_alarm: float) -> None:
        """Go by these from now on."""
        rules = Quality(silence_alarm=silence_alarm, trunk_legs=2, trunk_share=0.5, trunk_window=60)
        self.exchange.settings = Settings(quality=rules, trunks={"carrier": None})  # type: ignore[dict-item]

    def call(self) -> Any:
        """A caller of the trunk and an agent, both up for ten seconds."""
        n, now = 2 * len(self.sessions), self.now()
        record = Record(f"c{n}", "node", "inbound", 1000.0, now - 10)
        session = SimpleNamespace(id=f"c{n}", record=record, legs={}, clock=self.now, deliver=lambda what: None)
        session.parties = SimpleNamespace(by_leg={})
        for leg, role, trunk in ((n, Role.CALLER, "carrier"), (n + 1, Role.AGENT, "")):
            session.legs[leg] = SimpleNamespace(native_id=lambda leg=leg: leg)
            session.parties.by_leg[leg] = Party(role, Leg.UP, described=True)
            record.add(leg, role, "somebody", "id", now - 10, trunk)
            record.parts[leg].answered_at = record.at(now - 10)
            self.sounds[leg] = NOTHING._replace(packets=500, octets=80_000, sent=500, rtp_age_ms=10)
        self.sessions.append(session)
        return session

    async def look(self) -> list[tuple[str, str]]:
        """What is told newly, in short."""
        del self.told[:]
        await self.watch.look(self.sessions)
        return [(kind, str(data.get("state", data.get("trunk")))) for kind, data in self.told]


@pytest.fixture
async def world() -> World:
    return World()


async def test_dead_media_is_told_once_and_cleared_once(world: World) -> None:
    call = world.call()
    assert await world.look() == []
    world.sounds[0] = world.sounds[0]._replace(rtp_age_ms=1500)
    assert await world.look() == [("call.media", "dead")]
    assert world.told[0][1]["trunk"] == "carrier"
    assert await world.look() == []
    assert world.watch.alarm_of(call) == "dead"
    assert [leg.alarm for leg in world.watch.view(call)] == ["dead", "good"]
    found = samples(world.metrics)
    assert found["tandem_media_alarms_standing", (("what", "dead"),)] == 1
    world.sounds[0] = world.sounds[0]._replace(packets=550, lost=1, rtp_age_ms=5)
    assert await world.look() == [("call.media", "good")]
    assert world.told[0][1]["why"] == "sound"
    assert world.watch.alarm_of(call) == ""


async def test_a_leg_that_cannot_be_judged_leaves_the_others_watched(world: World) -> None:
    call, sounds = world.call(), world.sounds
    world.watch = QualityWatch(world.exchange, lambda leg: sounds[leg] if leg else 1 / 0, lambda leg: world.line)  # type: ignore[arg-type,return-value]
    assert await world.look() == []
    world.sounds[1] = world.sounds[1]._replace(rtp_age_ms=1500)
    assert await world.look() == [("call.media", "dead")]
    assert samples(world.metrics)["tandem_faults_total", (("place", "quality"),)] == 1, "told once, not each second"
    world.watch.ended(call)
    assert repr(world.watch) == "<0 legs watched, 0 in doubt>"


async def test_who_does_not_send_by_his_sdp_is_not_dead(world: World) -> None:
    world.call()
    world.line = Line("PCMA", receives=False)
    world.sounds[0] = world.sounds[0]._replace(rtp_age_ms=5000)
    assert await world.look() == []


async def test_a_trunk_is_alarmed_by_legs_that_live_and_by_those_that_ended(world: World) -> None:
    first, second = world.call(), world.call()
    assert await world.look() == []
    for leg in (0, 2):
        world.sounds[leg] = world.sounds[leg]._replace(rtp_age_ms=3000)
    assert sorted(await world.look()) == [("call.media", "dead"), ("call.media", "dead"), ("trunk.poor", "carrier")]
    for session in (first, second):
        world.watch.ended(session)
        assert session.record.row.parts[0].detail["alarms"] == ["dead"]
        assert "alarms" not in session.record.row.parts[1].detail
    world.sessions.clear()
    assert await world.look() == []  # those that ended count on
    assert samples(world.metrics)["tandem_trunk_poor", (("trunk", "carrier"),)] == 1
    assert samples(world.metrics)["tandem_media_alarms_standing", (("what", "dead"),)] == 0
    assert repr(world.watch) == "<0 legs watched, 0 in doubt>"


async def test_a_line_that_goes_on_after_the_call_has_its_share_in_the_record(world: World) -> None:
    """Standing lines: the agent's line has counted long before this call."""
    call = world.call()
    await world.look()
    world.sounds[1] = world.sounds[1]._replace(packets=600, lost=5, sent=590)
    await world.look()
    world.watch.ended(call)
    part = call.record.parts[1]
    assert (part.codec, part.rx_packets, part.rx_lost, part.detail["tx_packets"]) == ("PCMA", 100, 5, 90)
    assert 3.5 < part.mos < 4.4


async def test_many_alarms_at_once_have_all_their_events(world: World) -> None:
    """The loop gets its turn between them."""
    for _ in range(30):
        world.call()
    await world.look()
    world.sounds.update({leg: sound._replace(rtp_age_ms=2000) for leg, sound in world.sounds.items()})
    turns, looking = 0, asyncio.create_task(world.look())
    while not looking.done():
        turns += 1
        await asyncio.sleep(0)
    assert [kind for kind, _ in looking.result()].count("call.media") == 60
    assert turns > 5
    await world.watch.look_again()
    assert samples(world.metrics)["tandem_media_alarms_standing", (("what", "dead"),)] == 60


async def test_alarms_of_silence_can_be_left_out(world: World) -> None:
    world.rules(silence_alarm=0)
    world.call()
    world.sounds[0] = world.sounds[0]._replace(rtp_age_ms=60_000, told_loss=255, rtcp_age_ms=5)
    assert await world.look() == []
    assert "0 in doubt" in repr(world.watch)
