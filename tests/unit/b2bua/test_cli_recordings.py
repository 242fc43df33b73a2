"""`tandem recordings` against the real API, and on files without a server."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from b2bua.cli import make_app
from media.recording import Keys, index
from tests.unit.b2bua.conftest import Tandem
from tests.unit.web.server import Api
from tests.unit.web.test_recordings import CALLS, stereo

KEY = "ab" * 32


def alone(*words: str) -> Result:
    """A command without a server."""
    return CliRunner().invoke(make_app(lambda settings: None), words)


async def test_recordings_are_listed_shown_fetched_and_removed(server: Api, tandem: Tandem, tmp_path: Path) -> None:
    assert "no recordings" in (await tandem("recordings", "list")).stderr
    folder = server.node.settings.recordings
    name = stereo(folder, "acme", CALLS[0])
    assert name in (await tandem("recordings", "list", "--call", CALLS[0], key="acme")).stdout
    [found] = json.loads((await tandem("recordings", "list", "--json")).stdout)["recordings"]
    assert (found["name"], found["seconds"], found["complete"]) == (name, 1.0, True)
    assert index.checksum(folder / "acme" / name) in (await tandem("recordings", "show", name)).stdout
    assert json.loads((await tandem("recordings", "show", name, "--json")).stdout)["file"] == name
    await tandem("recordings", "fetch", name, "-o", "fetched.wav")
    assert (tmp_path / "fetched.wav").read_bytes() == (folder / "acme" / name).read_bytes()
    await tandem("recordings", "fetch", f"{CALLS[1]}.wav", "-o", "fetched.wav", fails=True)
    assert [name for name in os.listdir(tmp_path) if "fetched" in name] == ["fetched.wav"]
    assert (tmp_path / "fetched.wav").read_bytes() == (folder / "acme" / name).read_bytes(), "what was there stays"
    await tandem("recordings", "remove", name)
    assert list((folder / "acme").iterdir()) == []
    await tandem("recordings", "show", name, fails=True)


async def test_a_tenants_recordings_are_switched_on_and_kept_as_long_as_he_wants(tandem: Tandem) -> None:
    changed = await tandem("tenants", "change", "acme", "--record", "--keep-recordings", "365", "--json")
    assert [json.loads(changed.stdout)[key] for key in ("record", "keep_recordings")] == [True, 365]
    changed = await tandem("tenants", "change", "acme", "--no-record", "--json")
    assert [json.loads(changed.stdout)[key] for key in ("record", "keep_recordings")] == [False, 365]


def test_files_are_checked_and_decrypted_without_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys").write_text(f"# of this year\n{KEY}\n")
    keys = Keys.of_file(tmp_path / "keys")
    name = stereo(tmp_path, "acme", CALLS[0], keys)
    plain = stereo(tmp_path, "acme", CALLS[1])
    paths = [str(tmp_path / "acme" / one) for one in (name, plain)]
    assert alone("recordings", "verify", *paths).exit_code == 0
    assert alone("recordings", "verify", *paths, "--key-file", "keys").exit_code == 0
    assert alone("recordings", "decrypt", paths[0], "--key-file", "keys").exit_code == 0
    assert (tmp_path / f"{CALLS[0]}.wav").read_bytes() == Path(paths[1]).read_bytes()
    again = alone("recordings", "decrypt", paths[0], "--key-file", "keys")
    assert (again.exit_code, "is there already" in again.stderr) == (1, True)
    for wrong, told in (("missing", "No such file"), ("empty", "no key in it"), ("other", "not among ours")):
        if wrong != "missing":
            (tmp_path / wrong).write_text("" if wrong == "empty" else "cd" * 32)
        refused = alone("recordings", "decrypt", paths[0], "--key-file", wrong, "-o", "out")
        assert (refused.exit_code, told in refused.stderr) == (1, True), refused.stderr
    nothing = alone("recordings", "verify", str(tmp_path / "keys"))
    assert (nothing.exit_code, "no index" in nothing.stderr) == (1, True)
    Path(paths[1]).write_bytes(b"RIFF")
    changed = alone("recordings", "verify", *paths)
    assert (changed.exit_code, changed.stderr.count("checksum")) == (1, 1)
