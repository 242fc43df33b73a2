"""Recording: one mono WAV file for each leg, named by the call's id, paused without losing step, kept for a time."""

import os
import wave
from pathlib import Path
from typing import Any

import numpy as np

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, end, talking
from tests.e2e.queues import come, open_number, open_queue, staff, waiting
from tests.peers.server import Server
from tests.peers.sound import Pcm, loudness, share, tone
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

RATE = 8000


def heard(file: bytes | Path, folder: Path) -> Pcm:
    """The samples of a WAV file, which must be mono with 16 bits."""
    if isinstance(file, bytes):
        path = folder / "fetched.wav"
        path.write_bytes(file)
        file = path
    with wave.open(str(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, RATE)
        return np.frombuffer(sound.readframes(sound.getnframes()), np.int16)


async def complete(server: Server, call: str, files: int = 2) -> list[dict[str, Any]]:
    """The recordings of a call, once they are whole."""

    async def whole() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await server.api.get("/v1/recordings", call=call))["recordings"]
        return found if len(found) == files and all(file["complete"] for file in found) else []

    return await eventually_true(whole, f"{files} whole recordings of {call}")


async def grown(folder: Path, seconds: float, files: int = 2) -> None:
    """Until this much more sound than now is in each file on the disk; PJSIP writes a quarter of a second at a time."""

    def written() -> dict[Path, int]:
        return {path: path.stat().st_size for path in folder.glob("*/*.wav")}

    before = written()
    wanted = seconds * RATE * 2
    await eventually(
        lambda: sum(size - before.get(path, 0) > wanted for path, size in written().items()) == files,
        f"{seconds} s more in {files} files",
    )


async def test_each_leg_of_a_call_is_in_a_file_of_its_own_when_the_api_asks_for_it(
    server: Server, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """Recording, start, pause and resume by API: each file has its own leg's tone, and silence while it was paused."""
    await talking(server, caller, phone)
    listener = await server.listen()
    [live] = await server.api.calls()
    call, folder = live["id"], server.data / "recordings"
    assert live["recording"] == "off"
    await server.api.request("PUT", f"/v1/calls/{call}/recording", {"state": "on"})
    begun = await listener.expect("call.recording", call=call)
    names = [f"{call}-0-caller.wav", f"{call}-1-agent.wav"]
    assert begun["data"] | {"by": ""} == {"tenant": "acme", "state": "on", "by": "", "files": names}
    await grown(folder, 0.6)
    being_written = await server.api.http.get(f"/v1/recordings/{names[0]}")
    assert being_written.status_code == 409
    await server.api.request("PUT", f"/v1/calls/{call}/recording", {"state": "paused"})
    await listener.expect("call.recording", call=call)
    assert (await server.api.calls())[0]["recording"] == "paused"
    await grown(folder, 0.9)
    await server.api.request("PUT", f"/v1/calls/{call}/recording", {"state": "on"})
    await listener.expect("call.recording", call=call)
    await grown(folder, 0.9)
    await end(caller, phone)

    files = await complete(server, call)
    assert [(file["name"], file["role"], file["tenant"]) for file in files] == [
        (names[0], "caller", "acme"),
        (names[1], "agent", "acme"),
    ]
    for file, mine, other in zip(files, (caller, phone), (phone, caller), strict=True):
        answer = await server.api.http.get(f"/v1/recordings/{file['name']}")
        assert answer.headers["content-type"] == "audio/wav"
        sound = heard(answer.content, tmp_path)
        assert len(sound) / RATE >= 2.0
        assert mine.sound.tone
        assert other.sound.tone
        assert share(sound[: RATE // 2], mine.sound.tone) > 0.8
        assert share(sound[: RATE // 2], other.sound.tone) < 0.05
        blocks = [loudness(sound[at : at + 800]) for at in range(0, len(sound) - 800, 800)]
        assert blocks[-2] > 500
        assert any(all(block < 50 for block in blocks[at : at + 5]) for at in range(len(blocks))), blocks
    assert (await server.api.cdr())["detail"]["recordings"] == names
    part = await server.api.http.get(f"/v1/recordings/{names[0]}", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")

    other_tenant = await server.api.add_tenant("beta", "7002", billing_numbers=["02088880001"])
    key = await server.api.post("/v1/api-keys", {"name": "beta", "role": "tenant", "tenant": other_tenant["id"]})
    stranger = server.api_as(key["secret"])
    assert (await stranger.get("/v1/recordings"))["recordings"] == []
    assert (await stranger.http.get(f"/v1/recordings/{names[0]}")).status_code == 404
    await server.api.delete(f"/v1/recordings/{names[0]}")
    assert [file["name"] for file in (await server.api.get("/v1/recordings", limit=1))["recordings"]] == [names[1]]


async def test_every_call_is_recorded_from_the_end_of_the_announcement_on(
    start_server: StartServer, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """Recording, announcement and retention: both hear it before anything is kept; a crash leaves files that play."""
    announcement = tmp_path / "recorded.wav"
    with wave.open(str(announcement), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(tone(2345.0, 0, RATE).astype("<i2").tobytes())
    folder = tmp_path / "kept"
    recording = {"when": "always", "announcement": str(announcement), "folder": str(folder), "keep_days": 1}
    server = await start_server({"recording": recording})
    await server.api.furnish(phone.uri)
    await call_again(server, caller)
    await phone.answers()
    await caller.answered()
    caller.sound.pause()
    phone.sound.pause()
    await caller.sound.expect_tone(2345.0)
    await phone.sound.expect_tone(2345.0)
    caller.sound.resume()
    phone.sound.resume()
    await grown(folder, 2.2)
    call = (await server.api.calls())[0]["id"]
    server.kill9()
    old = folder / "acme" / f"{'0' * 8}-0000-7000-8000-{'0' * 12}-0-caller.wav"
    old.write_bytes(b"RIFF")
    os.utime(old, (0, 0))
    await server.start()
    await eventually(lambda: not old.exists(), "the old file is deleted")
    for name, peer in ((f"{call}-0-caller.wav", caller), (f"{call}-1-agent.wav", phone)):
        sound = heard(folder / "acme" / name, tmp_path)
        assert peer.sound.tone
        assert loudness(sound[: RATE // 2]) < 50
        assert share(sound[-RATE // 2 :], peer.sound.tone) > 0.8


async def test_who_waits_again_is_not_recorded_until_somebody_talks_to_him(
    server: Server, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """Recording over a transfer: silence in the caller's file while he waits, a file of his own for the next agent."""
    await open_queue(server, record=True, wrap_up=0)
    await open_queue(server, "second")
    await open_number(server)
    await staff(server, phone, "1001")
    await come(server, caller, "13800000001")
    await phone.answers()
    await caller.hears(phone)
    [live] = await server.api.calls()
    call, folder = live["id"], server.data / "recordings"
    await grown(folder, 0.6)
    await server.api.post(f"/v1/calls/{call}/transfer", {"kind": "queue", "target": "second"})
    await phone.expect("BYE")
    await waiting(server, 1, "second")
    await grown(folder, 0.9, files=1)
    async with await Phone.open("1002") as other:
        await staff(server, other, "1002", ["second"])
        await other.answers()
        await caller.hears(other)
        await grown(folder, 0.6)
        await end(caller, other)
    first, *agents = await complete(server, call, 3)
    assert [file["role"] for file in (first, *agents)] == ["caller", "agent", "agent"]
    sound = heard((await server.api.http.get(f"/v1/recordings/{first['name']}")).content, tmp_path)
    assert caller.sound.tone
    assert share(sound[: RATE // 2], caller.sound.tone) > 0.8
    assert share(sound[-RATE // 4 :], caller.sound.tone) > 0.8
    blocks = [loudness(sound[at : at + 800]) for at in range(0, len(sound) - 800, 800)]
    assert any(all(block < 50 for block in blocks[at : at + 5]) for at in range(len(blocks))), blocks
