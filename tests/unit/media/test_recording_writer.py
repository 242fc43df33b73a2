"""The recorder's thread, its files and what becomes of them, with packets that are made up and no SIP."""

import json
import os
import resource
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from media.recording import BadSeal, Failed, Finished, Keys, Leg, News, Order, Recorder, Sealed, index
from media.recording.mend import CRASHED, mend
from media.recording.ogg import checksum
from media.recording.packets import LINEAR, Packet, record
from media.recording.sealed import CHUNK, NoKey, SealedFile
from tests.peers.sound import Pcm, encode, loudness, share, tone
from tests.unit.media.recorder_desk import AGENT, BEGIN, CALL, CALLER, KEY, OTHER, RATE, SIZE, Desk, MadeUp


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def heard(path: Path) -> tuple[Pcm, Pcm]:
    """Both channels of a WAV file."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        frames = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    return frames[:, 0], frames[:, 1]


def test_the_caller_is_left_and_his_agents_are_right_one_after_the_other(desk: Desk) -> None:
    """A transfer: the second agent is on the same channel, and the index says who was there when."""
    number = desk.begin()
    caller, first = desk.join(number, 0, left=True), desk.join(number, 1, left=False, extension="1001")
    desk.taps.say(caller, CALLER, 0, 100, lost=(20, 21, 70))
    desk.taps.say(first, AGENT, 0, 50)
    desk.round(0.5)
    desk.clock.at(1.0)
    desk.recorder.leave(first)
    second = desk.join(number, 2, left=False, extension="1002")
    desk.taps.say(second, OTHER, 1, 50)
    desk.round(1.7)
    data = desk.end(number, 2.0)
    left, right = heard(desk.folder / "acme" / data["file"])
    assert (len(left), data["seconds"], data["complete"], data["cut_off"]) == (16000, 2.0, True, "")
    assert share(left, CALLER) > 0.95
    assert share(right[:8000], AGENT) > 0.95
    assert share(right[8000:], OTHER) > 0.95
    parts = [(part["role"], part["extension"], part["channel"], part["from"], part["to"]) for part in data["parts"]]
    assert parts == [
        ("caller", "", "left", 0.0, 2.0),
        ("agent", "1001", "right", 0.0, 1.0),
        ("agent", "1002", "right", 1.0, 2.0),
    ]
    assert {part["codec"] for part in data["parts"]} == {"PCMA"}
    assert [(loss["part"], loss["at"], loss["seconds"], loss["packets"]) for loss in data["losses"]] == [
        (0, 0.4, 0.04, 2),
        (0, 1.4, 0.02, 1),
    ]
    assert data["parts"][0]["counted"]["lost"] == 3
    assert data["sha256"] == index.checksum(desk.folder / "acme" / data["file"])
    assert not list(desk.folder.glob("**/*.tmp"))


def test_a_pause_is_silence_on_both_channels_and_stands_in_the_index(desk: Desk) -> None:
    number = desk.begin()
    tags = [desk.join(number, n, left=not n) for n in range(2)]
    for tag, hz in zip(tags, (CALLER, AGENT), strict=True):
        desk.taps.say(tag, hz, 0, 150)
    for seconds, on in ((1.0, False), (2.0, True)):
        desk.clock.at(seconds)
        desk.recorder.paused(number, not on, "operator")
        for tag in tags:
            desk.recorder.gate(tag, on)
        desk.round(seconds + 0.1)
    desk.recorder.held(number, 1, "agent", True)
    data = desk.end(number, 3.0)
    for channel, hz in zip(heard(desk.folder / "acme" / data["file"]), (CALLER, AGENT), strict=True):
        assert loudness(channel[8000:16000]) == 0
        assert share(channel[:8000], hz) > 0.95
        assert share(channel[16000:], hz) > 0.95
    assert data["pauses"] == [{"from": 1.0, "to": 2.0, "by": "operator"}]
    assert data["holds"] == [{"from": 2.1, "to": 3.0, "by": "agent 1"}]


def test_three_on_two_channels_are_added(desk: Desk) -> None:
    number = desk.begin()
    tags = [desk.join(number, n, left=not n) for n in range(3)]
    for tag, hz in zip(tags, (CALLER, AGENT, OTHER), strict=True):
        desk.taps.say(tag, hz, 0, 50)
    data = desk.end(number, 1.0)
    _, right = heard(desk.folder / "acme" / data["file"])
    assert share(right, AGENT) == pytest.approx(0.5, abs=0.02)
    assert share(right, OTHER) == pytest.approx(0.5, abs=0.02)


def test_an_ears_frames_are_written_and_g711_is_doubled_beside_them(desk: Desk) -> None:
    """A conference of 16 kHz: one leg with a wide-band codec, heard there, the other one tapped."""
    number = desk.begin(rate=16000)
    recorder, tag = desk.recorder, desk.recorder.tag()
    frames = [tone(3000.0, n * 320, 320, rate=16000).astype(np.int16).tobytes() for n in range(50)]
    ear = [Packet(tag, n * 320, n, LINEAR, BEGIN + n * 20_000, frame) for n, frame in enumerate(frames)]
    recorder.join(number, Leg(tag, 1, "agent", False, "1001", ear=True))
    recorder.gate(tag, True)
    caller = desk.join(number, 0, left=True)
    desk.taps.say(caller, CALLER, 0, 50)
    desk.taps.records += [record(tag, packet) for packet in ear]
    data = desk.end(number, 1.0)
    with wave.open(str(desk.folder / "acme" / data["file"])) as file:
        assert (file.getframerate(), file.getnframes()) == (16000, 16000)
        sound = np.frombuffer(file.readframes(16000), np.int16).reshape(-1, 2)
    assert share(sound[:, 0], CALLER, 16000) > 0.95
    assert share(sound[:, 1], 3000.0, 16000) > 0.95
    assert {part["source"] for part in data["parts"]} == {"packets", "conference"}


def test_what_an_ears_leg_has_lost_is_marked(desk: Desk) -> None:
    """Its packets come as well, to be counted: Opus, of which the recorder hears the sound in the conference."""
    number = desk.begin()
    recorder, tag = desk.recorder, desk.recorder.tag()
    recorder.join(number, Leg(tag, 1, "agent", False, "1001", ear=True, codec="OPUS", clock=48000))
    recorder.gate(tag, True)
    for n in range(100):
        frame = tone(AGENT, n * SIZE, SIZE).astype(np.int16).tobytes()
        desk.taps.records.append(record(tag, Packet(tag, n * SIZE, n, LINEAR, BEGIN + n * 20_000 + 5000, frame)))
        desk.round(n * 0.02)
        if n not in (60, 61, 80):
            desk.taps.records.append(record(tag, Packet(9, n * 960, n, 96, BEGIN + n * 20_000, bytes(40))))
            desk.round(n * 0.02)
    data = desk.end(number, 2.0)
    assert share(heard(desk.folder / "acme" / data["file"])[1], AGENT) > 0.95
    assert data["losses"] == [
        {"part": 1, "at": 1.2, "seconds": 0.04, "packets": 2},
        {"part": 1, "at": 1.6, "seconds": 0.02, "packets": 1},
    ]
    [part] = data["parts"]
    counted = {key: part["counted"][key] for key in ("packets", "lost", "streams")}
    assert (part["source"], part["codec"]) == ("conference", "OPUS")
    assert counted == {"packets": 97, "lost": 3, "streams": 1}


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_opus_is_read_by_ffmpeg_channel_by_channel(desk: Desk, sealed: bool) -> None:
    """Ogg Opus: both channels, the right length, a tenth of the size; a sealed one once it is opened."""
    number = desk.begin(form="opus", keys=KEY if sealed else None)
    tags = [desk.join(number, n, left=not n) for n in range(2)]
    for tag, hz in zip(tags, (CALLER, AGENT), strict=True):
        desk.taps.say(tag, hz, 0, 250)
    for turn in range(1, 25):
        desk.round(turn / 5)
    data = desk.end(number, 5.0)
    path = desk.folder / "acme" / data["file"]
    assert path.stat().st_size < 5 * 32000 / 8
    if sealed:
        with Sealed(path, KEY) as opened:
            (plain := path.with_suffix("")).write_bytes(opened.read())
        path = plain
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ar", "8000", "-"]
    made = subprocess.run(command, check=True, capture_output=True)
    assert not made.stderr
    sound = np.frombuffer(made.stdout, np.int16).reshape(-1, 2)
    assert abs(len(sound) - 5 * RATE) <= 8
    for channel, hz, other in ((0, CALLER, AGENT), (1, AGENT, CALLER)):
        assert share(sound[:, channel], hz) > 0.9
        assert share(sound[:, channel], other) < 0.02


def test_a_page_of_ogg_has_the_checksum_of_rfc_3533() -> None:
    """CRC-32/MPEG-2's polynomial, begun with 0 and not turned: its check value for the nine digits."""
    assert checksum(b"123456789") == 0x89A1897F


def test_a_sealed_file_is_read_with_its_key_alone_and_tells_what_was_changed(tmp_path: Path) -> None:
    path, sound = tmp_path / "one", os.urandom(3 * CHUNK + 77)
    file = SealedFile(path, KEY)
    for at in range(0, len(sound), 5000):
        file.write(sound[at : at + 5000])
        file.flush()
    file.rewrite(4, b"four")
    file.close()
    expected = sound[:4] + b"four" + sound[8:]
    other = Keys([bytes(32)])
    both = Keys([bytes(32), bytes(range(32))])
    for keys in (KEY, both):
        with Sealed(path, keys) as opened:
            assert (opened.read(), opened.length, opened.complete) == (expected, len(sound), True)
            assert opened.read(CHUNK - 10, 20) == expected[CHUNK - 10 : CHUNK + 10]
    with pytest.raises(NoKey):
        Sealed(path, other)
    whole = path.read_bytes()
    assert expected[:100] not in whole
    for at in (0, 10, 35, 45, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(BadSeal), Sealed(path, KEY) as opened:
            opened.read()
    for cut in (whole[:-1], whole[: -77 - 28], whole[:50], whole + whole[-105:]):
        path.write_bytes(cut)
        with pytest.raises(BadSeal), Sealed(path, KEY) as opened:
            opened.read()
    step = CHUNK + 28
    path.write_bytes(whole[:68] + whole[68 + step : 68 + 2 * step] + whole[68 : 68 + step] + whole[68 + 2 * step :])
    with pytest.raises(BadSeal), Sealed(path, KEY) as opened:
        opened.read()


@pytest.mark.parametrize("text", ["", "zz", "00" * 31, "# only a comment"])
def test_a_key_file_without_a_good_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(ValueError, match="key"):
        Keys.of_file(tmp_path / "keys")


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    """No file grows beyond so many octets: the kernel says EFBIG, as it says ENOSPC on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_a_full_disk_ends_the_recording_and_what_is_there_is_whole(desk: Desk, sealed: bool) -> None:
    """Python ignores SIGXFSZ, so a file at its limit is an OSError like any other."""
    number = desk.begin(keys=KEY if sealed else None)
    caller = desk.join(number, 0, left=True)
    desk.taps.say(caller, CALLER, 0, 250)
    desk.round(0.5)
    with no_room_beyond(40_000):
        for turn in range(2, 12):
            desk.round(turn / 2)
    desk.recorder.stop()
    failed = [news for news in desk.news if isinstance(news, Failed)]
    assert [news.full for news in failed] == [True]
    assert isinstance(desk.news[-1], Finished)
    data = index.read(desk.folder / "acme", CALL)
    assert data is not None
    assert "too large" in data["cut_off"]
    path = desk.folder / "acme" / data["file"]
    if sealed:
        with Sealed(path, KEY) as opened:
            assert opened.length % CHUNK == 0
            (plain := path.with_suffix("")).write_bytes(opened.read())
        path = plain
    left, _ = heard(path)
    assert len(left) > 2000
    assert share(left, CALLER) > 0.95


def test_room_that_others_need_is_not_taken(tmp_path: Path) -> None:
    desk = Desk(tmp_path, keep_free=1 << 60)
    desk.begin()
    desk.round(0.1)
    desk.recorder.stop()
    assert [type(news) for news in desk.news] == [Failed]
    assert not list(tmp_path.glob("**/*"))


def test_a_folder_that_cannot_be_made_fails_one_recording_only(desk: Desk) -> None:
    (desk.folder / "beta").write_text("a file")
    desk.begin(folder=desk.folder / "beta", call=CALL.replace("5f", "60"))
    number = desk.begin()
    desk.round(0.5)
    assert [type(news) for news in desk.news].count(Failed) == 1
    assert desk.end(number, 1.0)["seconds"] == 1.0


def test_packets_that_found_no_room_are_counted(desk: Desk) -> None:
    number = desk.begin()
    desk.join(number, 0, left=True)
    desk.taps.lost = 12
    desk.round(0.5)
    data = desk.end(number, 1.0)
    assert (desk.recorder.overrun, data["overrun"]) == (12, 12)


CRASH = """
import os, sys
from pathlib import Path
from tests.unit.media.recorder_desk import AGENT, CALLER, KEY, Desk
desk = Desk(Path(sys.argv[1]))
number = desk.begin(form=sys.argv[2], keys=KEY if sys.argv[3] else None)
tags = [desk.join(number, n, left=not n) for n in range(2)]
for tag, hz in zip(tags, (CALLER, AGENT)):
    desk.taps.say(tag, hz, 0, 250)
for turn in range(1, 21):
    desk.round(turn / 4)
os._exit(9)
"""


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
@pytest.mark.parametrize("form", ["wav", "opus"])
def test_a_crash_leaves_a_file_that_plays_once_it_is_mended(tmp_path: Path, form: str, sealed: bool) -> None:
    """All but the last second and a half is there."""
    child = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path), form, "sealed" if sealed else ""])
    assert child.returncode == 9
    folder = tmp_path / "acme"
    data = index.read(folder, CALL)
    assert data is not None
    assert not data["complete"]
    mend(folder, data, KEY)
    data = index.read(folder, CALL)
    assert data is not None
    assert (data["complete"], data["cut_off"]) == (True, CRASHED)
    assert 3.4 <= data["seconds"] <= 4.6
    path = folder / data["file"]
    assert data["sha256"] == index.checksum(path)
    if sealed:
        with Sealed(path, KEY) as opened:
            assert opened.complete
            (plain := path.with_suffix("")).write_bytes(opened.read())
        path = plain
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "s16le", "-ar", "8000", "-"]
    sound = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.int16).reshape(-1, 2)
    assert share(sound[:, 0], CALLER) > 0.9
    assert share(sound[:, 1], AGENT) > 0.9
    assert abs(len(sound) / RATE - data["seconds"]) < 0.1


def test_the_thread_writes_by_itself_and_stops_with_whole_files(tmp_path: Path) -> None:
    """Nobody turns its rounds here; the file is there soon, and whole when `stop` comes back."""
    taps, news = MadeUp(), list[News]()
    recorder = Recorder(taps)
    recorder.start()
    begin = time.monotonic_ns() // 1000
    order = Order(CALL, "acme", tmp_path, "wav", RATE, begin, time.time())
    number, tag = recorder.begin(order, news.append), recorder.tag()
    recorder.join(number, Leg(tag, 0, "caller", True))
    recorder.gate(tag, True)
    sound = encode(tone(CALLER, 0, SIZE), "PCMA")
    taps.records = [record(tag, Packet(7, n * SIZE, n, 8, begin + n * 20_000, sound)) for n in range(10)]
    until = time.monotonic() + 10
    while not (tmp_path / f"{CALL}.wav").exists() or (tmp_path / f"{CALL}.wav").stat().st_size < 2000:
        assert time.monotonic() < until
        time.sleep(0.01)
    recorder.end(number)
    recorder.stop()
    assert isinstance(news[-1], Finished)
    data = json.loads((tmp_path / f"{CALL}.json").read_text())
    assert data["complete"]
    assert data["parts"][0]["counted"]["packets"] == 10
