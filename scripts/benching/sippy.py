"""Sippy B2BUA (PyPI `sippy`), the peer we measure ourselves against: b2bua_simple, no RTP proxy, no log."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Self

from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.waiting import eventually_now
from tests.peers.wire import Address

RELEASE = "2.5.0"
HOST = "127.0.0.1"


def install() -> Path:
    """The program, in a virtual environment of its own in the user's cache folder; made at the first call."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tandem"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = cache / f"sippy-{RELEASE}-py{version}"
    program, done = home / "bin" / "b2bua_simple", home / "complete"
    if not done.exists():
        print(f"installing Sippy B2BUA {RELEASE} in {home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, f"sippy=={RELEASE}"], check=True)
        done.write_text(f"{metadata.version('pip')}\n", encoding="utf-8")
    return program


class Sippy:
    """One server process that sends every call on to one agent."""

    name = "Sippy B2BUA"

    def __init__(self, folder: Path, agent: Address, *, prefix: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.agent, self.prefix = folder, agent, list(prefix)
        self.address: Address = (HOST, PORTS.take())
        self.child: Child | None = None

    def start(self) -> Self:
        """Start it and wait until it listens."""
        host, port = self.address
        command = [*self.prefix, str(install()), "-f", "-l", host, "-p", str(port), "-n", "{}:{}".format(*self.agent)]
        # No log: its default, every message to standard error, would be work that we do not ask of it.
        self.child = child = Child(command, folder=self.folder, log="sippy.log", env={"SIPLOG_BEND": "none"})
        eventually_now(lambda: child.bound(port) or not child.alive, "Sippy listens")
        assert child.alive, child.log()
        return self

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    def numbers(self, count: int) -> list[str]:
        """As many numbers as a trunk would send; Sippy does not look at them."""
        return [f"7001{at:08d}" for at in range(count)]

    def log_tail(self, lines: int = 40) -> str:
        """The newest lines of what it wrote."""
        return "\n".join(self.child.log().splitlines()[-lines:]) if self.child else "(not started)"

    def close(self) -> None:
        """End it."""
        if self.child is not None:
            self.child.close(2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
