"""A desk on a back end that takes notes, and files to play."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media import BEEP, Desk, wav
from media.tones import cadence_samples
from tests.unit.media.back import Notes


@pytest.fixture
def back() -> Notes:
    return Notes()


@pytest.fixture
async def desk(back: Notes, tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(back, tmp_path / "tones")
    yield desk
    desk.close()


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    """A WAV file of 0.2 s."""
    path = tmp_path / "prompt.wav"
    wav.write(path, cadence_samples(BEEP, 8000), 8000)
    return path
