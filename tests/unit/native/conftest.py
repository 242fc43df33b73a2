"""One stack for all tests of a file; a new raw peer for each test."""

from collections.abc import Iterator

import pytest

from tests.unit.native.stack import Peer, Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    stack = Stack()
    yield stack
    assert stack.close() == 0, "the stack did not end cleanly"


@pytest.fixture
def peer(stack: Stack) -> Iterator[Peer]:
    peer = Peer(stack.udp)
    with peer.socket:
        yield peer
