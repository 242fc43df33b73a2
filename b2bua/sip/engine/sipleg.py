"""One leg as the calls see it, and the pjsua2 object behind it (engine notes: callbacks translate and leave).

The pjsua2 object must die the moment its dialog is gone: a late `~Call()` hangs up whoever has its slot by then.  So
only the `SipLeg` is handed out, and the only reference to the `PjCall` is in it, until `Closed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING

import pjsua2 as pj

from b2bua.sip.engine.quality import with_stream
from b2bua.sip.engine.received import describes_sound, received, values
from b2bua.sip.engine.sdp import audio_is_gone
from b2bua.sip.engine.values import Headers
from b2bua.sip.header_values import retry_after
from b2bua.sip.key_ways import Agreed, Way, Wish, heard_as_tones, sent_as
from b2bua.sip.keys import KEYS, KeyRate, Presses
from b2bua.sip.message import BadMessage, Message
from b2bua.sip.refer import CONTENT_TYPE, sipfrag
from b2bua.sip.signals import Answered, Closed, Dtmf, Progress, Quality, Signal, Sound
from media.path import Codec
from media.ports import Line

if TYPE_CHECKING:
    from b2bua.sip.engine.endpoint import Engine

NO_SINK: Callable[[Signal], None] = lambda signal: None  # noqa: E731
EARLY, CONFIRMED = pj.PJSIP_INV_STATE_EARLY, pj.PJSIP_INV_STATE_CONFIRMED
DISCONNECTED, UAC = pj.PJSIP_INV_STATE_DISCONNECTED, pj.PJSIP_ROLE_UAC
BY_INFO = pj.PJSUA_DTMF_METHOD_SIP_INFO
KEY_ENDED = 1 << 1  # PJMEDIA_STREAM_DTMF_IS_END, which SWIG does not see
HELD_BY_PEER = pj.PJSUA_CALL_MEDIA_REMOTE_HOLD
PAUSES = frozenset({500, 503})
"Statuses whose Retry-After speaks of the whole server."
INFO_DTMF = 160
"Milliseconds a key lasts that we send by INFO."
SUBSCRIBED = 180
"Seconds that we say a transfer may take."


class SipLeg:
    """A dialog of ours.  All methods return at once; on a leg that is gone they do nothing and return False."""

    __slots__ = (
        "_early", "_engine", "_later", "_pj", "agreed", "by_info", "code", "codecs", "dropped", "dtmf", "id",
        "key_rate", "owner", "quality", "redirected", "referrals", "rule", "sink", "sip_call_id", "source",
    )  # fmt: skip

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine = engine
        self._pj: PjCall | None = None
        self._early = False
        self._later: list[Signal] = []
        self.id = number
        self.sink: Callable[[Signal], None] = NO_SINK
        "Where the leg's signals go; called on the loop's thread."
        self.sip_call_id = ""
        self.source = ""
        self.rule = -1
        "Whose sound it may hear, as `Sources` numbers them."
        self.codecs = -1
        "Which codecs its SDP names, as `Codecs` numbers them; negative: those that all have."
        self.dtmf: Wish = "auto"
        self.agreed: Agreed | None = None
        "What offer and answer came to; the last stream's, where there is none now."
        self.key_rate = KeyRate()
        self.by_info = False
        "Its far end has sent keys by INFO."
        self.code = 0
        "The last status seen or sent."
        self.dropped = False
        "We asked for the end."
        self.quality: Quality | None = None
        self.owner = ""
        "Whose it is, where its far end may ask for transfers: an agent's extension, or `trunk NAME`."
        self.referrals = 0
        "How many transfers it has asked for."
        self.redirected: tuple[str, ...] = ()
        "The Contact headers of the 3xx that ended it."

    def __repr__(self) -> str:
        return f"<leg {self.id} {'gone' if self._pj is None else 'alive'} {self.code}>"

    @property
    def alive(self) -> bool:
        return self._pj is not None

    @property
    def under(self) -> SipLeg:
        """The leg that has the dialog."""
        return self

    def ring(self, headers: Headers = ()) -> bool:
        """180 to the caller."""
        return self._answer(180, headers)

    def progress(self, headers: Headers = ()) -> bool:
        """183 with our SDP: the caller hears what we send from now on."""
        return self._answer(183, headers)

    def answer(self, headers: Headers = ()) -> bool:
        """200 to the caller."""
        return self._answer(200, headers)

    def hang_up(self, code: int = 0, headers: Headers = ()) -> bool:
        """BYE, CANCEL or the failure `code`, whichever the dialog's state asks for."""
        call = self._pj
        if call is None or self.dropped:
            return False
        self.dropped = True
        self.code = code or self.code
        status = pj.tandem_hangup(call.slot, code or 603, headers)
        if status:
            self._engine.note(self, "hangup", status)
        return not status

    @property
    def keys_sent_as(self) -> Way:
        """How a key goes to the far end now; empty where it cannot."""
        return sent_as(self.dtmf, self.agreed, by_info=self.by_info) if self.agreed is not None else ""

    @property
    def keys_are_tones(self) -> bool:
        """Whether its keys have to be looked for in its sound."""
        return self.agreed is not None and heard_as_tones(self.dtmf, self.agreed, by_info=self.by_info)

    def send_dtmf(self, digit: str) -> Way:
        """One key to the far end; returns the way, empty where there is none.

        `inband`: nothing is done here; whoever has its sound lets it hear the tones.
        """
        call, way = self._pj, self.keys_sent_as
        if call is None:
            return ""
        try:
            if way == "rfc4733":
                call.dialDtmf(digit)
                if call.port:
                    pj.tandem_gap_wake(call.port)
            elif way == "info":
                prm = pj.CallSendRequestParam()
                prm.method = "INFO"
                prm.txOption.contentType = "application/dtmf-relay"
                prm.txOption.msgBody = f"Signal={digit}\r\nDuration={INFO_DTMF}\r\n"
                call.sendRequest(prm)
        except pj.Error as error:
            self._engine.note(self, f"a key as {way}", error.status)
            return ""
        return way

    def notify(self, code: int, phrase: str, *, final: bool, number: int = 0) -> bool:
        """What has become of a transfer that the far end asked for (RFC 3515 2.4.4); `number`: of which, where it was
        not the first."""
        call = self._pj
        if call is None or self.dropped:
            return False
        prm = self._engine.op(
            (
                ("Event", f"refer;id={number}" if number else "refer"),
                ("Subscription-State", "terminated;reason=noresource" if final else f"active;expires={SUBSCRIBED}"),
            )
        )
        request = pj.CallSendRequestParam()
        request.method, request.txOption = "NOTIFY", prm.txOption
        request.txOption.contentType = CONTENT_TYPE
        request.txOption.msgBody = sipfrag(code, phrase).decode()
        try:
            call.sendRequest(request)
        except pj.Error as error:
            self._engine.note(self, "NOTIFY", error.status)
            return False
        return True

    @property
    def trying(self) -> bool:
        """A 100 has come for its INVITE, lately; 18x and answers are told as signals."""
        return bool(pj.tandem_trying(self.sip_call_id))

    def native_id(self) -> int:
        """The slot in pjsua's call table, -1 when gone."""
        return self._pj.slot if self._pj is not None else -1

    def _answer(self, code: int, headers: Headers) -> bool:
        call = self._pj
        if call is None or self.dropped:
            return False
        self.code = code
        status = pj.tandem_answer(call.slot, code, headers)
        if status:
            self._engine.note(self, f"answer {code}", status)
        return not status

    def tell_later(self, signal: Signal) -> None:
        """Tell it when PJSIP has done with the message it came in, but before anything that comes behind it."""
        self._later.append(signal)
        asyncio.get_running_loop().call_soon(self._tell_held)

    def _tell_held(self) -> None:
        held, self._later = self._later, []
        for signal in held:
            self.sink(signal)

    def _tell(self, signal: Signal) -> None:
        if self._later:
            self._tell_held()
        self.sink(signal)


class PjCall(pj.Call):
    """pjsua2's callbacks for one leg: make a value, hand it on, return.  Never raises into C."""

    def __init__(self, account: pj.Account, leg: SipLeg, engine: Engine, call_id: int = -1) -> None:
        super().__init__(account, call_id)
        self.leg: SipLeg | None = leg
        self.engine = engine
        self.slot = call_id
        "Our place in pjsua's call table; -1 until it is known."
        self.port = 0
        "The stream's media port, for native/gap.c; 0: none."
        self.offers = True
        "Our INVITE carries an offer, so that SDP in a 18x is its answer."
        self.redirected = 0
        "The 3xx we were sent, where that ends the call: PJSIP itself then says 487."
        self._line: Line | None = None
        self._presses = Presses()

    def onCallState(self, prm: pj.OnCallStateParam) -> None:
        leg = self.leg
        if leg is None:
            return
        try:
            brief = pj.tandem_brief(self._find_slot())
            if brief is None:
                return
            state, role, code, _, _ = brief
            if state == EARLY:
                if role == UAC:
                    leg.code = code
                    early_media = self.offers and describes_sound(received(prm))
                    leg._tell(Progress(leg.id, code, early_media))
            elif state == CONFIRMED:
                leg.code = 200
                self.engine.desk.answered(leg.id)
                leg._tell(Answered(leg.id))
            elif state == DISCONNECTED:
                self._closed(leg, self.redirected or code, "" if leg.dropped else received(prm))
        except Exception as error:
            self.engine.fault(leg, "onCallState", error)

    def _closed(self, leg: SipLeg, code: int, message: str) -> None:
        leg._pj = None
        self.leg = None
        self._drop_line()
        self.engine.bury(self, leg)
        leg.code = code or leg.code
        reason = ", ".join(values(message, "reason"))
        pause = retry_after(next(iter(values(message, "retry-after")), "")) if leg.code in PAUSES else None
        local = not leg.dropped and (not message or message.startswith("SIP/2.0 2"))
        leg._tell(Closed(leg.id, leg.code, not leg.dropped, reason, leg.quality, local, pause))
        leg.sink = NO_SINK

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:
        leg = self.leg
        if leg is None:
            return
        try:
            brief = pj.tandem_brief(self._find_slot())
            if brief is None:
                return
            _, _, _, index, status = brief
            if index < 0:
                leg._tell(Sound(leg.id, None, status == HELD_BY_PEER))
                return
            if self._line is None:  # else the stream is the one it was, and so is its place in the conference
                agreed = leg.agreed
                codec = _codec(agreed.codec, agreed.clock_rate, agreed.ptime) if agreed is not None else None
                self._line = Line(self.getAudioMedia(index), self._find_slot(), codec, self.port)
            leg._tell(Sound(leg.id, self._line, status == HELD_BY_PEER))
        except Exception as error:
            self.engine.fault(leg, "onCallMediaState", error)

    def _find_slot(self) -> int:
        """The slot, also inside `makeCall`, whose callbacks come before it has told us."""
        if self.slot < 0:
            self.slot = self.getId()
        return self.slot

    def _drop_line(self) -> None:
        """The conference port is no longer this leg's: nobody may connect to it, it may be a stranger's soon."""
        if self._line is not None:
            self._line.gone()
            self._line = None

    def onDtmfEvent(self, prm: pj.OnDtmfEventParam) -> None:
        """Each packet of a key (media thread) and each INFO with one (polling thread): hops to the loop."""
        leg = self.leg
        if leg is None:
            return
        try:
            key, info = prm.digit.upper(), prm.method == BY_INFO
            if key not in KEYS:
                return
            ended = bool(prm.flags & KEY_ENDED)
            leg.by_info = leg.by_info or info
            begins = info or self._presses.begins(key, int(prm.timestamp), int(prm.duration), ended=ended)
            if begins and leg.key_rate.allows(monotonic()):
                self.engine.hop(leg, Dtmf(leg.id, key, "info" if info else "rfc4733", max(0, int(prm.duration))))
        except Exception as error:
            self.engine.fault(leg, "onDtmfEvent", error)

    def onCreateMediaTransport(self, prm: pj.OnCreateMediaTransportParam) -> None:
        """The leg's sockets are there and nothing has been read from them: from now on its own rule holds."""
        leg = self.leg
        try:
            status = pj.tandem_guard(int(prm.mediaTp), leg.rule, leg.source) if leg is not None else 0
            if status:
                raise RuntimeError(f"a leg without a guard: PJSIP status {status}")
            if leg is not None and leg.codecs >= 0 and (status := pj.tandem_codecs_for(int(prm.mediaTp), leg.codecs)):
                raise RuntimeError(f"a leg without its codecs: PJSIP status {status}")
        except Exception as error:
            self.engine.fault(leg, "onCreateMediaTransport", error)

    def onStreamCreated(self, prm: pj.OnStreamCreatedParam) -> None:
        """Before the conference gets the stream: a far end that sends nothing is passed over, not sent on as
        silence."""
        if pj.tandem_gap(int(prm.stream), int(prm.pPort)):
            self.port = int(prm.pPort)
        if self.leg is not None and (agreed := pj.tandem_agreed(int(prm.stream))) is not None:
            self.leg.agreed = Agreed(*agreed[:4], events=bool(agreed[4]))

    def onStreamDestroyed(self, prm: pj.OnStreamDestroyedParam) -> None:
        """The last moment at which the stream's counters can be read; a re-INVITE adds to what was counted before."""
        self.port = 0
        self._drop_line()
        leg = self.leg
        if leg is None:
            return
        try:
            leg.quality = with_stream(self._find_slot(), prm.streamIdx, leg.quality)
        except Exception as error:
            self.engine.fault(leg, "onStreamDestroyed", error)

    def onCallRxReinvite(self, prm: pj.OnCallRxReinviteParam) -> None:
        """T.38, video only or nothing at all instead of our audio: 488, and the sound goes on as it was (RFC
        3261 14.2)."""
        try:
            if audio_is_gone(prm.offer.wholeSdp):
                prm.statusCode = 488
        except Exception as error:
            self.engine.fault(self.leg, "onCallRxReinvite", error)

    def onCallRedirected(self, prm: pj.OnCallRedirectedParam) -> int:
        """A 3xx is a refusal here: nobody who is called chooses whom we call."""
        self.redirected = prm.e.body.tsxState.tsx.statusCode
        try:
            if self.leg is not None:
                self.leg.redirected = tuple(Message.of(received(prm)).all("contact"))
        except BadMessage:
            pass  # a refusal, then, without a word about elsewhere
        return int(pj.PJSIP_REDIRECT_STOP)

    def onCallReplaceRequest(self, prm: pj.OnCallReplaceRequestParam) -> None:
        """INVITE with Replaces: refused, a stranger could take over a call by guessing its tags."""
        prm.statusCode = 603

    def onCallTransferRequest(self, prm: pj.OnCallTransferRequestParam) -> None:
        """REFER never reaches pjsua (native/usage.c answers it); refuse all the same."""
        prm.statusCode = 603


@lru_cache(64)
def _codec(name: str, rate: int, ptime: int) -> Codec:
    """One value for all the legs that speak alike."""
    return Codec(name, rate, ptime)
