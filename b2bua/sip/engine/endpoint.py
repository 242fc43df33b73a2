"""Owner of PJSIP: one endpoint, driven by the asyncio loop on one thread (engine notes (a)).

The loop watches PJSIP's own epoll descriptor and ticks every 10 ms for its timers; media threads stay in C.  Nothing
here waits.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace

import pjsua2 as pj

from b2bua.log import logger
from b2bua.settings import Settings
from b2bua.sip.engine.callbacks import Endpoint
from b2bua.sip.engine.cannot_call import CannotCall
from b2bua.sip.engine.carriers import Carriers
from b2bua.sip.engine.codecs import Codecs
from b2bua.sip.engine.listeners import LegAccount, Listeners, limit_offer
from b2bua.sip.engine.phones_door import PhonesDoor
from b2bua.sip.engine.profiles import answering, trunk_profiles
from b2bua.sip.engine.refers import Refers, speaks_for
from b2bua.sip.engine.sipleg import PjCall, SipLeg
from b2bua.sip.engine.sources import Sources
from b2bua.sip.engine.steering import Steering
from b2bua.sip.engine.tls import Identities
from b2bua.sip.engine.values import Arriving, Headers, Outgoing, Refusal
from b2bua.sip.gate import Gate
from b2bua.sip.keys import key_of
from b2bua.sip.message import BadMessage, Message
from b2bua.sip.resolver import host_of, split_host_port
from b2bua.sip.signals import Dtmf, Info, Signal
from b2bua.sip.trunk_desk import TrunkDesk
from media.pj import close_desk, configure, open_desk
from media.sound import Desk

log = logger("sip")

TICK = 0.010
"Seconds between two looks at PJSIP's timers; T1 is 500 ms."
LONGEST_POLL = 0.002
"Seconds of events before the loop gets its turn: API and timers wait no longer than this under flood."
FULL_POLL = 8
"Events in one look after which there are likely more."
MOST_LEGS = 8192
"Call slots of our PJSIP build (native/config_site.h)."
MOST_RECORDERS = 1024
"The same for files being written."
LEG_ROOM = 1.25
"Call slots for each leg of the admitted calls: from four fifths of the slots on, new calls are refused."


class Engine:
    """The SIP side of the process.

    `on_invite` gets every INVITE that opened a leg, `on_refusal` those that the stack refused by itself; both on the
    loop's thread, between two of PJSIP's events: they must hand on and return.
    """

    name = "sip"
    stop_within = 35.0

    def __init__(
        self,
        settings: Settings,
        on_invite: Callable[[Arriving], None],
        on_refusal: Callable[[Refusal], None],
        desk: TrunkDesk,
    ) -> None:
        self._settings, self.desk = settings, desk
        self._on_invite, self._on_refusal = on_invite, on_refusal
        self._profiles = trunk_profiles(settings)
        self._sources = Sources(settings)
        self._by_dialog: dict[tuple[str, bool], SipLeg] = {}
        "By Call-ID and whether we are the UAS: a call that comes back to us has two legs with one Call-ID."
        self.refers = Refers(self._by_dialog, self._speaks_for, self.fault)
        self._dead: list[PjCall] = []
        self._arriving: Refusal | None = None
        self._arrived: list[Arriving] = []
        "Legs made in this poll: pjsua may still refuse one (422) after it has made it."
        self._numbers = 0
        self.gate, self.door = (gate := Gate()), PhonesDoor(gate)
        self.door.owner_of = self.refers.owner_of
        self.steering = Steering()
        self.faults = 0
        "Exceptions inside callbacks: our own mistakes."

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until cancelled; then hang up what is left and close every socket."""
        self._loop = asyncio.get_running_loop()
        self._start()
        sounds, media = self._settings.node.data_dir / "sounds", self._settings.media
        desk = await open_desk(self._endpoint, sounds, clock_rate=media.clock_rate, relay=media.relay)
        fd = pj.tandem_ioqueue_fd()
        self._loop.add_reader(fd, self._poll)
        try:
            ready()
            while True:
                self._poll()
                await asyncio.sleep(TICK)
        finally:
            await self._stop(fd, desk)

    def follow(self, settings: Settings) -> None:
        """Other settings from now on, as far as they may change while it runs; the legs that live stay as they are."""
        self._settings = settings
        self._profiles.clear()
        self._profiles.update(trunk_profiles(settings))
        self._sources.renew(settings)
        self._codecs.renew(settings)
        self.steering.follow(settings)
        self.gate.guard(settings, self.desk.table)
        self.carriers.follow()

    # -- what calls ask for

    def open(self, out: Outgoing, sink: Callable[[Signal], None]) -> SipLeg:
        """Send the INVITE of a new leg, whose signals go to `sink`.  Raises CannotCall."""
        leg = SipLeg(self, self.number())
        leg.sink = sink
        leg.source = split_host_port(out.destination)[0] if out.destination else host_of(out.target)
        leg.rule = self._sources.rule(out.trunk, out.listener)
        leg.codecs, leg.dtmf = self._codecs.of(out.trunk, out.listener)
        leg.sip_call_id = os.urandom(16).hex()
        account = self.carriers.account(out.trunk, out.destination, out.listener, out.profile, leg.source)
        if not account.has_ports:
            raise CannotCall("no pair of RTP ports is left", ours=True)
        call = PjCall(account, leg, self)
        prm = self.op(out.headers)
        prm.txOption.targetUri = out.target
        prm.txOption.localUri = out.from_uri
        prm.opt.customCallId = leg.sip_call_id
        if not out.offer:
            prm.opt.flag |= pj.PJSUA_CALL_NO_SDP_OFFER
            call.offers = False
        failed: CannotCall | None = None
        self._dead.clear()
        try:
            call.makeCall(out.to or out.target, prm)
        except pj.Error as error:
            failed = CannotCall.by_status(error.status, out.target, error.reason)
        if failed is not None:  # raised here, where no traceback keeps the call alive that was not made
            call.leg = None
            del call
            raise failed
        leg._pj = call
        self.carriers.took(leg.id, account)
        self._by_dialog[leg.sip_call_id, False] = leg
        self.desk.opened(out.trunk, leg.id, outgoing=True)
        return leg

    def number(self) -> int:
        """A number that no leg has had."""
        self._numbers += 1
        return self._numbers

    def signalling_address(self, listener: str, peer: str) -> str:
        """host:port of ours that a peer behind `listener` may see."""
        return self._listeners.signalling_address(listener, peer)

    @property
    def active_legs(self) -> int:
        return len(self._by_dialog)

    def op(self, headers: Headers) -> pj.CallOpParam:
        """A call operation: one audio line, no video, no text, and these headers in this order."""
        prm = pj.CallOpParam(True)
        prm.opt.audioCount, prm.opt.videoCount, prm.opt.textCount = 1, 0, 0
        if headers:
            vector = pj.SipHeaderVector()
            for name, value in headers:
                header = pj.SipHeader()
                header.hName, header.hValue = name, value
                vector.push_back(header)
            prm.txOption.headers = vector
        return prm

    # -- what legs and callbacks report

    def hop(self, leg: SipLeg, signal: Signal) -> None:
        """From any thread to the leg's call."""
        self._loop.call_soon_threadsafe(leg._tell, signal)

    def bury(self, call: PjCall, leg: SipLeg) -> None:
        """The dialog is gone: let the pjsua2 object die as soon as PJSIP has left it, and before its slot serves
        anybody else, which may be the very next INVITE: where many calls in a row stay, pjsua takes the first free
        slot behind them again and again."""
        for we_are_uas in (True, False):
            if self._by_dialog.get((leg.sip_call_id, we_are_uas)) is leg:
                del self._by_dialog[leg.sip_call_id, we_are_uas]
        self._dead.append(call)
        self.carriers.left(leg.id)
        self.desk.closed(leg.id)

    def note(self, leg: SipLeg, what: str, status: int) -> None:
        """An operation that came too late or that the stack refused: the leg's `Closed` tells the rest."""
        log.debug("leg operation refused", leg=leg.id, what=what, status=status)

    def fault(self, leg: SipLeg | None, where: str, error: Exception) -> None:
        self.faults += 1
        log.error("callback failed; the leg is hung up", where=where, leg=leg and leg.id, exc_info=error)
        if leg is not None and where != "onStreamDestroyed":
            self._loop.call_soon_threadsafe(leg.hang_up, 500)

    def _speaks_for(self, owner: str, source: str) -> bool:
        return speaks_for(owner, source, self._settings, self.desk.table, self.door.phones)

    # -- PJSIP's turn

    def _poll(self) -> None:
        handle, end = self._endpoint.libHandleEvents, time.monotonic() + LONGEST_POLL
        while handle(0) >= FULL_POLL and time.monotonic() < end:
            pass  # the epoll descriptor stays readable while anything is left, but asking once more here is cheaper
        self._dead.clear()
        self._contained("carriers", self.carriers.drain)
        if self._arriving is not None:
            self._contained("on_refusal", self._refused_by_stack)
        if self._arrived:
            self._hand_over()
        while pj.tandem_pending():
            self._contained("in-dialog request", self._in_dialog_request)
        if self.gate.waiting():
            self._decide()

    def _contained(self, where: str, work: Callable[[], None]) -> None:
        """A fault in one part of PJSIP's turn is counted and ends neither the others nor the engine."""
        try:
            work()
        except Exception as error:
            self.fault(None, where, error)

    def _decide(self) -> None:
        """What waits at the gate, after the requests of calls that stand; what is let in arrives like any other."""
        self._contained("gate", self.gate.serve)
        self._dead.clear()
        if self._arriving is not None:
            self._contained("on_refusal", self._refused_by_stack)
        if self._arrived:
            self._hand_over()

    def _choose(self, prm: pj.OnSelectAccountParam) -> None:
        """Before pjsua makes a leg of an INVITE: whose is it, and which account shall answer?

        The slot is chosen by now, but there is no call in it: the last moment for whoever had it before to die.
        """
        self._dead.clear()
        if self._arriving is not None:
            self._contained("on_refusal", self._refused_by_stack)
        try:
            rdata = prm.rdata
            source, port = split_host_port(rdata.srcAddress)
            listener = self._listeners.at(*pj.tandem_rx_listener(int(rdata.pjRxData)))
            if listener is None:
                log.info("an INVITE is refused that came in by no listener of ours", source=source)
                return
            message = Message.of(rdata.wholeMsg)
            names = self._endpoint.names_of(rdata.srcAddress)
            trunk = self.desk.table.trunk_of(listener, source, port, message.uri, names)
            door, settings = self.door, self._settings
            profile = self._profiles[trunk] if trunk else door.profile(settings, listener, source, message)
            profile = answering(profile, message.body)
            limit_offer(int(rdata.pjRxData), profile)
            account = self._listeners.account(listener, source, profile)
            prm.accountIndex = account.getId()
            self._arriving = Refusal(message, listener, trunk, source)
        except BadMessage as error:
            self._arriving = None
            log.info("an INVITE is refused that only PJSIP can read", source=source, why=str(error))
        except Exception as error:
            self._arriving = None
            self.fault(None, "onSelectAccount", error)

    def _take(self, account: LegAccount, prm: pj.OnIncomingCallParam) -> None:
        """An INVITE became a leg."""
        leg = SipLeg(self, self.number())
        leg.rule = self._sources.nobody
        call = PjCall(account, leg, self, prm.callId)
        leg._pj = call
        arriving, self._arriving = self._arriving, None
        if arriving is None:  # and was told of
            self._loop.call_soon_threadsafe(leg.hang_up, 400)
            return
        try:
            leg.source = arriving.source
            leg.rule = self._sources.rule(arriving.trunk, arriving.listener)
            leg.codecs, leg.dtmf = self._codecs.of(arriving.trunk, arriving.listener)
            leg.sip_call_id = arriving.message.header("call-id") or ""
            self._by_dialog[leg.sip_call_id, True] = leg
            self.desk.opened(arriving.trunk or "", leg.id, outgoing=False)
            self._arrived.append(self.door.arriving(leg, arriving))
        except Exception as error:
            self.fault(leg, "onIncomingCall", error)

    def _hand_over(self) -> None:
        """The legs that PJSIP has made and kept become calls; those it has ended already were none."""
        arrived, self._arrived = self._arrived, []
        for a in arrived:
            try:
                if a.leg.alive:
                    self._on_invite(a)
                else:
                    self._on_refusal(Refusal(a.message, a.listener, a.trunk, a.source, a.leg.code))
            except Exception as error:
                self.fault(a.leg, "on_invite", error)

    def _refused_by_stack(self) -> None:
        refusal, self._arriving = self._arriving, None
        if refusal is not None:
            call_id = refusal.message.header("call-id") or ""
            code = pj.tandem_refused(call_id) if call_id.isascii() else 0
            self._on_refusal(replace(refusal, code=code))

    def _in_dialog_request(self) -> None:
        """INFO and the like that native/usage.c answered and kept for us."""
        call_id, we_are_uas, method, raw = pj.tandem_next_request()
        leg = self._by_dialog.get((call_id, bool(we_are_uas)))
        if leg is None or method != "INFO":
            return
        try:
            message = Message.of(raw)
        except BadMessage as error:
            log.info("an INFO is passed over that only PJSIP can read", leg=leg.id, why=str(error))
            return
        key = key_of(message.body.decode("ascii", "replace")) if message.content_type == "application/dtmf" else None
        leg.by_info = leg.by_info or key is not None
        if key is not None and not leg.key_rate.allows(time.monotonic()):
            return
        leg._tell(Info(leg.id, raw) if key is None else Dtmf(leg.id, key, "info"))

    def counters(self) -> dict[str, int]:
        """What the gate and the dialog usage have done since the start, by counter."""
        counted: dict[str, int] = pj.tandem_counters()
        return counted

    def reload_certificate(self, listener: str) -> int:
        """New connections get what is in its files now; 0 or PJSIP's status."""
        return self._listeners.reload_certificate(listener)

    # -- life

    def _start(self) -> None:
        settings = self._settings
        self._endpoint = Endpoint(self._choose, Identities(lambda: self._settings, self.desk.table))
        pj.tandem_log_level(1)
        self._endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.maxCalls = min(MOST_LEGS, int(settings.node.max_calls * 2 * LEG_ROOM) + 64)
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = False
        config.uaConfig.userAgent = ""
        config.uaConfig.natTypeInSdp = 0
        config.logConfig.level = 1
        config.logConfig.consoleLevel = 0
        config.logConfig.msgLogging = 0
        legs, recorders = config.uaConfig.maxCalls, MOST_RECORDERS if settings.recording.when == "always" else 0
        configure(config.medConfig, legs=legs, clock_rate=settings.media.clock_rate, recorders=min(recorders, legs))
        self._endpoint.libInit(config)
        status = pj.tandem_native_start()
        if status:
            raise RuntimeError(f"the gate did not start: PJSIP status {status}")
        pj.tandem_relay_threads(settings.media.threads)
        self.steering.start(settings, legs)
        pj.tandem_on_refer(self.refers.decide)
        self._listeners = Listeners(self._endpoint, settings.listeners, settings.media, self._take)
        self.gate.guard(settings, self.desk.table)
        self._listeners.open()
        self.carriers = Carriers(self._listeners, lambda: self._settings, self._take, self._profiles)
        self.door.open(self._listeners, self.carriers)
        self.gate.guard(settings, self.desk.table)
        self._codecs = Codecs(self._endpoint, settings)
        self._endpoint.libStart()

    async def _stop(self, fd: int, desk: Desk) -> None:
        self._endpoint.hangupAllCalls()
        end = self._loop.time() + self._settings.node.shutdown_grace
        while self._by_dialog and self._loop.time() < end:
            self._poll()
            await asyncio.sleep(TICK)
        await close_desk(desk)
        self._loop.remove_reader(fd)
        self.carriers.close()
        self._listeners.close()
        self._poll()
        pj.tandem_on_refer(None)
        pj.tandem_native_stop()
        self._endpoint.libDestroy()
