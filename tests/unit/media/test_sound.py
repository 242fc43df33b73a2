"""What a call does with sound, seen from the connections that stand (bridge, hold, music, prompts, recordings)."""

import asyncio
import gc
from array import array
from pathlib import Path

import pytest

from media import BUSY, RINGBACK, Bridge, Desk, Ending, Playing, Sound, SoundError, bridge, wav
from tests.peers.waiting import eventually
from tests.unit.media.back import Notes


def attached(desk: Desk, back: Notes, name: str) -> Sound:
    sound = Sound(name, desk)
    sound.attach(back.leg(name))
    return sound


BOTH = {("a", "b"), ("b", "a")}


async def test_a_bridge_is_two_connections_and_no_more_commands(desk: Desk, back: Notes) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    bridge(a, b)
    assert back.joined == BOTH
    assert back.commands == 2


async def test_a_call_that_ends_costs_no_command_at_all(desk: Desk, back: Notes) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    joined = bridge(a, b)
    assert a.point.line is not None
    back.gone(a.point.line)
    a.close()
    b.close()
    joined.close()
    await asyncio.sleep(0.05)
    assert back.commands == 2
    assert repr(desk) == "<desk of 0 legs, 0 endless players, 0 refused>"


async def test_a_bridge_waits_for_both_sides(desk: Desk, back: Notes) -> None:
    a, b = Sound("a", desk), Sound("b", desk)
    bridge(a, b)
    a.attach(back.leg("a"))
    assert not back.joined
    b.attach(back.leg("b"))
    assert back.joined == BOTH


async def test_a_leg_whose_stream_is_made_anew_stays_in_its_bridge_with_music_and_recording(
    desk: Desk, back: Notes, tmp_path: Path
) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    bridge(a, b)
    a.play(RINGBACK, loop=True)
    a.record(tmp_path / "a.wav")
    before = set(back.joined)
    assert a.point.line is not None
    back.gone(a.point.line)
    a.attach(None)
    assert not a.attached
    assert not back.joined & BOTH
    a.attach(back.leg("a"))
    assert back.joined == before
    assert ("ringback-8000 for ever", "a") in back.joined
    assert ("a", "recorder a") in back.joined


async def test_a_closed_bridge_is_two_cuts_and_the_leg_that_stays_is_drained(desk: Desk, back: Notes) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    joined = bridge(a, b)
    joined.close()
    joined.close()
    assert back.joined == set()
    b.close()
    await eventually(lambda: ("a", "silence") in back.joined, "a is drained")
    assert ("b", "silence") not in back.joined
    bridge(a, attached(desk, back, "c"))
    assert back.joined == {("a", "c"), ("c", "a")}


async def test_a_bridge_that_is_made_anew_at_once_drains_nobody(desk: Desk, back: Notes) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    bridge(a, b).close()
    bridge(a, b)
    await asyncio.sleep(0.05)
    assert back.joined == BOTH
    assert back.commands == 6


async def test_hold_gives_music_to_the_other_side_only(desk: Desk, back: Notes) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    joined = bridge(a, b)
    joined.hold(b, RINGBACK)
    assert back.joined == {("ringback-8000 for ever", "a")}
    assert repr(joined) == "<bridge a and b, conference: on hold>"
    joined.resume(b)
    assert back.joined == BOTH


async def test_when_both_hold_nobody_hears_anything_and_the_first_back_hears_music(desk: Desk, back: Notes) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    joined = bridge(a, b)
    joined.hold(b, BUSY)
    joined.hold(a, BUSY)
    assert back.joined == set()
    joined.resume(a, BUSY)
    assert back.joined == {("busy-8000 for ever", "a")}
    joined.resume(b)
    assert back.joined == BOTH


async def test_a_held_bridge_can_be_closed(desk: Desk, back: Notes) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    joined = bridge(a, b)
    joined.hold(a, BUSY)
    joined.close()
    assert back.joined == set()
    assert repr(joined) == "<bridge a and b, closed>"


async def test_music_that_cannot_be_played_does_not_break_the_hold(
    desk: Desk, back: Notes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    back.ports_left = 0
    joined = bridge(a, b)
    joined.hold(a, tmp_path / "gone.wav")
    assert back.joined == set()
    assert "no music on hold" in caplog.text
    joined.resume(a)
    assert back.joined == BOTH


async def test_all_legs_that_hear_an_endless_source_share_one_player(desk: Desk, back: Notes) -> None:
    sounds = [attached(desk, back, f"leg{n}") for n in range(50)]
    playings = [sound.play(RINGBACK, loop=True) for sound in sounds]
    assert len(back.open) == 1
    assert len(back.joined) == 50
    playings[0].stop()
    assert await playings[0] is Ending.STOPPED
    assert len(back.joined) == 49
    assert len(back.open) == 1


async def test_a_prompt_ends_when_it_was_played(desk: Desk, back: Notes, prompt: Path) -> None:
    a = attached(desk, back, "a")
    playing = a.play(prompt)
    assert back.joined == {("prompt", "a")}
    assert playing.ending is None
    assert await asyncio.wait_for(playing, 5) is Ending.FINISHED
    assert back.joined == set()
    assert not back.open
    assert repr(playing) == "<playing prompt.wav to a: finished>"


async def test_a_prompt_that_the_conference_plays_late_is_not_cut_short(desk: Desk, back: Notes, prompt: Path) -> None:
    a = attached(desk, back, "a")
    playing = a.play(prompt)
    player = next(iter(back.open)).port
    player.played = 800
    await asyncio.sleep(0.5)
    assert playing.ending is None
    player.played = 0
    assert await asyncio.wait_for(playing, 5) is Ending.FINISHED


async def test_a_prompt_stands_still_while_the_leg_has_no_line(desk: Desk, back: Notes, prompt: Path) -> None:
    a = Sound("a", desk)
    playing = a.play(prompt)
    await asyncio.sleep(0.5)
    assert playing.ending is None
    a.attach(back.leg("a"))
    assert await asyncio.wait_for(playing, 5) is Ending.FINISHED


async def test_a_prompt_that_is_stopped_says_so_and_gives_its_player_back(
    desk: Desk, back: Notes, prompt: Path
) -> None:
    playing = attached(desk, back, "a").play(prompt)
    playing.stop()
    playing.stop()
    assert await playing is Ending.STOPPED
    assert not back.open
    assert not back.joined


async def test_what_plays_to_a_leg_that_ends_is_lost(desk: Desk, back: Notes, prompt: Path) -> None:
    a = attached(desk, back, "a")
    playings = [a.play(prompt), a.play(RINGBACK, loop=True)]
    a.close()
    assert [await playing for playing in playings] == [Ending.LOST, Ending.LOST]
    assert await a.play(prompt) is Ending.LOST
    assert len(back.open) == 1


async def test_a_waiter_that_gives_up_does_not_stop_the_prompt(desk: Desk, back: Notes, prompt: Path) -> None:
    playing = attached(desk, back, "a").play(prompt)
    waiter = asyncio.ensure_future(asyncio.wait_for(playing, 5))
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert await asyncio.wait_for(playing, 5) is Ending.FINISHED


@pytest.mark.parametrize("loop", [False, True])
async def test_what_cannot_be_played_is_an_error_and_takes_no_port(
    desk: Desk, back: Notes, tmp_path: Path, prompt: Path, loop: bool
) -> None:
    a = attached(desk, back, "a")
    back.ports_left = 0
    with pytest.raises(SoundError, match="too many objects"):
        a.play(prompt, loop=loop)
    if not loop:
        with pytest.raises(SoundError, match="No such file"):
            a.play(tmp_path / "none.wav")
    assert not a.playings
    assert not back.joined


async def test_tones_are_written_once_as_files(desk: Desk, back: Notes) -> None:
    a = attached(desk, back, "a")
    for _ in range(3):
        a.play(BUSY).stop()
    assert [path.name for path in desk.folder.iterdir()] == ["busy-8000.wav"]
    assert wav.inspect(desk.folder / "busy-8000.wav").seconds == 1.0


async def test_tones_that_cannot_be_written_are_an_error(back: Notes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    desk = Desk(back, tmp_path / "file" / "tones")
    with pytest.raises(SoundError, match="Not a directory"):
        attached(desk, back, "a").play(BUSY)


async def test_a_recording_hears_silence_too_and_ends_once_its_file_is_complete(
    desk: Desk, back: Notes, tmp_path: Path
) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    path = tmp_path / "both.wav"
    recording = desk.record(path, [a, b])
    assert back.joined == {("silence", "recorder both"), ("a", "recorder both"), ("b", "recorder both")}
    before = back.commands
    recording.stop()
    assert back.commands == before
    assert not back.open
    await asyncio.sleep(0.1)
    assert recording.ending is None
    wav.write(path, array("h", [1, 2]), 8000)
    assert await asyncio.wait_for(recording, 5) is Ending.STOPPED


async def test_a_recording_ends_with_its_last_leg(desk: Desk, back: Notes, tmp_path: Path) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    path = tmp_path / "both.wav"
    recording = desk.record(path, [a, b])
    a.close()
    assert back.open
    wav.write(path, array("h", [1, 2]), 8000)
    b.close()
    assert not back.open
    assert await asyncio.wait_for(recording, 5) is Ending.LOST
    assert not desk.recordings


async def test_a_tap_gives_what_the_leg_says_until_it_is_stopped(desk: Desk, back: Notes) -> None:
    a = attached(desk, back, "a")
    tap = a.tap(batch=2)
    frames = next(iter(back.open)).port.frames
    for n in range(4):
        frames(bytes([n, 0]) * 160)
    batch = await asyncio.wait_for(anext(tap), 5)
    assert batch == b"".join(bytes([n, 0]) * 160 for n in range(4))
    frames(b"\7\0" * 160)
    tap.stop()
    tap.stop()
    assert [pcm async for pcm in tap] == [b"\7\0" * 160]
    assert not back.open


async def test_a_place_that_was_given_to_another_leg_is_lost_to_the_first(desk: Desk, back: Notes) -> None:
    """A late `attach(None)` must not leave a caller connected to a stranger."""
    a, b = Sound("a", desk), attached(desk, back, "b")
    bridge(a, b)
    a.attach(back.leg("a", 77))
    stranger = Sound("stranger", desk)
    stranger.attach(back.leg("stranger", 77))
    assert not a.attached
    assert stranger.attached
    commands = back.commands
    bridge(a, b)
    assert back.commands == commands
    a.attach(None)
    assert stranger.attached
    assert repr(desk).startswith("<desk of 2 legs")


async def test_nothing_is_connected_to_a_line_that_is_gone(desk: Desk, back: Notes) -> None:
    a, b = attached(desk, back, "a"), attached(desk, back, "b")
    assert a.point.line is not None
    a.point.line.gone()
    bridge(a, b)
    assert back.joined == set()
    assert desk.refused == 2
    late = back.leg("late")
    late.gone()
    b.attach(late)
    assert not b.attached


async def test_a_bare_handle_is_as_good_as_a_line(desk: Desk, back: Notes) -> None:
    a, b = Sound("a", desk), attached(desk, back, "b")
    bridge(a, b)
    a.attach(back.leg("a").port)
    assert back.joined == BOTH


async def test_a_closed_leg_takes_no_line_any_more(desk: Desk, back: Notes) -> None:
    a = attached(desk, back, "a")
    a.close()
    a.close()
    a.attach(back.leg("a"))
    assert not a.attached


async def test_a_leg_has_the_desk_of_the_process(back: Notes, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no desk is open"):
        Sound()
    Desk.current = desk = Desk(back, tmp_path)
    assert Sound().attached is False
    desk.close()
    assert Desk.current is None


async def test_closing_the_desk_gives_everything_back(desk: Desk, back: Notes, tmp_path: Path) -> None:
    a = attached(desk, back, "a")
    a.play(RINGBACK, loop=True)
    a.record(tmp_path / "a.wav")
    desk.close()
    assert not back.open


async def test_a_call_that_is_closed_is_freed_without_a_collection(desk: Desk, back: Notes) -> None:
    def call() -> None:
        a, b = attached(desk, back, "a"), attached(desk, back, "b")
        joined = bridge(a, b)
        joined.hold(a, RINGBACK)
        a.close()
        b.close()
        joined.close()

    def ours() -> int:
        return sum(isinstance(thing, Sound | Bridge | Playing) for thing in gc.get_objects())

    gc.disable()
    try:
        before = ours()
        call()
        assert ours() == before
    finally:
        gc.enable()
