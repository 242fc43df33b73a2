"""What the busiest thread of a server does while calls speak: system calls, all the kernel does in them, and C."""

import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from .accounting import PROC
from .console import note

CALLS = {
    "sys_sendto": "kernel: sendto",
    "sys_sendmsg": "kernel: sendmsg",
    "sys_sendmmsg": "kernel: sendmmsg",
    "sys_recvfrom": "kernel: recvfrom",
    "sys_recvmsg": "kernel: recvmsg",
    "sys_recvmmsg": "kernel: recvmmsg",
    "sys_epoll_wait": "kernel: epoll_wait",
    "sys_epoll_pwait": "kernel: epoll_wait",
    "sys_poll": "kernel: poll",
    "sys_io_uring_enter": "kernel: io_uring_enter",
    "sys_futex": "kernel: futex",
    "sys_write": "kernel: write",
}
"End of a system call's function -> what it is called here."
LEAST = 0.005
"Shares below this are left out."


def look(pid: int, seconds: float, folder: Path) -> dict[str, float]:
    """Shares (0 to 1) of the busiest thread's time, and its own share of the process; empty where perf does not run."""
    if not shutil.which("perf"):
        note("perf is missing (package linux-perf): no shares")
        return {}
    before = _ticks(pid)
    time.sleep(1.0)
    used = {thread: ticks - before.get(thread, 0) for thread, ticks in _ticks(pid).items()}
    busiest = max(used, key=lambda thread: used[thread])
    data = folder / "media.perf"
    record = [
        "perf",
        "record",
        "-q",
        "-g",
        "-F",
        "499",
        "-o",
        str(data),
        "-t",
        str(busiest),
        "--",
        "sleep",
        f"{seconds:g}",
    ]
    done = subprocess.run(record, capture_output=True, text=True, check=False)
    if done.returncode:
        note(f"perf does not run: {done.stderr.strip()[-200:]}")
        return {}
    found = {"this thread's share of the process": used[busiest] / max(1, sum(used.values()))}
    found |= by_call(_report(data, "--children", "--sort", "symbol"), _report(data, "--no-children", "--sort", "dso"))
    return found


def by_call(symbols: Iterable[str], objects: Iterable[str]) -> dict[str, float]:
    """From `children;self;symbol` lines the system calls, from `self;object` lines what is not the kernel."""
    shares: dict[str, float] = {}
    for line in symbols:
        share, _, symbol = (part.strip() for part in line.split(";")[:3])
        for end, name in CALLS.items():
            if symbol.endswith(f"__x64_{end}"):
                shares[name] = shares.get(name, 0.0) + _number(share)
    for line in objects:
        share, name = (part.strip() for part in line.split(";")[:2])
        if not name.startswith("["):
            shares[f"C: {name.partition('.')[0]}"] = _number(share)
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return {name: round(share, 4) for name, share in ordered if share >= LEAST}


def _number(share: str) -> float:
    return float(share.rstrip("%")) / 100


def _ticks(pid: int) -> dict[int, int]:
    """User and system time of each thread."""
    found = {}
    for task in (PROC / str(pid) / "task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        found[int(task.name)] = int(fields[11]) + int(fields[12])
    return found


def _report(data: Path, *how: str) -> list[str]:
    command = ["perf", "report", "-i", str(data), "--stdio", "--no-call-graph", "-g", "none", *how, "-t", ";"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line.strip() and not line.startswith("#")]
