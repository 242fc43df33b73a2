"""The whole command as a process: how it ends when it cannot start."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.peers.ports import PORTS


def tandem(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m b2bua` in a folder, with nothing of our own environment but what it needs."""
    path = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(
        [sys.executable, "-m", "b2bua", *arguments],
        cwd=folder, env=path | environ, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


def ports(**taken: int) -> dict[str, str]:
    keys = ("API__PORT", "EVENTS__PORT", "LISTENERS__OUTSIDE__PORT", "LISTENERS__INSIDE__PORT")
    return {f"TANDEM_{key}": str(taken.get(key) or PORTS.take()) for key in keys}


def test_the_command_is_the_module(tmp_path: Path) -> None:
    checked = tandem(tmp_path, "check-config")
    assert checked.returncode == 0
    assert "embedded defaults: no mistakes" in checked.stderr


def test_a_port_that_is_taken_is_one_line_and_no_trace(tmp_path: Path) -> None:
    with socket.socket() as web, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip:
        web.bind(("127.0.0.1", 0))
        web.listen()
        sip.bind(("127.0.0.1", 0))
        for key, port in (("API__PORT", web.getsockname()[1]), ("LISTENERS__OUTSIDE__PORT", sip.getsockname()[1])):
            ended = tandem(tmp_path, "serve", **ports(**{key: port}))
            assert ended.returncode == 1
            told = [line for line in ended.stderr.splitlines() if line.startswith("tandem: ")]
            assert len(told) == 1
            assert str(port) in told[0]
            assert "Traceback" not in ended.stderr


def test_a_data_folder_in_use_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    ended = tandem(tmp_path, "serve", **ports())
    assert ended.returncode == 1
    assert "tandem: File exists: data" in ended.stderr
    assert "Traceback" not in ended.stderr
