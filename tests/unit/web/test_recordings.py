"""Recordings over the API: pages of them, whose they are, and who may start, pause and remove one."""

import os
import time
from array import array
from functools import partial
from pathlib import Path

import pytest

from b2bua.storage import NotFound
from b2bua.storage.recordings import Recordings
from b2bua.web.sealed_file import asked_for
from media import wav
from media.recording import Keys, Order, index
from media.recording.one import OneRecording
from tests.unit.web.server import CALL, Api, StillFloor, api

CALLS = [f"019b7656-7d80-7c1e-9f0a-3b6a1d2c4e{n:02d}" for n in range(3)]


def stereo(folder: Path, tenant: str, call: str, keys: Keys | None = None) -> str:
    """One file of both sides with its index, as a call leaves them."""
    made = OneRecording(Order(call, tenant, folder / tenant, "wav", 8000, 0, 1.0, "here", keys))
    made.write(1_000_000)
    made.close(1_000_000)
    made.index.sha256, made.index.complete = index.checksum(made.path), True
    made.note()
    return made.path.name


def record(folder: Path, tenant: str, call: str, seconds: float = 0.5) -> list[str]:
    """Two legs' files, as a call leaves them."""
    (folder / tenant).mkdir(parents=True, exist_ok=True)
    names = [f"{call}-0-caller.wav", f"{call}-1-agent.wav"]
    for name in names:
        wav.write(folder / tenant / name, array("h", bytes(2 * round(8000 * seconds))), 8000)
    return names


async def test_recordings_come_newest_first_and_each_tenant_reaches_its_own(web: Api) -> None:
    folder = web.node.settings.recordings
    assert (await web.ask("GET", "/v1/recordings")).json() == {"recordings": [], "next": None}
    mine, foreign, nobodys = map(partial(record, folder), ("acme", "beta", "_"), CALLS)
    (folder / "acme" / "notes.txt").write_text("not a recording")
    first = (await web.ask("GET", "/v1/recordings?limit=4")).json()
    assert [file["name"] for file in first["recordings"]] == [*reversed(nobodys), *reversed(foreign)]
    assert [file["tenant"] for file in first["recordings"]] == [None, None, "beta", "beta"]
    second = (await web.ask("GET", f"/v1/recordings?limit=4&before={first['next']}")).json()
    assert ([file["name"] for file in second["recordings"]], second["next"]) == ([*reversed(mine)], None)
    own = (await web.ask("GET", "/v1/recordings", key="acme")).json()["recordings"]
    assert [(file["role"], file["seconds"], file["complete"]) for file in own] == [
        ("agent", 0.5, True),
        ("caller", 0.5, True),
    ]
    of_call = (await web.ask("GET", f"/v1/recordings?call={CALLS[0]}", key="acme")).json()["recordings"]
    assert [file["name"] for file in of_call] == mine
    assert (await web.ask("GET", f"/v1/recordings?call={CALLS[1]}", key="acme")).json()["recordings"] == []
    assert (await web.ask("GET", f"/v1/recordings/{foreign[0]}", key="acme")).status_code == 404
    assert (await web.ask("DELETE", f"/v1/recordings/{foreign[0]}", key="acme")).status_code == 404
    assert (await web.ask("DELETE", f"/v1/recordings/{mine[0]}", key="acme")).status_code == 204
    assert (await web.ask("GET", f"/v1/recordings/{mine[0]}", key="acme")).status_code == 404
    audit = (await web.ask("GET", "/v1/audit")).json()
    assert mine[0] in str(audit)


async def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "recordings")
    record(tmp_path, "recordings", CALLS[0])
    for name in ("../recordings", f"../recordings/{CALLS[0]}-0-caller.wav", "*", f"{CALLS[0]}-0-caller.wav"):
        with pytest.raises(NotFound):
            await recordings.get(name)
    assert await recordings.of_call("*") == []


async def test_old_recordings_go_and_young_ones_stay(tmp_path: Path) -> None:
    old, young = record(tmp_path, "acme", CALLS[0]), record(tmp_path, "acme", CALLS[1])
    for name in old:
        os.utime(tmp_path / "acme" / name, (0, time.time() - 86400))
    patient, kept_for_ever = stereo(tmp_path, "beta", CALLS[2]), stereo(tmp_path, "gamma", CALLS[2])
    for folder in ("beta", "gamma"):
        os.utime(tmp_path / folder / patient, (0, time.time() - 40 * 86400))
    days = {"acme": 1, "beta": 30, "gamma": 0}
    assert Recordings(tmp_path).purge(time.time() + 3600, lambda tenant: days[tenant or ""]) == 3
    assert sorted(file.name for file in (tmp_path / "acme").iterdir()) == young
    assert list((tmp_path / "beta").iterdir()) == []
    assert (tmp_path / "gamma" / kept_for_ever).exists()


async def test_a_call_has_one_file_with_an_index_beside_those_of_earlier_versions(web: Api) -> None:
    folder = web.node.settings.recordings
    name, old = stereo(folder, "acme", CALLS[1]), record(folder, "acme", CALLS[0])
    listed = (await web.ask("GET", "/v1/recordings", key="acme")).json()["recordings"]
    assert [file["name"] for file in listed] == [name, *reversed(old)]
    new = listed[0]
    assert (new["part"], new["role"], new["seconds"], new["complete"], new["format"]) == (None, None, 1.0, True, "wav")
    assert new["sha256"] == index.checksum(folder / "acme" / name)
    found = (await web.ask("GET", f"/v1/recordings/{name}/index", key="acme")).json()
    assert (found["call"], found["channels"]) == (CALLS[1], {"left": "caller", "right": "agent"})
    assert (await web.ask("GET", f"/v1/recordings/{name}/index", key="beta")).status_code == 404
    assert (await web.ask("GET", f"/v1/recordings/{old[0]}/index", key="acme")).status_code == 404
    assert (await web.ask("DELETE", f"/v1/recordings/{name}", key="acme")).status_code == 204
    assert sorted(path.name for path in (folder / "acme").iterdir()) == old


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 2, "file": "x"}'])
async def test_a_broken_index_hides_no_file(web: Api, text: str) -> None:
    folder = web.node.settings.recordings
    name = stereo(folder, "acme", CALLS[0])
    (folder / "acme" / f"{CALLS[0]}.json").write_text(text)
    [file] = (await web.ask("GET", "/v1/recordings", key="acme")).json()["recordings"]
    assert (file["name"], file["seconds"], file["complete"], file["sha256"]) == (name, 1.0, True, None)


async def test_an_encrypted_recording_is_not_served_by_a_node_without_the_key(web: Api) -> None:
    name = stereo(web.node.settings.recordings, "acme", CALLS[0], Keys([bytes(32)]))
    answer = await web.ask("GET", f"/v1/recordings/{name}", key="acme")
    assert answer.status_code == 409
    assert "key_file" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None), ("bytes=0-3", (0, 4)), ("bytes=90-", (90, 10)), ("bytes=-30", (70, 30)),
        ("bytes=95-200", (95, 5)), ("bytes=-300", (0, 100)), ("bytes=0-3,5-7", None), ("lines=1-2", None),
        ("bytes=-", None),
    ],
)  # fmt: skip
def test_a_range_of_octets_is_what_was_asked_for(header: str | None, part: tuple[int, int] | None) -> None:
    assert asked_for(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=5-4"])
def test_a_range_that_is_not_there_is_said_to_be_none(header: str) -> None:
    with pytest.raises(ValueError, match="100 octets"):
        asked_for(header, 100)


async def test_a_live_calls_recording_is_started_by_those_who_may(web: Api) -> None:
    path, body = f"/v1/calls/{CALL.id}/recording", {"state": "on"}
    assert (await web.ask("PUT", path, json=body)).status_code == 202
    assert (await web.ask("PUT", path, json={"state": "paused"}, key="acme")).status_code == 202
    assert [(call, on) for call, on, _ in web.calls.recorded] == [(CALL.id, True), (CALL.id, False)]
    assert (await web.ask("PUT", path, json=body, key="beta")).status_code == 404
    assert (await web.ask("PUT", path, json={"state": "off"})).status_code == 422
    made = await web.ask("POST", "/v1/api-keys", json={"name": "a", "role": "agent", "extension": "8001"})
    web.keys["agent"] = made.json()["secret"]
    assert (await web.ask("PUT", path, json=body, key="agent")).status_code == 404, "he is not in this call"
    floor = web.node.floor
    assert isinstance(floor, StillFloor)
    floor.log_in("8001")
    floor.reserve("8001", CALL.id)
    assert (await web.ask("PUT", path, json=body, key="agent")).status_code == 202
    assert (await web.ask("GET", "/v1/recordings", key="agent")).status_code == 403


async def test_a_node_that_records_nothing_says_so(tmp_path: Path) -> None:
    async with api(tmp_path, recording={"when": "never"}) as web:
        answer = await web.ask("PUT", f"/v1/calls/{CALL.id}/recording", json={"state": "on"})
        assert answer.status_code == 409
        assert "recording.when" in answer.json()["detail"]
