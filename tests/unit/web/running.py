"""Runs one service for the time of a block."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from b2bua.services import Service
from tests.peers.waiting import PATIENCE


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[None]:
    """The service is ready inside the block, and has ended when the block is left."""
    ready = asyncio.Event()
    task = asyncio.create_task(service.run(ready.set), name=service.name)
    waiting = asyncio.create_task(ready.wait())
    try:
        async with asyncio.timeout(PATIENCE):
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield
    finally:
        waiting.cancel()
        task.cancel()
        await asyncio.wait([task], timeout=PATIENCE)
        assert task.done(), f"{service.name} did not stop"
    if not task.cancelled():
        task.result()
