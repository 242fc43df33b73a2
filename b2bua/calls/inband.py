"""Keys of a leg whose side sends them as tones in the sound: they come to the call's inbox like all others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from b2bua.log import logger
from b2bua.sip.signals import Dtmf
from media import SoundError, Tap
from media.dtmf import DtmfDetector

if TYPE_CHECKING:
    from b2bua.calls.session import Session

log = logger("calls")

METHOD = "inband"


class ToneListener:
    """Listens to one leg until it is stopped or the leg ends.  Costs 0.1 % of a processor."""

    def __init__(self, call: Session, leg: int) -> None:
        self._call, self._leg = call, leg
        self._tap: Tap | None = None
        try:
            self._tap = call.sounds[leg].tap()
        except SoundError as error:
            log.warning("tones cannot be listened for", call=call.id, error=str(error))
            return
        self._task = asyncio.create_task(self._listen(self._tap), name=f"tones {call.id}")

    def stop(self) -> None:
        """End it; harmless when it has ended."""
        if self._tap is not None:
            self._tap.stop()
            self._task.cancel()
            self._tap = None

    async def _listen(self, tap: Tap) -> None:
        call, detector = self._call, DtmfDetector(self._call.exchange.settings.media.clock_rate)
        try:
            async for pcm in tap:
                for key in detector.feed(pcm):
                    call.deliver(Dtmf(self._leg, key, METHOD))
        except Exception as error:
            call.exchange.metrics.faults.inc("speech")
            log.error("tones are not heard any more in this call", call=call.id, exc_info=error)
