"""Services beside the calls begin again after a fault: a defect in the statistics must not end anybody's call.

Services that calls stand on (spool, engine, calls, floor) are not wrapped: where one of those fails the server ends,
its supervisor starts it again, and nothing is served from a state nobody can vouch for.
"""

import asyncio
from collections.abc import Awaitable, Callable

from b2bua import log as logging
from b2bua.services import STOP_WITHIN, EndedByItself, Service

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"Seconds between two attempts; doubled each time, and as at first again after a run that was longer than this."

log = logging.logger("tandem.services")


class Untiring:
    """A service that runs `service` again after each fault, once it was ready for the first time."""

    def __init__(
        self,
        service: Service,
        observe: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`observe` is told the name at each fault."""
        self.service, self._observe, self._sleep = service, observe, sleep

    def __repr__(self) -> str:
        return f"<untiring {self.name}>"

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def stop_within(self) -> float:
        return float(getattr(self.service, "stop_within", STOP_WITHIN))

    async def run(self, ready: Callable[[], None]) -> None:
        """Until cancelled.  A fault before the service is ready for the first time is the server's, and raised."""
        up, pause = asyncio.Event(), FIRST_PAUSE

        def is_ready() -> None:
            up.set()
            ready()

        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                await self._once(is_ready)
            except Exception as error:
                if not up.is_set():
                    raise
                pause = FIRST_PAUSE if clock() - began > LONGEST_PAUSE else pause
                self._observe(self.name)
                log.error(
                    "a service failed and begins again; calls go on",
                    service=self.name,
                    seconds=pause,
                    do="report the lines below as a defect",
                    exc_info=error,
                )
                await self._sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _once(self, ready: Callable[[], None]) -> None:
        """One life of the service, which never ends without an exception."""
        try:
            await self.service.run(ready)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
        raise EndedByItself(self.name) from None
