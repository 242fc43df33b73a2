"""Recorded files first, else a program that speaks each text once; whatever it does, a caller is not kept."""

import asyncio
import sys
from pathlib import Path

import pytest

from b2bua.settings import Speech
from b2bua.voices import Voices
from media import wav
from media.tones import BEEP, cadence_samples
from routing.goal import Goal
from routing.mailbox import Mailbox
from routing.menu import Menu, To
from routing.plan import Plan
from routing.spoken import Piece

SPEAKER = """
import sys, time, wave
text, file, log = sys.stdin.read(), sys.argv[1], sys.argv[2]
open(log, "a").write(sys.argv[3] + " " + text + "\\n")
if "slow" in text:
    time.sleep(30)
if "fail" in text:
    sys.exit("cannot say this")
with wave.open(file, "wb") as made:
    made.setnchannels(1); made.setsampwidth(2); made.setframerate(8000)
    made.writeframes(b"" if "silence" in text else b"\\1\\2" * 800)
"""


def voices(folder: Path, *, command: list[str] | None = None, deadline: float = 5.0, keep: int = 100) -> Voices:
    script = folder / "speaker.py"
    script.write_text(SPEAKER)
    speaker = [sys.executable, str(script), "{file}", str(folder / "log"), "{language}"]
    settings = Speech(command=speaker if command is None else command, deadline=deadline, keep_files=keep)
    return Voices(settings, folder / "sounds", folder / "speech")


def spoken(folder: Path) -> list[str]:
    log = folder / "log"
    return log.read_text().splitlines() if log.exists() else []


def record(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    wav.write(path, cadence_samples(BEEP, 8000), 8000)
    return path


async def test_a_text_is_spoken_once_whoever_wants_it(tmp_path: Path) -> None:
    made = voices(tmp_path)
    pieces = [Piece(text="hello"), Piece(text="hello"), Piece(text="good bye")]
    files = await made.files(pieces, "en")
    assert files[0] == files[1] != files[2]
    assert sorted(spoken(tmp_path)) == ["en good bye", "en hello"]
    assert await made.file(Piece(text="hello"), "de") not in files, "another language is another file"
    again = voices(tmp_path)
    assert await again.file(Piece(text="hello"), "en") == files[0]
    assert len(spoken(tmp_path)) == 3, "what an earlier run has spoken is there"
    assert not list((tmp_path / "speech").glob(".*")), "no draft is left"


async def test_a_recorded_file_comes_first_and_the_languages_own_before_all(tmp_path: Path) -> None:
    made = voices(tmp_path)
    piece = Piece("queue/next.wav", "You are next.")
    assert (await made.file(piece, "de-at")) not in (None, tmp_path / "sounds" / "queue" / "next.wav")
    common = record(tmp_path / "sounds" / "queue" / "next.wav")
    assert await made.file(piece, "de-at") == common
    german = record(tmp_path / "sounds" / "de" / "queue" / "next.wav")
    assert await made.file(piece, "de-at") == german
    assert await made.file(piece, "en") == common
    german.write_bytes(b"no sound")
    assert await made.file(piece, "de") == common, "a file that does not play is none"


@pytest.mark.parametrize("text", ["slow", "fail", "silence"])
async def test_a_program_that_does_not_speak_costs_its_deadline_and_nothing_else(tmp_path: Path, text: str) -> None:
    made = voices(tmp_path, deadline=1.0 if text == "slow" else 5.0)
    async with asyncio.timeout(4):
        assert await made.file(Piece(text=text), "en") is None
    assert made.failed == 1
    assert not list((tmp_path / "speech").iterdir())


async def test_without_a_program_or_file_nothing_is_heard(tmp_path: Path) -> None:
    made = voices(tmp_path, command=[])
    assert await made.files([Piece(text="hello"), Piece(file="no.wav"), Piece(file="../x.wav"), Piece()], "en") == []
    assert made.failed == 3
    missing = voices(tmp_path, command=["/no/such/program"])
    assert await missing.file(Piece(text="hello"), "en") is None


async def test_the_oldest_texts_make_room(tmp_path: Path) -> None:
    made = voices(tmp_path, keep=10)
    for number in range(12):
        assert await made.file(Piece(text=f"number {number}"), "en")
    assert len(list((tmp_path / "speech").glob("*.wav"))) <= 10
    assert await made.file(Piece(text="number 0"), "en"), "one that went is spoken again"


async def test_what_menus_say_is_spoken_before_the_first_caller(tmp_path: Path) -> None:
    texts = {"hello": {"en": "Hello.", "de": "Guten Tag."}, "order": {"en": "Order {order}."}}
    end = To("goal", Goal("hangup"))
    plans = [Plan.of(Menu("m", "m", "a", {"a": end}, texts), Mailbox("box", greeting="Speak."))]
    made = voices(tmp_path)
    rehearsing = asyncio.create_task(made.rehearse(lambda: plans[-1]))
    try:
        async with asyncio.timeout(5):
            while len(spoken(tmp_path)) < 3:
                await asyncio.sleep(0.01)
    finally:
        rehearsing.cancel()
    assert sorted(spoken(tmp_path)) == ["de Guten Tag.", "en Hello.", "en Speak."]


async def test_a_caller_who_leaves_does_not_stop_it_for_the_others(tmp_path: Path) -> None:
    made = voices(tmp_path)
    first = asyncio.create_task(made.file(Piece(text="hello"), "en"))
    second = asyncio.create_task(made.file(Piece(text="hello"), "en"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None
    assert spoken(tmp_path) == ["en hello"]


async def test_a_program_that_hangs_keeps_nobody_waiting_behind_others(tmp_path: Path) -> None:
    """Two run at once; whoever has had no turn within the deadline goes on without words."""
    made = voices(tmp_path, deadline=0.5)
    heard = await asyncio.gather(*(made.file(Piece(text=f"slow {n}"), "en") for n in range(12)))
    assert heard == [None] * 12
    assert made.failed == 12
    assert len(spoken(tmp_path)) <= 4


async def test_half_a_character_in_a_text_is_no_fault(tmp_path: Path) -> None:
    """What a caller sends may be no text at all."""
    assert await voices(tmp_path).file(Piece(text="order \udcff"), "en") is not None
    assert spoken(tmp_path) == ["en order ?"]
