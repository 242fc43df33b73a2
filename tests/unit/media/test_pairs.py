"""A bridge leaves the conference and comes back, whatever happens to its legs meanwhile."""

import asyncio
from pathlib import Path

import pytest

from media import RINGBACK, Bridge, Desk, Sound, Way, Who, bridge
from media.pairs import RETURN
from media.path import Codec, Reason
from tests.peers.waiting import eventually
from tests.unit.media.back import Notes

PCMA, PCMU = Codec("PCMA", 8000, 20), Codec("PCMU", 8000, 20)
MIXED = {("a", "b"), ("b", "a")}
RELAYED = {("a", "b")}


def talks(desk: Desk, back: Notes, name: str, codec: Codec = PCMA) -> Sound:
    sound = Sound(name, desk)
    sound.attach(back.leg(name, codec=codec))
    return sound


@pytest.fixture
def pair(desk: Desk, back: Notes) -> tuple[Sound, Sound, Bridge]:
    a, b = talks(desk, back, "a"), talks(desk, back, "b")
    return a, b, bridge(a, b)


def over(joined: Bridge, reason: Reason) -> bool:
    return joined.decision.reason is reason


async def is_back(back: Notes) -> None:
    await eventually(lambda: back.relayed == RELAYED and not back.joined & MIXED, "the relay has them again")


async def test_two_that_are_alike_take_the_relay_and_no_connection(
    pair: tuple[Sound, Sound, Bridge], back: Notes, desk: Desk
) -> None:
    *_, joined = pair
    assert back.relayed == RELAYED
    assert back.commands == 0
    assert repr(joined) == "<bridge a and b, relay>"
    assert repr(desk.pairs) == "<1 pairs over the relay, 0 over the conference>"
    joined.close()
    assert not back.relayed
    assert desk.pairs.ways == {Way.RELAY: 0, Way.CONFERENCE: 0}


async def test_each_change_of_the_way_is_told_and_nothing_else(desk: Desk, back: Notes, prompt: Path) -> None:
    told: list[str] = []
    a, b = talks(desk, back, "a"), talks(desk, back, "b")
    joined = bridge(a, b, lambda: told.append(str(joined.decision) if told else "at once"))
    playing = a.play(prompt)
    other = b.play(prompt)
    playing.stop()
    other.stop()
    await is_back(back)
    joined.hold(a)
    joined.hold(b)
    joined.close()
    a.play(prompt).stop()
    assert told == ["at once", "conference: something is played", "relay", "conference: on hold"]


async def test_a_leg_that_the_relay_has_is_not_emptied(pair: tuple[Sound, Sound, Bridge], back: Notes) -> None:
    await asyncio.sleep(0.05)
    assert not back.joined
    *_, joined = pair
    joined.close()
    await eventually(lambda: back.joined == {("a", "silence"), ("b", "silence")}, "nobody hears them: they are emptied")


async def test_different_codecs_meet_in_the_conference(desk: Desk, back: Notes) -> None:
    joined = bridge(talks(desk, back, "a"), talks(desk, back, "b", PCMU))
    assert back.joined == MIXED
    assert not back.relayed
    assert over(joined, Reason.CODECS)


async def test_nobody_leaves_the_conference_where_the_settings_say_so(back: Notes, tmp_path: Path) -> None:
    desk = Desk(back, tmp_path, relay=False)
    joined = bridge(talks(desk, back, "a"), talks(desk, back, "b"))
    assert back.joined == MIXED
    assert over(joined, Reason.OFF)
    desk.close()


async def test_a_prompt_brings_them_to_the_conference_and_its_end_back(
    pair: tuple[Sound, Sound, Bridge], back: Notes, desk: Desk, prompt: Path
) -> None:
    a, _, joined = pair
    playing = a.play(prompt)
    assert back.joined == MIXED | {("prompt", "a")}
    assert not back.relayed
    assert over(joined, Reason.PLAYED)
    await playing
    await is_back(back)
    assert desk.pairs.reasons[Reason.ALONE] == 2
    assert desk.pairs.reasons[Reason.PLAYED] == 1


async def test_the_pieces_of_an_announcement_are_one_reason(
    pair: tuple[Sound, Sound, Bridge], back: Notes, desk: Desk, prompt: Path
) -> None:
    a, *_ = pair
    for _ in range(3):
        a.play(prompt).stop()
        await asyncio.sleep(RETURN / 4)
        assert back.joined == MIXED
    await is_back(back)
    assert desk.pairs.reasons[Reason.PLAYED] == 1


async def test_a_recording_a_tap_and_a_third_party_are_reasons_as_long_as_they_last(
    pair: tuple[Sound, Sound, Bridge], back: Notes, desk: Desk, tmp_path: Path
) -> None:
    a, b, joined = pair
    recording = desk.record(tmp_path / "both.wav", [a, b])
    assert over(joined, Reason.RECORDED)
    recording.pause()
    await is_back(back)
    recording.resume()
    assert over(joined, Reason.RECORDED)
    recording.stop()
    await is_back(back)
    tap = a.tap()
    assert over(joined, Reason.LISTENED)
    tap.stop()
    await is_back(back)
    c = talks(desk, back, "c")
    third = bridge(b, c)
    assert over(joined, Reason.COMPANY)
    assert over(third, Reason.COMPANY)
    assert back.joined == MIXED | {("b", "c"), ("c", "b")}
    third.close()
    await is_back(back)


async def test_who_only_listens_brings_them_to_the_conference_until_he_hangs_up(
    pair: tuple[Sound, Sound, Bridge], back: Notes, desk: Desk
) -> None:
    a, b, joined = pair
    supervisor = Sound("s", desk, who=Who.SUPERVISOR)
    supervisor.attach(back.leg("s", codec=PCMA))
    for leg in (a, b):
        desk.hear(supervisor.point, leg.point)
    assert over(joined, Reason.SUPERVISED)
    assert back.joined == MIXED | {("a", "s"), ("b", "s")}
    assert supervisor.point.line is not None
    back.gone(supervisor.point.line)
    supervisor.close()
    await is_back(back)


async def test_hold_ends_the_relay_and_resume_brings_it_back_at_once(
    pair: tuple[Sound, Sound, Bridge], back: Notes
) -> None:
    a, b, joined = pair
    joined.hold(b, RINGBACK)
    assert back.joined == {("ringback-8000 for ever", "a")}
    assert not back.relayed
    assert over(joined, Reason.HELD)
    joined.hold(a, RINGBACK)
    assert not back.joined
    joined.resume(b, RINGBACK)
    assert back.joined == {("ringback-8000 for ever", "b")}
    joined.resume(a)
    assert back.relayed == RELAYED
    assert not back.joined


async def test_a_new_stream_is_joined_anew_and_one_of_another_codec_is_not(
    pair: tuple[Sound, Sound, Bridge], back: Notes
) -> None:
    a, _, joined = pair
    line = a.point.line
    assert line is not None
    back.gone(line)
    a.attach(back.leg("a", codec=PCMA))
    assert back.relayed == RELAYED
    assert a.native == a.point.line.call if a.point.line else False
    a.attach(back.leg("a", codec=PCMU))
    assert not back.relayed
    assert back.joined == MIXED
    assert over(joined, Reason.CODECS)
    a.attach(None)
    assert over(joined, Reason.WAITING)
    assert a.native == -1
    a.attach(back.leg("a", codec=PCMA))
    assert back.relayed == RELAYED


async def test_a_relay_that_refuses_is_not_asked_again_for_the_same_streams(
    desk: Desk, back: Notes, prompt: Path
) -> None:
    back.refuses = True
    a, b = talks(desk, back, "a"), talks(desk, back, "b")
    joined = bridge(a, b)
    assert back.joined == MIXED
    assert over(joined, Reason.REFUSED)
    back.refuses = False
    await a.play(prompt)
    await asyncio.sleep(2 * RETURN)
    assert over(joined, Reason.REFUSED)
    a.attach(back.leg("a", codec=PCMA))
    await is_back(back)


async def test_a_leg_that_goes_elsewhere_takes_nobody_along(pair: tuple[Sound, Sound, Bridge], back: Notes) -> None:
    a, b, joined = pair
    line = a.point.line
    a.detach()
    assert not back.relayed
    assert over(joined, Reason.WAITING)
    c = Sound("c", a.desk)
    c.attach(line)
    other = bridge(c, b)
    assert over(other, Reason.COMPANY)
    joined.close()
    await eventually(lambda: bool(back.relayed), "the two that are left are joined")


async def test_a_leg_that_ends_leaves_the_other_one_in_the_conference(
    pair: tuple[Sound, Sound, Bridge], back: Notes, prompt: Path
) -> None:
    a, b, joined = pair
    assert a.point.line is not None
    back.gone(a.point.line)
    a.close()
    assert not back.relayed
    assert over(joined, Reason.WAITING)
    b.play(prompt)
    assert back.joined == {("prompt", "b")}
    joined.close()
    joined.close()


async def test_a_bridge_that_is_closed_does_not_come_back(
    pair: tuple[Sound, Sound, Bridge], back: Notes, prompt: Path
) -> None:
    a, _, joined = pair
    a.play(prompt).stop()
    joined.close()
    await asyncio.sleep(2 * RETURN)
    assert not back.relayed
