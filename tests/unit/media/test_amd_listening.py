"""Watches on legs: the reading task serves all of them, and every one of them comes to an end."""

import asyncio

import numpy as np
import numpy.typing as npt
import pytest

from media import Desk, Sound
from media.amd import GRACE, AmdSettings, Kind, Listening, Stage, Watch
from tests.peers.waiting import eventually
from tests.unit.media.amd_sound import FRAME, call, quiet, talk, tone
from tests.unit.media.back import Notes


def say(back: Notes, watch: Watch, sound: npt.NDArray[np.int16]) -> None:
    """Let a leg say all this at once."""
    line = watch.point.line
    assert line is not None
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    back.says[line.port.number] = [frame.tobytes() for frame in frames]


def leg(desk: Desk, back: Notes, name: str) -> Sound:
    sound = Sound(name, desk)
    sound.attach(back.leg(name))
    return sound


async def test_several_legs_get_their_verdicts_from_one_task(desk: Desk, back: Notes) -> None:
    listening = Listening(desk)
    person, machine = leg(desk, back, "a"), leg(desk, back, "b")
    first, second = listening.watch(person), listening.watch(machine)
    assert {("a", "ear"), ("b", "ear")} <= back.joined
    say(back, first, call(quiet(0.5), talk(0.5), quiet(3)))
    say(back, second, call(quiet(0.5), talk(11), quiet(0.4), tone(0.5, 1000), quiet(1)))
    assert (await first).kind is Kind.HUMAN
    assert (await second).kind is Kind.MACHINE
    beep = await second.message_time()
    assert beep is not None
    assert beep.frequency == pytest.approx(1000, abs=5)
    assert await first.message_time() is None
    for watch in (first, second):
        watch.stop()
    assert not back.open
    assert listening.verdicts[Kind.HUMAN] == listening.verdicts[Kind.MACHINE] == 1
    listening.close()


async def test_a_leg_that_ends_ends_its_watch(desk: Desk, back: Notes) -> None:
    listening = Listening(desk)
    sound = leg(desk, back, "a")
    watch = listening.watch(sound)
    sound.close()
    assert (await watch).kind is Kind.LOST
    assert await watch.message_time() is None
    assert not back.open
    watch.stop()
    assert (await listening.watch(sound)).kind is Kind.LOST


async def test_a_leg_without_sound_is_a_person_in_the_end(desk: Desk, back: Notes) -> None:
    listening = Listening(desk)
    watch = listening.watch(leg(desk, back, "a"), AmdSettings(enabled=True, longest=2, initial_silence=1))
    assert not watch.overdue(asyncio.get_running_loop().time() + 1)
    watch._began -= 2 + GRACE
    said = await asyncio.wait_for(watch, 5)
    assert (said.kind, said.reason) == (Kind.HUMAN, "no sound")
    assert await watch.message_time() is None
    watch.stop()


async def test_early_sound_is_watched_for_as_long_as_it_rings(desk: Desk, back: Notes) -> None:
    listening = Listening(desk)
    watch = listening.watch(leg(desk, back, "a"), stage=Stage.EARLY)
    say(back, watch, call(quiet(0.2), tone(1, 425), quiet(4)))
    await eventually(lambda: watch.ringing, "ringback is heard")
    assert watch.verdict is None
    assert not watch.overdue(asyncio.get_running_loop().time() + 600)
    watch.stop()
    assert (await watch).kind is Kind.LOST


async def test_a_fault_makes_everybody_a_person(desk: Desk, back: Notes) -> None:
    listening = Listening(desk)
    watch = listening.watch(leg(desk, back, "a"))
    line = watch.point.line
    assert line is not None
    back.says[line.port.number] = [b"half a frame"]
    said = await asyncio.wait_for(watch, 5)
    assert (said.kind, said.reason) == (Kind.HUMAN, "fault")
    assert not back.open


async def test_the_task_ends_with_the_last_watch_and_comes_again(desk: Desk, back: Notes) -> None:
    listening = Listening(desk)
    for name in ("a", "b"):
        watch = listening.watch(leg(desk, back, name))
        say(back, watch, call(quiet(0.5), talk(0.5), quiet(3)))
        assert (await asyncio.wait_for(watch, 5)).kind is Kind.HUMAN
        watch.stop()
        task = listening._task
        assert task is not None
        await eventually(task.done, "nobody is listened to any more")


@pytest.mark.parametrize("wrong", [{"after_greeting": 1.3}, {"longest": 0.0}, {"caution": 0.0}, {"hard_cut": 9.0}])
def test_settings_out_of_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AmdSettings(**wrong)  # type: ignore[arg-type]
