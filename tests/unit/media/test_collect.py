"""Collecting digits: the rules by the clock they are given, the shell with a prompt that is really stopped."""

import asyncio
from pathlib import Path

import pytest

from media import Collected, Desk, Limits, Sound, SoundError, Why, collect
from media.collect import Collecting
from tests.unit.media.back import Notes


def dialled(keys: str, limits: Limits, *, prompt: bool = False) -> Collected | None:
    """The result after these keys, one a second."""
    state = Collecting(limits, 0.0, prompt=prompt)
    for n, key in enumerate(keys, 1):
        if over := state.digit(key, float(n)):
            return over
    return None


@pytest.mark.parametrize(
    ("keys", "limits", "result"),
    [
        ("1234", Limits(digits=4), Collected("1234", Why.ENOUGH)),
        ("12#", Limits(digits=4), Collected("12", Why.TERMINATED)),
        ("#", Limits(), Collected("", Why.TERMINATED)),
        ("12#4", Limits(digits=4, terminator=""), Collected("12#4", Why.ENOUGH)),
        ("12*", Limits(terminator="*"), Collected("12", Why.TERMINATED)),
        ("1x2y", Limits(digits=2), Collected("12", Why.ENOUGH)),
        ("12", Limits(digits=4), None),
    ],
)
def test_digits_end_a_collection_by_number_or_terminator(keys: str, limits: Limits, result: Collected | None) -> None:
    assert dialled(keys, limits) == result


def test_the_time_for_the_first_digit_starts_with_the_end_of_the_prompt() -> None:
    state = Collecting(Limits(first=5, between=3), 100.0, prompt=True)
    deadlines = [state.deadline]
    state.prompt_ended(110.0)
    assert [*deadlines, state.deadline] == [None, 115.0]
    assert state.time_up() == Collected("", Why.NOTHING)


def test_each_digit_gives_the_next_one_its_own_time() -> None:
    state = Collecting(Limits(first=5, between=3), 0.0, prompt=False)
    assert state.deadline == 5.0
    state.digit("1", 4.0)
    assert state.deadline == 7.0
    state.digit("2", 6.5)
    assert state.deadline == 9.5
    assert state.time_up() == Collected("12", Why.PAUSED)


def test_a_digit_interrupts_the_prompt_and_counts() -> None:
    state = Collecting(Limits(), 0.0, prompt=True)
    assert not state.interrupted()
    state.digit("7", 1.0)
    assert state.interrupted()
    assert (state.digits, state.deadline) == ("7", 4.0)
    state.prompt_ended(1.1)
    assert state.deadline == 4.0


def test_without_barge_in_digits_during_the_prompt_are_thrown_away() -> None:
    state = Collecting(Limits(barge_in=False), 0.0, prompt=True)
    assert state.digit("7", 1.0) is None
    assert not state.interrupted()
    state.prompt_ended(2.0)
    state.digit("8", 3.0)
    assert state.digits == "8"


@pytest.fixture
def caller(desk: Desk, back: Notes) -> Sound:
    sound = Sound("caller", desk)
    sound.attach(back.leg("caller"))
    return sound


def keys(pressed: str) -> asyncio.Queue[str]:
    queue: asyncio.Queue[str] = asyncio.Queue()
    for key in pressed:
        queue.put_nowait(key)
    return queue


async def test_a_key_stops_the_prompt_at_once(caller: Sound, back: Notes, prompt: Path) -> None:
    pressed = keys("")
    task = asyncio.ensure_future(collect(caller, pressed, prompt, Limits(digits=2)))
    await asyncio.sleep(0)
    assert back.joined == {("prompt", "caller")}
    pressed.put_nowait("4")
    for _ in range(5):
        await asyncio.sleep(0)
    assert back.joined == set()
    pressed.put_nowait("2")
    assert await asyncio.wait_for(task, 5) == Collected("42", Why.ENOUGH)


async def test_without_barge_in_the_prompt_is_heard_to_its_end(caller: Sound, prompt: Path) -> None:
    limits = Limits(barge_in=False, first=0.05)
    assert await asyncio.wait_for(collect(caller, keys("123"), prompt, limits), 5) == Collected("", Why.NOTHING)


async def test_nobody_presses_anything(caller: Sound, back: Notes, prompt: Path) -> None:
    result = await asyncio.wait_for(collect(caller, keys(""), prompt, Limits(first=0.05)), 5)
    assert result == Collected("", Why.NOTHING)
    assert not back.open


async def test_a_caller_who_stops_in_the_middle_is_not_waited_for(caller: Sound) -> None:
    result = await asyncio.wait_for(collect(caller, keys("12"), limits=Limits(between=0.05)), 5)
    assert result == Collected("12", Why.PAUSED)


async def test_keys_that_were_pressed_before_count(caller: Sound, prompt: Path) -> None:
    result = await asyncio.wait_for(collect(caller, keys("99#"), prompt), 5)
    assert result == Collected("99", Why.TERMINATED)


async def test_keys_after_the_last_one_are_left_for_the_next_question(caller: Sound) -> None:
    pressed = keys("1234")
    assert (await collect(caller, pressed, limits=Limits(digits=2))).digits == "12"
    assert (await collect(caller, pressed, limits=Limits(digits=2))).digits == "34"


async def test_a_caller_who_leaves_ends_it(caller: Sound, prompt: Path) -> None:
    task = asyncio.ensure_future(collect(caller, keys("1"), prompt))
    await asyncio.sleep(0)
    caller.close()
    assert (await asyncio.wait_for(task, 5)).why is Why.LOST


async def test_a_collection_that_is_cancelled_leaves_silence(caller: Sound, back: Notes, prompt: Path) -> None:
    task = asyncio.ensure_future(collect(caller, keys(""), prompt))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert back.joined == set()
    assert not back.open


async def test_a_prompt_that_does_not_play_is_an_error(caller: Sound, tmp_path: Path) -> None:
    with pytest.raises(SoundError):
        await collect(caller, keys("1"), tmp_path / "none.wav")
