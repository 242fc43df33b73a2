"""Ports of parallel test processes do not meet."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.ports import PORTS, REST, NoPorts, Ports, is_free


@pytest.fixture
def lowest() -> Iterator[int]:
    """Forty ports for the blocks of these tests."""
    first = PORTS.keep(40, even=True)
    yield first
    PORTS.release(first)


def test_two_processes_own_different_blocks(tmp_path: Path, lowest: int) -> None:
    first = Ports(tmp_path, lowest=lowest, size=20, blocks=2)
    second = Ports(tmp_path, lowest=lowest, size=20, blocks=2)
    third = Ports(tmp_path, lowest=lowest, size=20, blocks=2)
    with contextlib.closing(first), contextlib.closing(second), contextlib.closing(third):
        assert lowest <= first.take() < lowest + 20 <= second.take()
        with pytest.raises(NoPorts):
            third.take()
        first.close()
        assert lowest <= third.take() < lowest + 20


def test_a_busy_port_is_passed_over_and_pairs_start_even(tmp_path: Path, lowest: int) -> None:
    ports = Ports(tmp_path, lowest=lowest, size=20, blocks=1)
    with contextlib.closing(ports), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", lowest + 1))
        assert not is_free(lowest + 1)
        assert ports.take(2, even=True) == lowest + 2
        assert ports.take() == lowest + 4
        assert ports.take(2, even=True) == lowest + 6


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_kept_ports_are_passed_over_until_they_are_released(tmp_path: Path, lowest: int) -> None:
    clock = Clock()
    ports = Ports(tmp_path, lowest=lowest, size=12, blocks=1, clock=clock)
    with contextlib.closing(ports):
        assert ports.keep(6, even=True) == lowest
        assert [ports.take(3) for _ in range(2)] == [lowest + 6, lowest + 9]
        clock.now = 2 * REST
        with pytest.raises(NoPorts):
            ports.take(8)
        ports.release(lowest)
        assert ports.take(8) == lowest


def test_a_port_that_was_given_rests_though_nobody_has_bound_it(tmp_path: Path, lowest: int) -> None:
    clock = Clock()
    ports = Ports(tmp_path, lowest=lowest, size=10, blocks=1, clock=clock)
    with contextlib.closing(ports):
        assert ports.take(6) == lowest
        with pytest.raises(NoPorts):
            ports.take(6)
        assert ports.take() == lowest + 6, "a search in vain moves nothing"
        clock.now = REST + 1
        assert ports.take(4) == lowest, "from seven on are three only"


def test_a_process_whose_block_is_full_takes_another(tmp_path: Path, lowest: int) -> None:
    ports = Ports(tmp_path, lowest=lowest, size=10, blocks=2)
    with contextlib.closing(ports), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", lowest + 5))
        assert ports.take(6) == lowest + 10
        assert [ports.take(4), ports.take(4)] == [lowest, lowest + 6]
        with pytest.raises(NoPorts):
            ports.take(11)
