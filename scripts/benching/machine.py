"""What the figures were measured on, and with which source."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Machine:
    """The circumstances of one part of the results."""

    date: str
    processor: str
    cores: int
    kernel: str
    python: str
    commit: str
    "Of our source; with a `+` when files differ from it."

    def __str__(self) -> str:
        return (
            f"{self.date}, {self.processor}, {self.cores} cores, Linux {self.kernel}, "
            f"Python {self.python}, commit {self.commit}"
        )


def this_machine() -> Machine:
    """Here and now."""
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        kernel=platform.release(),
        python=platform.python_version(),
        commit=_commit(),
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in info)}
    virtual = ", virtual" if "hypervisor" in fields.get("flags", "") else ""
    return fields.get("model name", platform.machine()) + virtual


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")
    except OSError:
        return "unknown"
