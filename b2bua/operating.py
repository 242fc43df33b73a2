"""What operators do with a running node, put together: drain, reload (SIGHUP too), traces, the limit of new calls."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from b2bua import log as logging
from b2bua.calls.drain import Drain
from b2bua.calls.operation import DrainView, LegView, Reloaded
from b2bua.calls.screening import Count
from b2bua.calls.view import CannotStart
from b2bua.overload import Overload
from b2bua.reloading import Reloading
from b2bua.settings import Settings, SettingsError, load
from b2bua.sip.traced import Traced

if TYPE_CHECKING:
    from b2bua.app import Tandem

log = logging.logger("tandem.operating")


class Operating:
    """A service, and the API's `Operation`: each of those methods is what its namesake there promises."""

    name = "operating"

    def __init__(self, tandem: Tandem) -> None:
        self._tandem, calls = tandem, tandem.calls
        self.drained = Drain(calls, tandem.tell, time.time)
        self.reloading = Reloading(tandem.settings, lambda: load(tandem.settings.file), tandem.tell)
        self.overload = Overload(tandem.engine.steering, lambda: tandem.exchange.settings, tandem.metrics)
        self._hangups: set[asyncio.Task[None]] = set()
        kept, tracing = (
            "Memory of the SIP messages that are kept, by part (room, used).",
            tandem.engine.steering.tracing,
        )
        tandem.metrics.follow("gauge", "trace_bytes", kept, tracing.readings, "part")
        self._follow()

    async def run(self, ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._on_hangup)
        try:
            await self.overload.run(ready)
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # calls that are let end must not be ended by it

    # -- as the API knows it

    @property
    def settings(self) -> Settings:
        return self.reloading.settings

    def legs(self, call: str) -> Sequence[LegView] | None:
        session = self._tandem.calls.sessions.get(call)
        if session is None:
            return None
        parts = session.record.parts.values()
        return [LegView(part.n, part.role, part.party, part.sip_call_id) for part in parts]

    async def messages(self, call_ids: Iterable[str]) -> Sequence[Traced]:
        return await self._tandem.engine.steering.tracing.messages(call_ids)

    def oldest_message(self) -> float:
        return self._tandem.engine.steering.tracing.state().oldest

    def drain_view(self) -> DrainView:
        return self.drained.view()

    def drain(self, by: str, end_after: float | None) -> DrainView:
        return self.drained.begin(by, end_after)

    def undrain(self, by: str) -> DrainView:
        return self.drained.end(by)

    async def reload(self, by: str) -> Reloaded:
        if not self._tandem.up:
            raise CannotStart("the server is starting", busy=True)
        return await self.reloading.reload(by)

    def counts(self) -> Sequence[Count]:
        return self._tandem.screening.counts()

    # -- who goes by other settings at once

    def _follow(self) -> None:
        """The first is told first: what it says holds for those behind it."""
        follow, tandem = self.reloading.follow, self._tandem
        everywhere = (
            "trunks.*", "trunk_groups.*", "calls.*", "screening.*", "security.*", "overload.*", "trace.*", "sources.*",
            "law_profiles.*", "law_regions.*", "feature_codes.outside", "node.shutdown_grace", "storage.keep_days",
            "api.max_body", "log.*", "transfers.outside", "transfers.hosts", "transfers.follow_redirects",
            "transfers.park_timeout", "transfers.pick_up", "quality.*",
        )  # fmt: skip
        follow("settings", everywhere, self._everywhere)
        follow("trunks", ("trunks.*", "trunk_groups.*"), self._trunks)
        follow(
            "sip", ("trunks.*", "trunk_groups.*", "screening.*", "trace.*", "node.shutdown_grace"), tandem.engine.follow
        )
        follow("laws", ("law_profiles.*", "law_regions.*"), self._laws)
        follow("log", ("log.*",), lambda settings: logging.change(settings.log))

    def _everywhere(self, settings: Settings) -> None:
        tandem = self._tandem
        tandem.settings = tandem.exchange.settings = settings
        tandem.exchange.profiles = settings.profiles()
        tandem.lines.ring_for = settings.calls.ring_timeout
        tandem.allow_to_stop(settings.node.shutdown_grace)

    def _trunks(self, settings: Settings) -> None:
        self._tandem.trunks.adopt(settings)
        self._tandem.trunk_service.adopted()

    def _laws(self, settings: Settings) -> None:
        self._tandem.dialler.scheduling.profiles = settings.laws()

    def _on_hangup(self) -> None:
        task = asyncio.create_task(self._by_signal(), name="reload")
        self._hangups.add(task)
        task.add_done_callback(self._hangups.discard)

    async def _by_signal(self) -> None:
        try:
            await self.reloading.reload("SIGHUP")
        except SettingsError:
            pass  # all mistakes are in the log
        except Exception as error:
            log.error("the reload failed", exc_info=error)
