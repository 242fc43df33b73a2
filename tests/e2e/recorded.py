"""What a recording says: whose sound is on which channel, and what its index tells."""

import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np

from tests.peers.server import Server
from tests.peers.sound import Pcm, loudness, share
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

RATE = 8000
BLOCK = 800
QUIET = 50.0


def heard(file: bytes | Path, folder: Path) -> tuple[Pcm, Pcm]:
    """Both channels of a WAV file of 16 bits."""
    if isinstance(file, bytes):
        path = folder / "fetched.wav"
        path.write_bytes(file)
        file = path
    with wave.open(str(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, RATE)
        frames = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1, 2)
    return frames[:, 0], frames[:, 1]


def decoded(file: Path) -> tuple[Pcm, Pcm]:
    """Both channels of any sound file that ffmpeg reads."""
    command = ["ffmpeg", "-v", "error", "-i", str(file), "-f", "s16le", "-ar", str(RATE), "-"]
    made = subprocess.run(command, check=True, capture_output=True)
    frames = np.frombuffer(made.stdout, np.int16).reshape(-1, 2)
    return frames[:, 0], frames[:, 1]


def quiet_for(sound: Pcm, blocks: int = 5) -> bool:
    """Whether there is silence in it for so many tenths of a second in a row."""
    quiet = [loudness(sound[at : at + BLOCK]) < QUIET for at in range(0, len(sound) - BLOCK, BLOCK)]
    return any(all(quiet[at : at + blocks]) for at in range(len(quiet) - blocks + 1))


def only(sound: Pcm, mine: Caller | Phone, *others: Caller | Phone) -> None:
    """One end's tone is in it, and no other's."""
    assert mine.sound.tone
    assert share(sound, mine.sound.tone) > 0.8
    for other in others:
        assert other.sound.tone
        assert share(sound, other.sound.tone) < 0.05


async def complete(server: Server, call: str) -> dict[str, Any]:
    """The recording of a call, once it is whole."""

    async def whole() -> dict[str, Any]:
        found: list[dict[str, Any]] = (await server.api.get("/v1/recordings", call=call))["recordings"]
        return found[0] if len(found) == 1 and found[0]["complete"] else {}

    return await eventually_true(whole, f"a whole recording of {call}")


async def index_of(server: Server, name: str) -> dict[str, Any]:
    found: dict[str, Any] = await server.api.get(f"/v1/recordings/{name}/index")
    return found


async def grown(folder: Path, seconds: float) -> None:
    """Until this much more sound than now is in the one WAV file there."""

    def written() -> int:
        return sum(path.stat().st_size for path in folder.glob("*/*.wav"))

    wanted = written() + seconds * RATE * 4
    await eventually(lambda: written() > wanted, f"{seconds} s more")
