"""A child process of a test: its output goes to a file, its sockets can be seen, and only it is ever ended by us."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.peers.waiting import eventually, eventually_now


class Child:
    """One process with its log file. `close()` ends it and whatever it started; it may be called twice."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        log: str,
        env: Mapping[str, str] | None = None,
        pipes: bool = False,
    ) -> None:
        self.name = Path(command[0]).name
        self.log_file = folder / log
        with self.log_file.open("ab") as out:
            self.process = subprocess.Popen(
                list(command),
                cwd=folder,
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else out,
                stderr=out,
                env=None if env is None else {**os.environ, **env},
                start_new_session=True,  # so that its own children can be ended with it, and ctrl-C stays with pytest
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self.process.poll()

    def log(self) -> str:
        """Everything it has written so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def bound(self, port: int, kind: str = "udp") -> bool:
        """Whether this very process (or a child of its session) holds the port; `kind` is udp or tcp (listening)."""
        return bool(inodes_of_port(port, kind) & inodes_of_process(self.pid))

    async def ended(self, within: float | None = None) -> int:
        """Wait for its end and return the exit code."""
        await eventually(lambda: not self.alive, f"{self.name} ({self.pid}) ended\n{self.log()[-2000:]}", within)
        return int(self.process.returncode)

    def ended_now(self, within: float | None = None) -> int:
        """As `ended`, blocking."""
        eventually_now(lambda: not self.alive, f"{self.name} ({self.pid}) ended\n{self.log()[-2000:]}", within)
        return int(self.process.returncode)

    def signal(self, number: int) -> None:
        """Send a signal to this process alone; nothing happens when it has ended."""
        if self.alive:
            self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, as a crash would be, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def close(self, patience: float = 5.0) -> int:
        """SIGTERM, then SIGKILL after `patience` seconds; returns the exit code."""
        if self.process.stdin:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        if self.alive:
            self.process.terminate()
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self._end_group()
        if self.process.stdout:
            self.process.stdout.close()
        return self.process.wait()

    async def aclose(self, patience: float = 5.0) -> int:
        """As `close`, without blocking the event loop."""
        return await asyncio.to_thread(self.close, patience)

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def __repr__(self) -> str:
        return f"<Child {self.name} pid={self.pid} {'running' if self.alive else f'ended {self.exit_code}'}>"


def inodes_of_port(port: int, kind: str) -> set[str]:
    """Socket inodes bound to a local port, from /proc/net (both address families)."""
    found = set()
    for table in (kind, f"{kind}6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                field = line.split()
                listening = kind == "udp" or field[3] == "0A"
                if listening and int(field[1].rpartition(":")[2], 16) == port:
                    found.add(field[9])
    return found


def inodes_of_process(pid: int) -> set[str]:
    """Socket inodes a process holds open, from /proc/PID/fd."""
    found = set()
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found
