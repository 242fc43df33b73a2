"""Ears in PJSIP's conference: what all legs say reaches Python in one call, and every port comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pjsua2 as pj
import pytest
import pytest_asyncio

from media import Desk, goertzel
from media.amd import AmdSettings, Kind, Listening
from media.patch import Point
from media.pj import SPARE_PORTS, Conference, close_desk, configure, open_desk
from tests.peers.waiting import eventually
from tests.unit.media.phone import RATE, Leg

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEGS = 8


@pytest.fixture(scope="module")
def endpoint() -> Iterator[pj.Endpoint]:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.logConfig.level = config.logConfig.consoleLevel = 0
    configure(config.medConfig, legs=LEGS)
    endpoint.libInit(config)
    endpoint.libStart()
    yield endpoint
    endpoint.libDestroy()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(endpoint: pj.Endpoint, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    desk = await open_desk(endpoint, tmp_path_factory.mktemp("tones"))
    yield desk
    await close_desk(desk)
    assert endpoint.mediaActivePorts() == 1


@pytest_asyncio.fixture(loop_scope="module")
async def legs(desk: Desk) -> AsyncIterator[list[Leg]]:
    legs = [Leg(desk, name, frequency) for name, frequency in (("a", 500), ("b", 700))]
    yield legs
    for leg in legs:
        leg.hang_up()
    await eventually(lambda: conference(desk).ports == 1, "all ports are back")


def conference(desk: Desk) -> Conference:
    assert isinstance(desk.back, Conference)
    return desk.back


async def test_frames_of_all_legs_come_in_one_call_each_with_its_ear(desk: Desk, legs: list[Leg]) -> None:
    back = conference(desk)
    points = [Point("ear", back.open_ear()) for _ in legs]
    for point, leg in zip(points, legs, strict=True):
        desk.hear(point, leg.sound.point)
    heard: dict[int, bytes] = {}

    def enough() -> bool:
        places, frames, lost = back.heard()
        assert lost == 0
        for number, place in enumerate(np.frombuffer(places, dtype="<i4").tolist()):
            heard[place] = heard.get(place, b"") + frames[320 * number : 320 * (number + 1)]
        return len(heard) == 2 and min(map(len, heard.values())) >= 320 * 25

    await eventually(enough, "half a second of both")
    for point, leg in zip(points, legs, strict=True):
        assert point.line is not None
        sound = goertzel.samples(heard[back.place(point.line)])[-RATE // 4 :]
        assert goertzel.strongest(sound, RATE) == pytest.approx(leg.frequency, abs=2)
        desk.unhear(point, leg.sound.point)
        back.release(point.line)
        back.release(point.line)
    assert back.heard() == (b"", b"", 0)


async def test_who_does_not_read_loses_frames_and_they_are_counted(desk: Desk, legs: list[Leg]) -> None:
    back = conference(desk)
    ear = back.open_ear()
    begin = legs[0].phone.frames
    await eventually(lambda: legs[0].phone.frames > begin + 75, "more frames than the ring has room for")
    places, frames, lost = back.heard()
    assert (len(places), len(frames)) == (4 * 64, 320 * 64)
    assert lost > 0
    back.release(ear)


async def test_hundreds_of_ears_come_and_go_and_nothing_leaks(desk: Desk) -> None:
    back = conference(desk)
    for _ in range(3):
        ears = [back.open_ear() for _ in range(SPARE_PORTS - 1)]
        assert len({back.place(ear) for ear in ears}) == len(ears)
        for ear in ears:
            back.release(ear)
        await eventually(lambda: back.ports == 1, "all ports are back")


async def test_a_tone_that_goes_on_is_told_from_a_person(desk: Desk, legs: list[Leg]) -> None:
    listening = Listening(desk)
    watch = listening.watch(legs[1].sound, AmdSettings(enabled=True))
    said = await asyncio.wait_for(watch, 10)
    assert (said.kind, said.reason) == (Kind.MACHINE, "steady tone")
    watch.stop()
    ends = listening.watch(legs[0].sound)
    legs[0].hang_up()
    assert (await asyncio.wait_for(ends, 10)).kind is Kind.LOST
    listening.close()
