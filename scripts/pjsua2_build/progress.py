"""Progress on a terminal (one line that moves) or in a log (one line per step), and the log file of what was run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO


class BuildFailed(Exception):
    """Something the user must see and can act on; the message is complete."""


class Progress:
    """Shows `[ 47 %] 0:41  libraries  sip_dialog.c` and keeps everything that commands print in a log file."""

    def __init__(self, log: Path, out: IO[str] = sys.stderr) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        self._file: IO[str] | None = None
        self._out = out
        self._moving = out.isatty()
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._shares: dict[str, float] = {}
        self._done: dict[str, float] = {}
        self._shown = -1

    def plan(self, shares: Mapping[str, float]) -> None:
        """What is to be done, with each step's share of the time (any unit)."""
        self._shares = dict(shares)

    def step(self, name: str, detail: str = "", fraction: float = 0.0) -> None:
        """`name` is `fraction` done (0..1); `detail` is what it is busy with."""
        with self._lock:
            first = name not in self._done
            self._done[name] = max(self._done.get(name, 0.0), min(fraction, 1.0))
            total = sum(self._shares.values()) or 1.0
            percent = int(100 * sum(self._shares.get(s, 0.0) * f for s, f in self._done.items()) / total)
            elapsed = int(time.monotonic() - self._started)
            line = f"[{percent:3d} %] {elapsed // 60}:{elapsed % 60:02d}  {name}  {detail}"
            if self._moving:
                self._out.write(f"\r\033[K{line[:110]}")
                self._out.flush()
            elif first or percent >= self._shown + 10:
                self._shown = percent
                print(line.rstrip(), file=self._out, flush=True)

    def say(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            if self._moving:
                self._out.write("\r\033[K")
            print(text, file=self._out, flush=True)

    def _log(self, text: str) -> None:
        """Opens the log at the first command, not before: another build may be writing it."""
        with self._lock:
            if self._file is None:
                self._file = self.log.open("w", encoding="utf-8", errors="replace")
            self._file.write(text)

    def run(
        self,
        command: Sequence[str | Path],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        each: Callable[[str], None] | None = None,
    ) -> None:
        """Runs a command; its output goes to the log and by line to `each`. Raises BuildFailed with the last lines."""
        words = [str(word) for word in command]
        last: deque[str] = deque(maxlen=25)
        self._log(f"\n$ {' '.join(words)}\n")
        try:
            process = subprocess.Popen(
                words,
                cwd=cwd,
                env={**os.environ, "LC_ALL": "C", **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise BuildFailed(f"cannot run {words[0]}: {error}") from error
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                last.append(line)
                self._log(line)
                if each:
                    each(line)
        if process.returncode != 0:
            tail = "".join(f"    {line}" for line in last)
            raise BuildFailed(f"{words[0]} failed ({process.returncode}). Last lines:\n{tail}The rest: {self.log}")

    def close(self) -> None:
        if self._moving:
            self._out.write("\r\033[K")
        if self._file is not None:
            self._file.close()
