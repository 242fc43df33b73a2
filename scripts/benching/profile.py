"""Where Tandem's processor time goes at a steady rate: by native object (perf), and by layer of our source (py-spy).

py-spy looks only at the thread that holds the interpreter's lock; PJSIP runs without it and is perf's to see.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .calls import HOLD, warm_up
from .console import headline, note
from .stage import Stage

PY_SPY = "0.4.3"
SAMPLES = "200"
"A second, by py-spy; perf takes 999."
FRONT, BEHIND = 1.0, 1.0
"Seconds of the run that are not looked at."

OBJECTS = {
    "_pjsua2": "PJSIP and its binding",
    "[kernel": "kernel: sockets, wake-ups",
    "libpython": "Python's interpreter",
    "python3": "Python's interpreter",
    "libc": "C library: memory, copying",
    "libsqlite3": "SQLite",
}
"Begin of a shared object's name -> what it is."

LAYERS = {
    "b2bua/sip/": "b2bua/sip",
    "b2bua/calls/": "b2bua/calls",
    "b2bua/storage/": "b2bua/storage",
    "b2bua/events/": "b2bua/events",
    "b2bua/web/": "b2bua/web",
    "b2bua/": "event loop, metrics, log",
    "dialer/": "dialer",
    "routing/": "routing",
    "media/": "media",
}
"""Begin of a source path -> layer. A sample belongs to the innermost of these on its stack, whatever library was called
there; but what runs inside PJSIP is PJSIP's."""
BINDING = "pjsua2.py"

WAITING = ("select (selectors", "wait (threading", "get (queue")
"Innermost functions of a thread that waits."


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares (0 to 1) of the server's processor time."""

    rate: float
    cpu_ms: float
    "Processor milliseconds of a call, while nobody looked."
    objects: dict[str, float]
    "By thread and native object; empty where perf does not run."
    layers: dict[str, float]
    functions: dict[str, float]
    "The functions in which most samples were, those called from them left out."


def measure(stage: Stage, *, rate: float, seconds: float) -> Profile:
    """Load a fresh server three times: undisturbed, under perf, under py-spy."""
    headline(f"Tandem: where the time goes at {rate:g} calls/s")
    spy = _py_spy()
    count = round(rate * (seconds + FRONT + BEHIND))
    with stage.server("tandem") as server:

        def run() -> float:
            loaded = stage.generator.run(
                server.address, server.numbers(count), rate, hold=HOLD, meter=lambda: stage.meter(server)
            )
            note(str(loaded))
            return loaded.cpu_ms

        warm_up(stage, server)
        cpu_ms = run()
        data, stacks = stage.folder / "perf.data", stage.folder / "stacks.txt"
        objects: dict[str, float] = {}
        if shutil.which("perf"):
            look = ["perf", "record", "-q", "-F", "999", "-o", str(data), "-p", str(server.pid), "--", "sleep"]
            with Beside([*look, str(seconds)]):
                run()
            objects = by_object(_perf_report(data))
        else:
            note("perf is missing (package linux-perf): no shares by native object")
        # Blocking, each look would stop the server for milliseconds.
        options = ["--nonblocking", "--gil", "-r", SAMPLES, "-d", str(round(seconds)), "-f", "raw", "-o", str(stacks)]
        with Beside([str(spy), "record", *options, "-p", str(server.pid)]):
            run()
    lines = stacks.read_text(encoding="utf-8").splitlines()
    return Profile(rate, cpu_ms, objects, by_layer(lines), by_function(lines))


def by_object(lines: Iterable[str]) -> dict[str, float]:
    """From `share;thread;object` lines: shares by thread, and for the loop's thread by what the object is."""
    shares: dict[str, float] = {}
    for line in lines:
        share, thread, native = (part.strip() for part in line.split(";", 2))
        what = next((text for begin, text in OBJECTS.items() if native.startswith(begin)), "other libraries")
        name = what if thread == "python" else f"{thread}: {what}"
        shares[name] = shares.get(name, 0.0) + float(share.rstrip("%")) / 100
    return _most(shares)


def by_layer(stacks: Iterable[str]) -> dict[str, float]:
    """From py-spy's raw stacks: shares of our layers, and of what is none of them."""
    return _shares((_layer(frames), samples) for frames, samples in _samples(stacks))


def by_function(stacks: Iterable[str]) -> dict[str, float]:
    """From py-spy's raw stacks: shares of the innermost functions."""
    return _shares((frames[-1].rpartition(":")[0] + ")", samples) for frames, samples in _samples(stacks))


def _samples(stacks: Iterable[str]) -> Iterable[tuple[list[str], int]]:
    for line in stacks:
        stack, _, samples = line.rpartition(" ")
        frames = stack.split(";")
        if not any(waiting in frames[-1] for waiting in WAITING):
            yield frames, int(samples)


def _layer(frames: list[str]) -> str:
    if _place(frames[-1]).startswith(BINDING):
        return "PJSIP and its binding"
    for frame in reversed(frames):
        for begin, layer in LAYERS.items():
            if _place(frame).startswith(begin):
                return layer
    return "threads outside our source"


def _place(frame: str) -> str:
    """The path in `function (path:line`."""
    return frame.partition(" (")[2]


def _shares(weights: Iterable[tuple[str, int]]) -> dict[str, float]:
    shares: Counter[str] = Counter()
    for name, weight in weights:
        shares[name] += weight
    total = max(1, shares.total())
    return _most({name: weight / total for name, weight in shares.items()})


def _most(shares: Mapping[str, float], count: int = 12) -> dict[str, float]:
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return {name: round(share, 4) for name, share in ordered[:count]}


def _perf_report(data: Path) -> list[str]:
    command = ["perf", "report", "-i", str(data), "--stdio", "--sort", "comm,dso", "-t", ";"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if line.strip() and not line.startswith("#")]


class Beside:
    """Runs a command while the body does, and waits for its end."""

    def __init__(self, command: list[str]) -> None:
        self.command = command

    def __enter__(self) -> None:
        self.process = subprocess.Popen(
            ["sh", "-c", f'sleep {FRONT}; exec "$@"', "sh", *self.command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __exit__(self, *_: object) -> None:
        errors = self.process.communicate(timeout=60)[1]
        if self.process.returncode:
            raise RuntimeError(f"{self.command[0]}: {errors}")


def _py_spy() -> Path:
    """The program, in a virtual environment of its own in the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tandem"
    home = cache / f"py-spy-{PY_SPY}"
    if not (home / "bin" / "py-spy").exists():
        note(f"installing py-spy {PY_SPY} in {home}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, f"py-spy=={PY_SPY}"], check=True)
    return home / "bin" / "py-spy"
