"""The recorder as a service: its thread runs before the first call and until the last one's file is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from media.recording import Recorder


class RecorderService:
    """Files of calls that live when it stops are cut off and whole."""

    name = "recorder"
    stop_within = 15.0

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def run(self, ready: Callable[[], None]) -> None:
        self._recorder.start()
        ready()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(self._recorder.stop)
            await asyncio.sleep(0)  # what it told last is taken in
