"""What a process and all its children used: processor time, memory, descriptors, from /proc."""

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .cores import Cores

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """The process and all its descendants that live now."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in (PROC / str(one) / "task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time so far of the process, its threads and its children, those that ended included."""
    return sum(_cpu_seconds(one) for one in tree(pid))


def _cpu_seconds(pid: int) -> float:
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS  # utime, stime, cutime, cstime


def pss(pid: int) -> int:
    """Proportional set size of process and children, bytes: shared pages count once among those who share them."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            for line in (PROC / str(one) / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def descriptors(pid: int) -> int:
    """Open descriptors of process and children."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            total += len(list((PROC / str(one) / "fd").iterdir()))
    return total


def busy_seconds(core: int) -> float:
    """Seconds this core has run programs since the machine started, time stolen by the hypervisor included.

    Interrupts are left out: on loopback they are the server's own packets on their way.
    """
    for line in (PROC / "stat").read_text().splitlines():
        name, _, rest = line.partition(" ")
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, _irq, _softirq, steal = map(int, rest.split()[:8])
            return (user + nice + system + steal) / TICKS
    raise LookupError(f"no core {core}")


@dataclass(frozen=True, slots=True)
class Used:
    """What a server used between two looks."""

    seconds: float
    cpu: float
    "Processor seconds of the server."
    foreign: float
    "Share (0 to 1) that others, the hypervisor included, took of the server's or the generator's core: the larger."


class Meter:
    """Reads the clocks when made, and the difference on `read`. The generator is this process and its children."""

    def __init__(self, pids: int | Sequence[int], cores: Cores) -> None:
        """`pids`: the server's process, or each of its processes that the generator has started."""
        self.pids, self.cores = [pids] if isinstance(pids, int) else [*pids], cores
        self._start = self._look()

    def _look(self) -> tuple[float, ...]:
        server = sum(map(cpu_seconds, self.pids))
        generator = cpu_seconds(os.getpid()) - server
        busy = busy_seconds(self.cores.server), busy_seconds(self.cores.generator)
        return time.monotonic(), server, generator, *busy

    def read(self) -> Used:
        """What was used since the meter was made."""
        passed = (now - then for now, then in zip(self._look(), self._start, strict=True))
        seconds, server, generator, busy_server, busy_generator = passed
        foreign = max(busy_server - server, busy_generator - generator, 0.0)
        return Used(seconds, server, foreign / seconds if seconds else 0.0)
