"""Recording: one file for each call, the caller left and his agents right, with an index, kept for a time."""

import asyncio
import json
import os
import re
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from b2bua.cli import make_app
from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_again, end, hear_each_other, shared_server, talking
from tests.e2e.queues import come, open_number, open_queue, staff, waiting
from tests.e2e.recorded import QUIET, RATE, complete, decoded, grown, heard, index_of, only, quiet_for
from tests.e2e.test_transcoding import call as coded_call
from tests.e2e.test_transcoding import voice
from tests.peers.api import TENANT
from tests.peers.coded import CodedRtp
from tests.peers.configuration import Changes
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.server import Server, Template
from tests.peers.sound import loudness, share, tone
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true


async def test_the_sides_of_a_call_are_the_channels_of_one_file_when_the_api_asks_for_it(
    server: Server, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """Start, pause and resume by API: each channel has its own tone, silence while paused; lost packets are marked."""
    await talking(server, caller, phone)
    listener = await server.listen()
    [live] = await server.api.calls()
    call, folder = live["id"], server.data / "recordings"
    assert live["recording"] == "off"
    await server.api.request("PUT", f"/v1/calls/{call}/recording", {"state": "on"})
    begun = await listener.expect("call.recording", call=call)
    assert (await server.api.calls())[0]["path"] == "relay"
    name = f"{call}.wav"
    assert begun["data"] | {"by": ""} == {"tenant": "acme", "state": "on", "by": "", "files": [name]}
    await grown(folder, 0.6)
    caller.sound.sequence += 3
    caller.sound.timestamp += 3 * 160
    being_written = await server.api.http.get(f"/v1/recordings/{name}")
    assert being_written.status_code == 409
    await server.api.request("PUT", f"/v1/calls/{call}/recording", {"state": "paused"})
    await listener.expect("call.recording", call=call)
    assert (await server.api.calls())[0]["recording"] == "paused"
    await grown(folder, 0.9)
    await server.api.request("PUT", f"/v1/calls/{call}/recording", {"state": "on"})
    await listener.expect("call.recording", call=call)
    await grown(folder, 0.9)
    await end(caller, phone)

    recorded = await listener.expect("call.recorded", call=call)
    file = await complete(server, call)
    kept = ("name", "role", "tenant", "format", "encrypted", "cut_off")
    assert {key: file[key] for key in kept} == dict(zip(kept, (name, None, "acme", "wav", False, None), strict=True))
    assert (recorded["data"]["file"], recorded["data"]["sha256"]) == (name, file["sha256"])
    answer = await server.api.http.get(f"/v1/recordings/{name}")
    assert answer.headers["content-type"] == "audio/wav"
    left, right = heard(answer.content, tmp_path)
    assert len(left) / RATE >= 2.0
    for channel, mine, other in ((left, caller, phone), (right, phone, caller)):
        only(channel[: RATE // 2], mine, other)
        only(channel[-RATE // 4 :], mine, other)
        assert quiet_for(channel)
    index = await index_of(server, name)
    assert [(part["role"], part["channel"], part["codec"], part["source"]) for part in index["parts"]] == [
        ("caller", "left", "PCMA", "packets"),
        ("agent", "right", "PCMA", "packets"),
    ]
    assert index["parts"][1]["extension"] == "1001"
    assert [(loss["part"], loss["packets"], loss["seconds"]) for loss in index["losses"]] == [(0, 3, 0.06)]
    [pause] = index["pauses"]
    assert 0.5 < pause["to"] - pause["from"] < index["seconds"]
    assert quiet_for(left[round(pause["from"] * RATE) : round(pause["to"] * RATE)], 4)

    async def with_checksum() -> dict[str, Any]:
        record = await server.api.cdr()
        return record if "recording_sha256" in record["detail"] else {}

    record = await eventually_true(with_checksum, "the checksum in the call record")
    assert record["detail"]["recordings"] == [name]
    assert record["detail"]["recording_sha256"] == {name: file["sha256"]}
    part = await server.api.http.get(f"/v1/recordings/{name}", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")

    other_tenant = await server.api.add_tenant("beta", "7002", billing_numbers=["02088880001"])
    key = await server.api.post("/v1/api-keys", {"name": "beta", "role": "tenant", "tenant": other_tenant["id"]})
    stranger = server.api_as(key["secret"])
    assert (await stranger.get("/v1/recordings"))["recordings"] == []
    assert (await stranger.http.get(f"/v1/recordings/{name}")).status_code == 404
    assert (await stranger.http.get(f"/v1/recordings/{name}/index")).status_code == 404
    await server.api.delete(f"/v1/recordings/{name}")
    assert (await server.api.get("/v1/recordings", call=call))["recordings"] == []
    assert not list(folder.glob(f"*/{call}*"))


async def test_every_call_is_recorded_from_the_end_of_the_announcement_on(
    start_server: StartServer, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """Announcement and retention: both hear it before anything is kept; a crash leaves a file that plays."""
    announcement = tmp_path / "recorded.wav"
    with wave.open(str(announcement), "wb") as spoken:
        spoken.setnchannels(1)
        spoken.setsampwidth(2)
        spoken.setframerate(RATE)
        spoken.writeframes(tone(2345.0, 0, RATE).astype("<i2").tobytes())
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
    await hear_each_other(caller, phone)
    await grown(folder, 1.6)
    call = (await server.api.calls())[0]["id"]
    server.kill9()
    old = folder / "acme" / f"{'0' * 8}-0000-7000-8000-{'0' * 12}-0-caller.wav"
    old.write_bytes(b"RIFF")
    os.utime(old, (0, 0))
    await server.start()
    await eventually(lambda: not old.exists(), "the old file is deleted")
    file = await complete(server, call)
    assert file["cut_off"] == "the server went down"
    for sound, peer in zip(heard(folder / "acme" / file["name"], tmp_path), (caller, phone), strict=True):
        assert peer.sound.tone
        assert loudness(sound[: RATE // 2]) < QUIET
        assert share(sound[-RATE // 2 :], peer.sound.tone) > 0.8


async def test_two_agents_one_after_the_other_are_on_one_channel(
    server: Server, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """A transfer: silence left while the caller waits, the next agent on the right channel, both in the index."""
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
    await grown(folder, 0.9)
    async with await Phone.open("1002") as other:
        await staff(server, other, "1002", ["second"])
        await other.answers()
        await caller.hears(other)
        await grown(folder, 0.6)
        await end(caller, other)
        file = await complete(server, call)
        left, right = heard((await server.api.http.get(f"/v1/recordings/{file['name']}")).content, tmp_path)
        only(left[: RATE // 2], caller, phone, other)
        only(left[-RATE // 4 :], caller, phone, other)
        only(right[: RATE // 2], phone, caller, other)
        only(right[-RATE // 4 :], other, caller, phone)
        assert quiet_for(left)
        assert quiet_for(right)
    parts = (await index_of(server, file["name"]))["parts"]
    assert [(part["role"], part["extension"], part["channel"]) for part in parts] == [
        ("caller", "", "left"),
        ("agent", "1001", "right"),
        ("agent", "1002", "right"),
    ]
    assert parts[1]["to"] <= parts[2]["from"]


async def test_a_supervisor_is_recorded_when_all_hear_him_and_not_when_he_whispers(
    server: Server, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """Barge-in: he is on the agents' channel, as a part of the index; before that he hears, and is not heard."""
    async with await Phone.open("1003") as chief:
        await talking(server, caller, phone)
        await staff(server, chief, "1003", (), monitors="all")
        [live] = await server.api.calls()
        call, folder = live["id"], server.data / "recordings"
        await server.api.request("PUT", f"/v1/calls/{call}/recording", {"state": "on"})
        await server.api.post(f"/v1/calls/{call}/monitor", {"supervisor": "1003", "mode": "whisper"})
        await chief.answers()
        await grown(folder, 0.8)
        await server.api.patch(f"/v1/calls/{call}/monitor", {"supervisor": "1003", "mode": "barge"})
        await grown(folder, 1.2)
        await end(caller, phone)
        file = await complete(server, call)
        left, right = heard((await server.api.http.get(f"/v1/recordings/{file['name']}")).content, tmp_path)
        only(left, caller, phone, chief)
        only(right[: RATE // 2], phone, caller, chief)
        assert phone.sound.tone
        assert chief.sound.tone
        last = right[-RATE // 2 : -RATE // 8]
        assert share(last, phone.sound.tone) > 0.3
        assert share(last, chief.sound.tone) > 0.3
    parts = (await index_of(server, file["name"]))["parts"]
    assert [(part["role"], part["channel"]) for part in parts] == [
        ("caller", "left"), ("agent", "right"), ("supervisor", "right"),
    ]  # fmt: skip


def tandem(*words: str) -> Result:
    """A command that needs no server, in this process: another one would take seconds to start."""
    return CliRunner().invoke(make_app(lambda settings: None), words)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text("ab" * 32 + "\n")
    return file


@pytest.fixture
async def sealing(pool: list[Server], key_file: Path, template: Template) -> AsyncIterator[Server]:
    """A server that keeps what it records as encrypted Opus."""
    recording = {"format": "opus", "key_file": str(key_file)}
    config: Changes = {
        "media": {"codecs": ["PCMA", "G722"]},
        "recording": recording,
        "listeners.inside": {"srtp": "optional", "srtp_plain_signalling": True},
    }
    async with shared_server(pool, key_file.parent, config, template) as server:
        yield server


async def test_a_tenants_calls_are_kept_as_opus_that_nobody_reads_without_the_key(
    sealing: Server, caller: Caller, phone: Phone, key_file: Path, tmp_path: Path
) -> None:
    """Tenant with `record`, encryption at rest, hold in the index; the API and `tandem recordings` decrypt."""
    server = sealing
    await server.api.furnish(phone.uri, record=True)
    await call_again(server, caller)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    listener = await server.listen()
    [live] = await server.api.calls()
    call = live["id"]
    assert live["recording"] == "on"
    await phone.hold("sendonly")
    await listener.expect("call.held", call=call)
    await phone.hold("sendrecv")
    await listener.expect("call.resumed", call=call)
    await caller.hears(phone)
    await end(caller, phone)
    file = await complete(server, call)
    assert (file["name"], file["format"], file["encrypted"]) == (f"{call}.opus.enc", "opus", True)
    path = server.data / "recordings" / TENANT / file["name"]
    assert b"OggS" not in path.read_bytes()
    fetched = await server.api.http.get(f"/v1/recordings/{file['name']}")
    assert (fetched.status_code, fetched.headers["content-type"]) == (200, "audio/ogg")
    (plain := tmp_path / "fetched.opus").write_bytes(fetched.content)
    left, right = decoded(plain)
    only(left[: RATE // 2], caller, phone)
    only(right[: RATE // 4], phone, caller)
    part = await server.api.http.get(f"/v1/recordings/{file['name']}", headers={"Range": "bytes=8-15"})
    assert (part.status_code, part.content) == (206, fetched.content[8:16])
    assert part.headers["content-range"] == f"bytes 8-15/{len(fetched.content)}"
    past = await server.api.http.get(f"/v1/recordings/{file['name']}", headers={"Range": "bytes=99999999-"})
    assert past.status_code == 416
    index = await index_of(server, file["name"])
    assert [hold["by"] for hold in index["holds"]] == ["agent 1"]

    assert tandem("recordings", "verify", str(path), "--key-file", str(key_file)).exit_code == 0
    opened = tandem("recordings", "decrypt", str(path), "--key-file", str(key_file), "-o", str(plain))
    assert opened.exit_code == 0, opened.stderr
    assert plain.read_bytes() == fetched.content
    (other := tmp_path / "other").write_text("cd" * 32 + "\n")
    refused = tandem("recordings", "decrypt", str(path), "--key-file", str(other), "-o", str(plain))
    assert refused.exit_code == 1
    assert "not among ours" in refused.stderr
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 2] ^= 1
    path.write_bytes(changed)
    told = tandem("recordings", "verify", str(path))
    assert told.exit_code == 1
    assert "checksum" in told.stderr


async def test_a_codec_that_the_recorder_does_not_read_is_heard_in_the_conference(
    sealing: Server, tmp_path: Path
) -> None:
    """G.722 on one side: what it says comes from the conference, what the other side says from its packets; what is
    lost is marked on both."""
    ends = CodedRtp("G722", tone=600.0), CodedRtp("PCMA", tone=1000.0)
    ends[0].drop, ends[1].drop = frozenset(range(3, 100, 10)), frozenset(range(7, 100, 10))
    async with coded_call(sealing, 1, *ends) as pair:
        [live] = await sealing.api.calls()
        await sealing.api.request("PUT", f"/v1/calls/{live['id']}/recording", {"state": "on"})
        await asyncio.gather(voice(pair.caller).hear(), voice(pair.phone).hear())  # the first words, however they sound
        await pair.expect_both()
        [live] = await sealing.api.calls()
        assert (live["path"], live["recording"]) == ("conference", "on")
    file = await complete(sealing, live["id"])
    (plain := tmp_path / "fetched.opus").write_bytes(
        (await sealing.api.http.get(f"/v1/recordings/{file['name']}")).content
    )
    left, right = decoded(plain)
    assert share(left[-RATE // 2 :], 600.0) > 0.9
    assert share(right[-RATE // 2 :], 1000.0) > 0.9
    index = await index_of(sealing, file["name"])
    parts = index["parts"]
    assert {(part["role"], part["source"], part["codec"]) for part in parts} == {
        ("caller", "conference", "G722"),
        ("agent", "packets", "PCMA"),
    }
    for part in parts:
        losses = [loss for loss in index["losses"] if loss["part"] == part["part"]]
        assert len(losses) == part["counted"]["lost"] >= 5
        assert {(loss["packets"], loss["seconds"]) for loss in losses} == {(1, 0.02)}
        gaps = [b["at"] - a["at"] for a, b in pairwise(losses)]
        assert gaps == pytest.approx([0.2] * len(gaps), abs=0.01)


async def test_a_leg_that_is_encrypted_on_its_way_is_recorded_as_what_was_said(
    sealing: Server, open_pjsip: Callable[..., Awaitable[PjsipPhone]], caller: Caller, tmp_path: Path
) -> None:
    """SRTP on the agent's leg: his packets are taken once they are decrypted."""
    phone = await open_pjsip("1001", answer=200, srtp="optional", keys=["sdes"])
    await sealing.api.furnish(phone.uri, record=True)
    await call_again(sealing, caller)
    assert b"a=crypto:" in (await phone.rings()).sip.body
    await caller.answered()
    await caller.hears(phone.tone)
    await phone.hears(caller.sound.tone or 0.0)
    [live] = await sealing.api.calls()
    await (await caller.bye()).expect(200)
    await phone.ended()
    file = await complete(sealing, live["id"])
    (plain := tmp_path / "fetched.opus").write_bytes(
        (await sealing.api.http.get(f"/v1/recordings/{file['name']}")).content
    )
    left, right = decoded(plain)
    assert share(left[-RATE // 4 :], caller.sound.tone or 0.0) > 0.8
    assert share(right[-RATE // 4 :], phone.tone) > 0.8
    parts = (await index_of(sealing, file["name"]))["parts"]
    assert {(part["source"], part["codec"]) for part in parts} == {("packets", "PCMA")}


async def test_a_full_disk_stops_recordings_and_no_call(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """Too little room: the call goes on, is shown as not recorded, counted, and the log says what to do."""
    server = await start_server({"recording": {"when": "always", "keep_free_mb": 900_000_000}})
    listener = await server.listen()
    await talking(server, caller, phone)
    while (told := await listener.expect("call.recording"))["data"]["state"] != "off":
        pass
    assert told["data"] == {"tenant": "acme", "state": "off", "by": "tandem", "files": []}
    assert (await server.api.calls())[0]["recording"] == "off"
    assert await server.api.metric("tandem_recordings_total", result="full") == 1
    await hear_each_other(caller, phone)
    await end(caller, phone)
    assert (await server.api.cdr())["detail"]["recordings"] == []
    [line] = [json.loads(line) for line in server.log().splitlines() if "is not recorded" in line]
    assert re.search("free some space", line["do"])
