"""Two raw peers that call each other directly: the toolkit proves itself."""

from collections.abc import AsyncIterator

import pytest

from tests.peers.uac import Caller
from tests.peers.uas import Phone


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with await Caller.open() as peer:
        yield peer
        print(peer.ladder())


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    async with await Phone.open() as peer:
        yield peer
        print(peer.ladder())
