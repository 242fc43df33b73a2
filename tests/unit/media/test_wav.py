"""WAV headers: what plays, what does not, and that nothing else than BadWave comes out of a broken one."""

import struct
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import wav
from media.wav import BadWave, WaveInfo


def header(
    kind: int = 1, channels: int = 1, rate: int = 8000, bits: int = 16, extra: bytes = b"", data: int = 1600
) -> bytes:
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits) + extra
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", data)
    return b"RIFF" + struct.pack("<I", len(body) + data) + body + bytes(data)


@pytest.mark.parametrize(
    ("made", "info"),
    [
        (header(), WaveInfo(8000, 1, 16, 800)),
        (header(channels=2), WaveInfo(8000, 2, 16, 400)),
        (header(kind=6, bits=8), WaveInfo(8000, 1, 8, 1600)),
        (header(kind=7, bits=8, rate=16000, extra=b"\0\0"), WaveInfo(16000, 1, 8, 1600)),
    ],
)
def test_what_plays_is_described(tmp_path: Path, made: bytes, info: WaveInfo) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(made)
    assert wav.inspect(path) == info


def test_other_chunks_before_the_sound_are_skipped(tmp_path: Path) -> None:
    whole = header()
    path = tmp_path / "a.wav"
    path.write_bytes(whole[:36] + b"LIST" + struct.pack("<I", 5) + b"hello\0" + whole[36:])
    assert wav.inspect(path).seconds == pytest.approx(0.1)


def test_a_file_shorter_than_it_says_has_the_length_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(header()[:-800])
    assert wav.inspect(path).frames == 400


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (b"", "not a WAV file"),
        (b"RIFF\0\0\0\0AVI ", "not a WAV file"),
        (header()[:30], "no sound"),
        (header(kind=3, bits=32), "only 16-bit linear"),
        (header(bits=8), "only 16-bit linear"),
        (header(channels=6), "6 channels"),
        (header(rate=0), "at 0 Hz"),
        (header().replace(b"fmt ", b"fmtx"), "no format before"),
    ],
)
def test_what_does_not_play_is_refused_with_a_reason(tmp_path: Path, made: bytes, why: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(made)
    with pytest.raises(BadWave, match=why):
        wav.inspect(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWave, match="No such file"):
        wav.inspect(tmp_path / "none.wav")


@given(st.binary(max_size=80), st.integers(0, 60))
def test_no_header_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.wav"
    whole = header(data=40)
    path.write_bytes(whole[:at] + junk + whole[at + len(junk) :])
    try:
        seconds = wav.inspect(path).seconds
    except BadWave:
        return
    assert seconds >= 0


def test_what_is_written_is_complete_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    wav.write(path, array("h", range(800)), 8000)
    assert wav.inspect(path) == WaveInfo(8000, 1, 16, 800)
    assert wav.is_complete(path)
    assert path.read_bytes()[44:48] == b"\0\0\1\0"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_still_being_written_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    assert not wav.is_complete(path)
    path.write_bytes(header()[:-1])
    assert not wav.is_complete(path)


def test_a_file_whose_writer_died_gets_its_lengths(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    wav.write(path, array("h", range(1000)), 8000)
    whole = path.read_bytes()
    # as PJSIP leaves it: a header that says nothing yet, and half a sample at the end
    path.write_bytes(whole[:4] + bytes(4) + whole[8:40] + bytes(4) + whole[44:] + b"\x01")
    assert not wav.is_complete(path)
    assert wav.mend(path)
    assert path.read_bytes() == whole
    assert not wav.mend(path)


def test_a_file_longer_than_its_header_can_say_is_mended_all_the_same(tmp_path: Path) -> None:
    """RIFF counts 32 bits; a day and a half of stereo is more.  Nothing of it is cut off; it is sparse on the disk."""
    path = tmp_path / "long.wav"
    wav.write(path, array("h", range(1000)), 8000)
    size = 44 + 5 * 2**30
    with path.open("r+b") as file:
        file.truncate(size + 1)
    assert wav.mend(path)
    assert path.stat().st_size == size
    with path.open("rb") as file:
        head = file.read(44)
    assert head[4:8] == head[40:44] == b"\xff\xff\xff\xff"
    assert wav.inspect(path).frames == 0xFFFFFFFF // 2


def test_what_is_no_wav_file_is_not_mended(tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_bytes(b"RIFF?")
    assert not wav.mend(path)
    assert path.read_bytes() == b"RIFF?"
