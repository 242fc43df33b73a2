"""Sound on PJSIP's conference bridge itself: what goes in comes out at the right place, and every port comes back."""

import asyncio
import math
import random
import wave
from array import array
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pjsua2 as pj
import pytest
import pytest_asyncio

from media import Bridge, Cadence, Desk, Ending, Playing, Recording, SoundError, Tap, Tone, bridge, goertzel, wav
from media.pj import Conference, close_desk, configure, open_desk
from media.tones import cadence_samples
from tests.peers.waiting import eventually
from tests.unit.media.phone import FRAME, RATE, Leg

pytestmark = pytest.mark.asyncio(loop_scope="module")

HIGH = Cadence("high", (Tone((2000,), 0.4),))


TONES = {"a": 500, "b": 700, "c": 900, "d": 1100}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[pj.Endpoint]:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.logConfig.level = config.logConfig.consoleLevel = 0
    configure(config.medConfig, legs=64)
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


def ports(desk: Desk) -> int:
    assert isinstance(desk.back, Conference)
    return desk.back.ports


@pytest_asyncio.fixture(loop_scope="module")
async def legs(desk: Desk) -> AsyncIterator[list[Leg]]:
    """Four legs; after the test every port of theirs is back, and those of all that played and recorded."""
    legs = [Leg(desk, name, frequency) for name, frequency in TONES.items()]
    yield legs
    for leg in legs:
        leg.hang_up()
    endless = len(desk._rounds)
    await eventually(lambda: ports(desk) == 1 + endless, "all ports are back")


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    path = tmp_path / "prompt.wav"
    wav.write(path, cadence_samples(Cadence("p", (Tone((1500,), 0.5),)), RATE), RATE)
    return path


async def test_two_bridged_legs_hear_each_other_and_nobody_else(legs: list[Leg]) -> None:
    a, b, c, d = legs
    first = bridge(a.sound, b.sound)
    bridge(c.sound, d.sound)
    await eventually(lambda: a.phone.hears(700) and b.phone.hears(500), "the first bridge carries sound")
    await eventually(lambda: c.phone.hears(1100) and d.phone.hears(900), "the second bridge carries sound")
    first.close()
    await eventually(lambda: a.phone.hears() and b.phone.hears(), "the first is closed")
    assert c.phone.hears(1100)
    assert d.phone.hears(900)


async def test_a_bridge_goes_on_over_a_new_stream(legs: list[Leg]) -> None:
    a, b, *_ = legs
    bridge(a.sound, b.sound)
    await eventually(lambda: a.phone.hears(700) and b.phone.hears(500), "they talk")
    a.stream_gone()
    await eventually(b.phone.hears, "b hears nobody")
    a.stream_made()
    await eventually(lambda: a.phone.hears(700) and b.phone.hears(500), "they talk again")
    b.stream_made()
    await eventually(lambda: a.phone.hears(700) and b.phone.hears(500), "and again")


async def test_a_held_leg_hears_music_until_it_is_taken_back(legs: list[Leg]) -> None:
    a, b, *_ = legs
    joined = bridge(a.sound, b.sound)
    joined.hold(b.sound, HIGH)
    await eventually(lambda: a.phone.hears(2000) and b.phone.hears(), "a hears music, b nothing")
    joined.resume(b.sound)
    await eventually(lambda: a.phone.hears(700) and b.phone.hears(500), "they talk again")


async def test_endless_music_goes_round_for_all_who_wait_with_one_port(desk: Desk, legs: list[Leg]) -> None:
    before = ports(desk)
    for leg in legs:
        leg.sound.play(HIGH, loop=True)
    for _ in range(3):  # the file lasts 0.4 s
        await eventually(lambda: all(leg.phone.hears(2000) for leg in legs), "everybody hears music")
        for leg in legs:
            leg.phone.heard.clear()
    assert ports(desk) <= before + 1


async def test_a_prompt_is_heard_to_its_end_and_wakes_who_waits(legs: list[Leg], prompt: Path) -> None:
    phone = legs[0].phone
    start = phone.frames
    playing = legs[0].sound.play(prompt)
    await eventually(lambda: phone.hears(1500), "the prompt is heard")
    assert await asyncio.wait_for(playing, 10) is Ending.FINISHED
    assert phone.frames - start >= 25  # 0.5 s
    await eventually(phone.hears, "silence after it")


async def test_sixty_prompts_that_end_together_all_say_so(legs: list[Leg], prompt: Path) -> None:
    playings = [legs[n % 4].sound.play(prompt) for n in range(60)]
    endings = await asyncio.wait_for(asyncio.gather(*playings), 20)
    assert set(endings) == {Ending.FINISHED}


async def test_a_prompt_that_is_stopped_is_silent(legs: list[Leg], tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    wav.write(long, cadence_samples(Cadence("l", (Tone((1500,), 20.0),)), RATE), RATE)
    playing = legs[0].sound.play(long)
    await eventually(lambda: legs[0].phone.hears(1500), "the prompt is heard")
    playing.stop()
    assert await playing is Ending.STOPPED
    await eventually(legs[0].phone.hears, "silence after it")


async def test_a_prompt_goes_on_where_it_was_when_the_leg_has_a_new_stream(legs: list[Leg], tmp_path: Path) -> None:
    path = tmp_path / "steps.wav"
    parts = tuple(Tone((frequency,), 0.8) for frequency in (1200, 1600))
    wav.write(path, cadence_samples(Cadence("s", parts), RATE), RATE)
    leg = legs[0]
    playing = leg.sound.play(path)
    await eventually(lambda: leg.phone.hears(1200), "the first part is heard")
    leg.stream_gone()
    start = legs[1].phone.frames
    await eventually(lambda: legs[1].phone.frames > start + 100, "longer than the prompt lasts")
    assert playing.ending is None
    leg.stream_made()
    await eventually(lambda: leg.phone.hears(1200), "the rest of the first part")
    await eventually(lambda: leg.phone.hears(1600), "the second part")
    assert await asyncio.wait_for(playing, 10) is Ending.FINISHED


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
async def test_prompts_of_other_rates_have_the_right_pitch(legs: list[Leg], tmp_path: Path, rate: int) -> None:
    path = tmp_path / f"{rate}.wav"
    wav.write(path, cadence_samples(Cadence("r", (Tone((1500,), 0.5),)), rate), rate)
    playing = legs[0].sound.play(path)
    await eventually(lambda: legs[0].phone.hears(1500), "1,500 Hz at any rate")
    assert await asyncio.wait_for(playing, 10) is Ending.FINISHED


async def test_a_stereo_prompt_plays_and_ends(legs: list[Leg], tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    mono = cadence_samples(Cadence("r", (Tone((1500,), 0.5),)), RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(array("h", (sample for sample in mono for _ in range(2))).tobytes())
    playing = legs[0].sound.play(path)
    await eventually(lambda: legs[0].phone.hears(1500), "both channels are one")
    assert await asyncio.wait_for(playing, 10) is Ending.FINISHED


async def test_two_sources_are_mixed(legs: list[Leg]) -> None:
    bridge(legs[0].sound, legs[1].sound)
    legs[0].sound.play(HIGH, loop=True)
    await eventually(lambda: legs[0].phone.hears(700, 2000), "partner and music together")


def recorded(path: Path) -> goertzel.Samples:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return goertzel.samples(file.readframes(file.getnframes()))


async def frames(leg: Leg, count: int) -> None:
    """Until this leg has heard so many frames more."""
    end = leg.phone.frames + count
    await eventually(lambda: leg.phone.frames >= end, f"{count} frames")


async def test_a_recording_has_what_the_leg_said_and_its_file_is_complete(legs: list[Leg], tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    start = legs[0].phone.frames
    recording = legs[0].sound.record(path)
    await frames(legs[0], 50)
    recording.stop()
    assert await asyncio.wait_for(recording, 5) is Ending.STOPPED
    sound = recorded(path)
    assert 45 * FRAME <= len(sound) <= (legs[0].phone.frames - start) * FRAME
    assert goertzel.share(sound[5 * FRAME :], 500, RATE) > 0.99
    assert goertzel.level(sound[5 * FRAME :]) == pytest.approx(3.14 + 20 * math.log10(8000 / 32767), abs=0.2)


async def test_a_recording_keeps_time_while_the_leg_is_away(legs: list[Leg], tmp_path: Path) -> None:
    leg, other = legs[:2]
    path = tmp_path / "a.wav"
    recording = leg.sound.record(path)
    await frames(other, 25)
    leg.stream_gone()
    await frames(other, 50)
    leg.stream_made()
    await frames(other, 25)
    recording.stop()
    await asyncio.wait_for(recording, 5)
    sound = recorded(path)
    said = [goertzel.share(sound[n : n + FRAME], 500, RATE) > 0.9 for n in range(0, len(sound) - FRAME, FRAME)]
    assert 40 <= said.count(False) <= 65
    assert said[10] is True
    assert said[-5] is True


async def test_two_legs_in_one_recording_are_mixed(desk: Desk, legs: list[Leg], tmp_path: Path) -> None:
    path = tmp_path / "both.wav"
    bridge(legs[0].sound, legs[1].sound)
    recording = desk.record(path, [leg.sound for leg in legs[:2]])
    await frames(legs[0], 30)
    recording.stop()
    await asyncio.wait_for(recording, 5)
    sound = recorded(path)[5 * FRAME :]
    assert goertzel.share(sound, 500, RATE) == pytest.approx(0.5, abs=0.1)
    assert goertzel.share(sound, 700, RATE) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", ["no-such-folder/a.wav", "a.mp3", "a" * 300 + ".wav"])
async def test_a_recording_that_cannot_be_written_is_an_error(legs: list[Leg], tmp_path: Path, name: str) -> None:
    with pytest.raises(SoundError):
        legs[0].sound.record(tmp_path / name)


async def test_a_tap_gives_every_frame_once(legs: list[Leg]) -> None:
    tap = legs[0].sound.tap(batch=5)
    sound = b""
    async for pcm in tap:
        sound += pcm
        if len(sound) >= 50 * 2 * FRAME:
            tap.stop()
    heard = goertzel.samples(sound)
    assert goertzel.share(heard[5 * FRAME :], 500, RATE) > 0.99  # a frame lost or doubled would turn the phase
    assert tap.dropped == 0


async def test_a_slow_reader_of_a_tap_loses_frames_and_they_are_counted(legs: list[Leg]) -> None:
    tap = legs[0].sound.tap(batch=1, room=5)
    await eventually(lambda: tap.dropped > 10, "frames are dropped")
    tap.stop()


async def test_wave_files_that_pjsip_refuses_are_errors(legs: list[Leg], tmp_path: Path) -> None:
    short = tmp_path / "short.wav"
    wav.write(short, array("h", [0] * 10), RATE)
    with pytest.raises(SoundError):
        legs[0].sound.play(short)
    with pytest.raises(SoundError):
        legs[0].sound.play(tmp_path / "none.wav", loop=True)


async def test_a_thousand_steps_in_any_order_lose_no_port(
    desk: Desk, legs: list[Leg], prompt: Path, tmp_path: Path
) -> None:
    """Legs come and go, are bridged, held, played to, recorded and tapped; the fixture counts the ports afterwards."""
    rng = random.Random(20)
    going: list[Playing | Recording | Tap | Bridge] = []
    recordings: list[Recording] = []

    def end(thing: Playing | Recording | Tap | Bridge) -> None:
        if isinstance(thing, Bridge):
            thing.close()
        else:
            thing.stop()

    def step(number: int) -> None:
        at = rng.randrange(4)
        leg = legs[at]
        match rng.randrange(10):
            case 0:
                going.append(leg.sound.play(prompt))
            case 1:
                going.append(leg.sound.play(HIGH, loop=True))
            case 2:
                recordings.append(leg.sound.record(tmp_path / f"{number}.wav"))
                going.append(recordings[-1])
            case 3:
                going.append(leg.sound.tap())
            case 4:
                going.append(bridge(leg.sound, legs[(at + 1) % 4].sound))
            case 5 | 6 as holds:
                bridges = [thing for thing in going if isinstance(thing, Bridge)]
                if bridges:
                    change = rng.choice(bridges)
                    (change.hold if holds == 5 else change.resume)(leg.sound, HIGH)
            case 7:
                leg.stream_gone()
            case 8:
                leg.stream_made()
            case _:
                leg.hang_up()
                legs[at] = Leg(desk, leg.name, leg.frequency)
        while len(going) > 20:
            end(going.pop(rng.randrange(len(going))))

    for number in range(1000):
        step(number)
        if rng.random() < 0.2:
            await asyncio.sleep(0.005)
    for thing in going:
        end(thing)
    for recording in recordings:
        assert await asyncio.wait_for(recording, 5) in (Ending.STOPPED, Ending.LOST)
    assert len(recordings) > 50
    assert all(wav.is_complete(recording.path) for recording in recordings)
    a, b, *_ = legs
    a.stream_made()
    b.stream_made()
    bridge(a.sound, b.sound)
    await eventually(lambda: a.phone.hears(700) and b.phone.hears(500), "the conference works as ever")
