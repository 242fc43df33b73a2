"""Legs that come, are joined, part and go under traffic: nothing is left behind, nobody gets what is another's."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.native.stack import Stack
from tests.unit.native.talker import Talker, counted, eventually, join, part

CAP_SYS_NICE = 23
ROUNDS = 120
LEGS = 8


class Noise:
    """A thread that sends to a list of ports, some thousand packets a second, and never stops for what is closed."""

    def __init__(self, talkers: list[Talker]) -> None:
        self._talkers = talkers
        self._on = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._on:
            time.sleep(0.001)
            for talker in list(self._talkers):
                with contextlib.suppress(OSError):
                    talker.send(b"s" * 160)

    def stop(self) -> None:
        self._on = False
        self._thread.join()


@pytest.fixture
def descriptors(stack: Stack) -> Iterator[None]:
    """As many afterwards as before, once a first call has opened what stays."""
    with Talker(stack):
        pass
    eventually(lambda: stack.do("legs") == 0)
    before = stack.do("descriptors")
    yield
    eventually(lambda: stack.do("legs") == 0)
    eventually(lambda: stack.do("descriptors") <= before)


def test_sound_goes_before_python(stack: Stack) -> None:
    """Its threads are ahead of the one that polls PJSIP by as much as the process may put them (RLIMIT_NICE)."""
    with Talker(stack):
        threads = list(Path(f"/proc/{stack.pid}/task").iterdir())
        nice = {int(path.name): os.getpriority(os.PRIO_PROCESS, int(path.name)) for path in threads}
        wires = [int(path.name) for path in threads if (path / "comm").read_text() == "wire\n"]
    python = nice[stack.pid]
    status = Path(f"/proc/{stack.pid}/status").read_text()
    may_all = int(status.partition("CapEff:")[2].split()[0], 16) >> CAP_SYS_NICE & 1
    limit = resource.prlimit(stack.pid, resource.RLIMIT_NICE)[0]
    lowest = -20 if may_all or limit == resource.RLIM_INFINITY else min(python, 20 - limit)
    assert [nice[thread] for thread in wires] == [max(python - 5, lowest)]


def test_legs_come_and_go_under_traffic(stack: Stack, descriptors: None) -> None:
    """A thousand legs, each joined with the next while both are sent to: no descriptor is left, every packet that was
    read is accounted for."""
    talkers: list[Talker] = []
    noise = Noise(talkers)
    before = counted(stack)
    try:
        for _ in range(ROUNDS):
            talkers.extend(Talker(stack).__enter__() for _ in range(LEGS))
            for a, b in zip(talkers[::2], talkers[1::2], strict=True):
                assert join(a, b) == 0
            while talkers:
                talkers.pop().__exit__()
    finally:
        noise.stop()
    after = {name: n - before[name] for name, n in counted(stack).items()}
    ended = ("refused", "mixed", "relayed", "repeated", "withheld", "unsent", "idle", "other")
    assert after["received"] == sum(after[name] for name in ended)
    assert after["relayed"] > 0
    assert after["goodbyes"] > 0


def test_ages_are_ages_while_packets_come(stack: Stack) -> None:
    """A packet that arrives while somebody looks is no older than the look: it is 0 milliseconds old."""
    with Talker(stack) as talker:
        noise = Noise([talker] * 200)
        try:
            eventually(lambda: talker.sound.heard)
            oldest = max(stack.do("oldest", leg=talker.leg, looks=100_000) for _ in range(8))
        finally:
            noise.stop()
    assert oldest < 60_000


def test_random_transitions(stack: Stack, descriptors: None) -> None:
    """Join, part, tap, hold and resume in any order under traffic; in the end each leg is heard where it is joined."""
    chance = random.Random(20)
    talkers = [Talker(stack).__enter__() for _ in range(6)]
    noise = Noise(talkers)
    try:
        for step in range(800):
            a, b = chance.sample(talkers, 2)
            match chance.randrange(40):
                case 0:
                    a.again(lines="a=inactive\r\n")
                case 1:
                    a.again(lines="")
                case n if n < 22:
                    join(a, b)
                case n if n < 32:
                    part(a)
                case n if n < 36:
                    stack.do("sound", call="tap_open", arguments=[a.leg, step % 16])
                case n if n < 38:
                    stack.do("sound", call="tap_close", arguments=[step % 16])
                case _:
                    stack.do("sound", call="taps_take", arguments=[])
    finally:
        noise.stop()
    for talker in talkers:
        talker.again(lines="")
        talker.timestamp += 8000
    assert [talker.sound.joined for talker in talkers] == [0] * 6
    for a, b in zip(talkers[::2], talkers[1::2], strict=True):
        assert join(a, b) == 0
        for x, y in ((a, b), (b, a)):
            x.send(b"end!" * 40)
            y.hear(b"end!" * 40)
    for talker in talkers:
        talker.__exit__()
