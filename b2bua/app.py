"""What is built from what, and in which order it starts; the stop order is its reverse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from b2bua import log as logging
from b2bua import web
from b2bua.calls import consulting
from b2bua.calls.agent_leg import StandingLines
from b2bua.calls.attending import Attending
from b2bua.calls.exchange import Exchange
from b2bua.calls.floor import FloorService
from b2bua.calls.live import GOODBYE, LiveCalls
from b2bua.calls.park import ParkingLot
from b2bua.calls.phone_desk import phone_desk
from b2bua.calls.presence import presence
from b2bua.calls.recorder_service import RecorderService
from b2bua.calls.screening import Screening
from b2bua.calls.supervising import Supervising
from b2bua.dialling.dialler import Dialler
from b2bua.events import EventLog
from b2bua.events.tcp import EventServer, Listener
from b2bua.gatekeeper import Gatekeeper
from b2bua.metrics import Metrics
from b2bua.operating import Operating
from b2bua.outside import Puller
from b2bua.outside.services import Services
from b2bua.reports.keeper import Keeper
from b2bua.reports.sms import SmsAlarms
from b2bua.reports.webhooks import Webhooks
from b2bua.services import Forever, Service
from b2bua.settings import Settings
from b2bua.sip.engine import Certificates, Engine, follow_engine
from b2bua.sip.resolver import Resolver
from b2bua.sip.trunk_desk import TrunkDesk
from b2bua.sip.trunk_metrics import follow_trunks
from b2bua.sip.trunk_service import TrunkService
from b2bua.storage import Storage, StorageUnavailable, dial_purge
from b2bua.storage.api_keys import ApiKeys
from b2bua.storage.calls import Calls
from b2bua.storage.dial_store import DialStore
from b2bua.storage.directory import DirectoryFeed
from b2bua.storage.history import EventHistory
from b2bua.storage.messages import Messages
from b2bua.storage.outside import OutsideTalks
from b2bua.storage.recordings import Recordings, keys_of
from b2bua.storage.recover import Heartbeat
from b2bua.storage.reports import Reports
from b2bua.storage.spool import Spool
from b2bua.storage.tokens import Tokens
from b2bua.untiring import Untiring
from b2bua.voices import Voices
from b2bua.web.keyring import KeyRing
from b2bua.web.rights import RIGHTS, Right
from dialer.keeping import Keeping
from media.music import make_sounds
from media.pj import NativeTaps
from media.recording import Recorder
from routing.responders import responders
from routing.services import Service as TenantService

log = logging.logger("tandem.app")

HEARTBEAT = 1.0
"Seconds between two beats: how far off the end of a call is that a crash cut off."
PURGE = 60.0
"Seconds between two clean-ups of expired tokens."
KEEP_TOKENS = 3600.0
"Seconds an expired token stays readable, so that a late call is told `expired` and not `unknown`."
LAST_DRAIN = 5.0
"Seconds the spool may take at the end to reach the database; what is left then is replayed at the next start."


class Tandem:
    """The server of one process."""

    def __init__(
        self, settings: Settings, storage: Storage, spool: Spool, events: EventLog, feed: DirectoryFeed
    ) -> None:
        self.settings, self.storage, self.spool, self.feed = settings, storage, spool, feed
        self.metrics = Metrics()
        self.tokens, self.keyring = Tokens(storage, settings.node.name), KeyRing(ApiKeys(storage), settings.api.rate)
        music, ringback = make_sounds(settings.node.data_dir, settings.media.music)
        # the engine tells the calls of INVITEs, and the calls use the engine: the cycle is closed here, by name
        self.trunks = TrunkDesk(settings, self.tell, self.metrics.trunk_skipped.inc)
        self.engine = Engine(
            settings, lambda a: self.calls.on_invite(a), lambda r: self.calls.on_refusal(r), self.trunks
        )
        self.puller = Puller(observe=self._pulled)
        # the floor speaks to the calls, and they to the floor
        self.floor = FloorService(
            plan=lambda: feed.plan,
            sessions=lambda: self.calls.sessions.values(),
            session=lambda call: self.calls.sessions.get(call),
            known=lambda extension: feed.current.agent(extension) is not None,
            events=events,
            metrics=self.metrics,
        )
        resolver = Resolver()
        self.lines = StandingLines(
            self.engine,
            resolver,
            lambda extension: self.exchange.callee_at(extension),
            self.floor,
            self.tell,
            settings.calls.ring_timeout,
        )
        self.floor.followers.append(self.lines.on_effect)
        self.attending = Attending(lambda: feed.current, lambda: feed.plan, self.floor, self.lines)
        self.screening = Screening(
            lambda: self.exchange.settings,
            lambda: feed.plan,
            self.metrics,
            self._tell_of,
            OutsideTalks(storage, settings.node.name).since,
            lambda call, by: self.calls.hang_up(call, by),
            lambda call: self.calls.warn(call),
        )
        self.exchange = Exchange(
            settings=settings,
            engine=self.engine,
            directory=lambda: feed.current,
            plan=lambda: feed.plan,
            profiles={name: trunk.profile(name) for name, trunk in settings.trunks.items()},
            floor=self.floor,
            lines=self.lines,
            attending=self.attending,
            tokens=self.tokens,
            puller=self.puller,
            services=Services(self.puller.asker, self._asked),
            responders=responders(lambda: feed.plan),
            presence=lambda extension, call: presence(
                extension,
                call,
                feed.current,
                feed.plan,
                self.floor.floor.agent(extension),
                self.calls.sessions.values(),
            ),
            resolver=resolver,
            trunks=self.trunks,
            screening=self.screening,
            events=events,
            spool=spool,
            metrics=self.metrics,
            music=music,
            ringback=ringback,
            parking=ParkingLot(settings.transfers.rules("").slots),
            recorder=Recorder(NativeTaps(), keep_free=settings.recording.keep_free_mb * 1_000_000),
            recording_keys=keys_of(settings.recording.key_file),
            sessions=lambda: self.calls.sessions.values(),
            call_back=lambda call, queue: self.calls.call_back(call, queue),
            messages=Messages(settings.messages),
            opt_outs=DialStore(storage),
            voices=Voices(settings.speech, settings.sounds, settings.node.data_dir / "speech"),
        )
        self.phones = phone_desk(self.exchange, storage, feed, self.tell)
        self.calls = LiveCalls(self.exchange)
        self.dialler = Dialler(self.exchange, self.calls, storage)
        self.trunk_service = TrunkService(
            self.trunks,
            lambda: self.engine.carriers,
            lambda: self.exchange.settings,
            self.metrics.trunk_probes.inc,
            settings.node.data_dir / "trunks.json",
        )
        self.trunk_service.read()
        self.events = events
        reports, plan = Reports(storage, settings.node.name), lambda: feed.plan
        self.statistics = Keeper(
            events,
            reports,
            plan,
            ZoneInfo(settings.reports.zone),
            keep_quarters=settings.reports.keep_quarters,
            keep_calls=settings.reports.keep_calls,
        )
        counted = self.metrics.webhooks.inc, self.metrics.faults.inc
        self.webhooks = Webhooks(events, reports, self.statistics, plan, *counted)
        self.sms = SmsAlarms(settings.sms, reports, self.statistics, plan, self.metrics.sms.inc)
        self.gatekeeper = Gatekeeper(
            self.engine.gate,
            lambda: self.exchange.settings,
            self.trunks.table,
            lambda: ((one.source.address, one.source.port) for one in self.phones.phones.registrar.all()),
            self.tell,
            self.metrics,
        )
        self.operating = Operating(self)
        self.up = False
        self._follow()

    def services(self, heartbeat: Heartbeat) -> list[Service]:
        """In start order: what others need comes first, and is stopped last."""
        beside = partial(Untiring, observe=self.metrics.service_faults.inc)
        recordings = Recordings(self.settings.recordings, keys=self.exchange.recording_keys)
        self.allow_to_stop(self.settings.node.shutdown_grace)
        return [
            Forever("spool", self._spool, stop_within=LAST_DRAIN + 2),
            Forever("heartbeat", lambda: self._beat(heartbeat)),
            Forever("directory", self.feed.run),
            beside(Forever("clean-up", self._clean_up)),
            beside(Forever("voices", lambda: self.exchange.voices.rehearse(lambda: self.feed.plan))),
            beside(Forever("messages", lambda: self.exchange.messages.keep_clean(self.settings.speech.keep_messages))),
            beside(Forever("recordings", lambda: recordings.keep_clean(self._keep_days))),
            RecorderService(self.exchange.recorder),
            self.metrics.lag,
            Forever("event socket", self._event_socket),
            beside(self.statistics),
            beside(self.webhooks),
            beside(self.sms),
            web.WebServer(self._node()),
            self.dialler.records,
            self.screening,
            self.phones,
            self.engine,
            self._certificates(),
            self.gatekeeper,
            self.operating,
            self.trunk_service,
            self.floor,
            self.lines,
            beside(Forever("quality", self.calls.watch_quality)),
            self.calls,
            self.dialler.agents,
            self.dialler.scheduling,
            Forever("dialler", self.dialler.run),
        ]

    def _certificates(self) -> Certificates:
        """Looks after those of our listeners."""
        service = Certificates(self.settings.listeners, self.engine.reload_certificate)
        left = "Seconds until a listener's certificate expires."
        self.metrics.follow("gauge", "tls_certificate_seconds", left, service.seconds_left, "listener")
        return service

    def allow_to_stop(self, grace: float) -> None:
        """Seconds that calls have to end by themselves when the server stops."""
        self.calls.stop_within = grace + GOODBYE + 1
        self.engine.stop_within = grace + 5

    def tell(self, type_: str, data: Mapping[str, Any]) -> None:
        """An event that belongs to no call."""
        self._tell_of(type_, None, data)

    def _tell_of(self, type_: str, call: str | None, data: Mapping[str, Any]) -> None:
        """An event, of a call where it has one."""
        self.events.append(type_, call, data)
        self.metrics.events.inc(type_)

    def _node(self) -> web.Node:
        """What the API may show and change."""
        return web.Node(
            settings=self.settings,
            storage=self.storage,
            keyring=self.keyring,
            events=self.events,
            calls=self.calls,
            floor=self.floor,
            attending=self.attending,
            metrics=self.metrics,
            statistics=self.statistics,
            directory=lambda: self.feed.current,
            plan=lambda: self.feed.plan,
            reload_directory=self.feed.refresh,
            trunks=self.trunks,
            dialling=self.dialler,
            parking=self.exchange.parking,
            supervising=Supervising(self.exchange),
            consulting=lambda call, wish: consulting.order(self.exchange, call, wish),
            operation=self.operating,
            phones=self.phones.phones.registrar,
            bans=self.gatekeeper,
            checks={
                "start": lambda: None if self.up else "the server is starting",
                "calls": lambda: "no new calls are taken: drained, or stopping" if self.calls.draining else None,
                "spool": lambda: "the disk refuses lines: free some space" if self.spool.alarm else None,
            },
        )

    def _follow(self) -> None:
        """What others count already, read when Prometheus asks."""
        follow, spool = self.metrics.follow, self.spool
        follow_engine(self.metrics, self.engine)
        follow("counter", "log_lines_dropped", "Log lines that found the queue full.", logging.dropped)
        self.storage.observe = self.metrics.storage_op
        follow_trunks(self.metrics, self.trunks)
        self.metrics.active_calls.set_function(lambda: len(self.calls.sessions))
        self.metrics.active_legs.set_function(lambda: self.engine.active_legs)
        follow("gauge", "parked", "Callers who are parked.", lambda: len(self.exchange.parking))
        follow("gauge", "spool_pending", "Records on disk and not in the database yet.", lambda: spool.pending)
        follow("counter", "spool_lost_total", "Records that neither disk nor memory took.", lambda: spool.lost)
        follow("counter", "spool_rejected", "Records the database refused for good.", lambda: spool.rejected)
        follow("gauge", "spool_alarm", "1 while the disk refuses lines.", lambda: float(spool.alarm))
        skipped = "Events that the statistics could not count. The log says why: report it."
        follow("counter", "reports_skipped_total", skipped, lambda: self.statistics.skipped)
        follow("gauge", "reports_behind", "Events not in the statistics yet.", lambda: self.statistics.behind)
        unheard = "Texts and sound files that callers did not hear: not there, or not spoken in time."
        follow("counter", "prompts_unheard", unheard, lambda: self.exchange.voices.failed)
        recorder = self.exchange.recorder
        follow("gauge", "recordings_open", "Files of recordings that are written now.", lambda: len(recorder.running))
        overrun = "Packets of recorded calls that the recorder came too late for."
        follow("counter", "recording_packets_lost_total", overrun, lambda: recorder.overrun)
        follow("counter", "recorder_cpu_seconds_total", "Time of a processor that it has taken.", lambda: recorder.cpu)
        late = "Events that a listener over HTTP has not taken yet."
        follow("gauge", "webhook_behind", late, self.webhooks.behind, "webhook")

    def _asked(self, service: TenantService, outcome: str, seconds: float) -> None:
        self.metrics.services.inc(service.tenant, service.role, outcome)
        self.metrics.service_seconds.observe(seconds, service.role)

    def _pulled(self, access_id: str, outcome: str, seconds: float) -> None:
        self.metrics.pull.inc(access_id, outcome)
        self.metrics.pull_seconds.observe(seconds, access_id)

    async def _spool(self) -> None:
        try:
            await self.spool.run()
        finally:
            if not await self.spool.drain(LAST_DRAIN):
                log.warning("records wait in the spool; they are stored at the next start", pending=self.spool.pending)

    def _keep_days(self, tenant: str | None) -> int:
        """How long recordings are kept."""
        owner = self.feed.current.tenants.get(tenant or "")
        days = owner.keep_recordings if owner is not None else None
        return self.settings.recording.keep_days if days is None else days

    async def _beat(self, heartbeat: Heartbeat) -> None:
        while True:
            heartbeat.beat(time.time(), self.events.last)
            await asyncio.sleep(HEARTBEAT)

    async def _clean_up(self) -> None:
        while True:
            await asyncio.sleep(PURGE)
            try:
                now, keep = time.time(), self.settings.storage.keep_days
                await self.tokens.purge(now - KEEP_TOKENS)
                await dial_purge.purge(self.storage, Keeping(self.settings.laws()), now)
                if keep:
                    await Calls(self.storage).purge(now - keep * 86400)
                    await EventHistory(self.storage, self.settings.node.name).purge(now - keep * 86400)
            except StorageUnavailable as error:
                log.warning("clean-up waits: the database did not answer", error=str(error), do="see to the database")

    async def _event_socket(self) -> None:
        settings = self.settings.events
        check = self._may_listen if settings.needs_key else None
        server = EventServer(self.events, address=settings.address, port=settings.port, check=check)
        await server.start()
        follow = self.metrics.follow
        follow("gauge", "event_listeners", "Listeners on the event socket.", lambda: server.listeners)
        follow("counter", "event_listeners_stalled", "Listeners dropped: they did not read.", lambda: server.stalled)
        follow("counter", "event_listeners_refused", "Listeners turned away.", lambda: server.refused)
        try:
            await asyncio.Event().wait()
        finally:
            await server.close()

    async def _may_listen(self, secret: str | None) -> Listener | None:
        holder = await self.keyring.holder(secret or "")
        if holder is None or Right.EVENTS not in RIGHTS[holder.role]:
            return None
        return Listener(holder.name, holder.tenant)
