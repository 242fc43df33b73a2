"""One call: its task, its inbox, its legs.

Only the call's own task changes it; everybody else delivers to the inbox.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from b2bua.calls import outside
from b2bua.calls.deliveries import (
    Beside,
    CallerLeft,
    Consult,
    Delivery,
    HangUp,
    Moved,
    Ordered,
    Rerouted,
    Said,
    Silent,
)
from b2bua.calls.inband import METHOD as TONES
from b2bua.calls.inband import KeyTones
from b2bua.calls.journey import Journey
from b2bua.calls.moving import GivenAway, Handed, HandOver, adopt, release
from b2bua.calls.parties import Attach, Close, Effect, Held, Join, Part, Parties, Role, SendDtmf
from b2bua.calls.path_news import PathNews
from b2bua.calls.record import Record
from b2bua.calls.recording import CallRecording, RecordingOrder
from b2bua.log import logger
from b2bua.sip.engine import Headers, SipLeg
from b2bua.sip.leg import Leg
from b2bua.sip.signals import Answered, Closed, Dtmf, Progress, Refer, Signal
from b2bua.sip.signals import Sound as Heard
from media import Bridge, Decision, Playing, Sound, Way, Who, bridge
from routing.floor import Announce, Leave, Offer, Withdraw

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.monitoring import Monitoring
    from b2bua.calls.token import HeldToken
    from b2bua.calls.transfer import Transfer
    from routing.goal import Goal

log = logger("calls")

__all__ = ["CallerLeft", "Delivery", "HangUp", "Moved", "Ordered", "Rerouted", "Said", "Session", "Silent"]


class Session:
    """A live call.

    Steps (`inbound`, `offer`, `talk`) await `next()`; effects of each signal are carried out before it returns.
    """

    def __init__(self, exchange: Exchange, record: Record) -> None:
        self.exchange = exchange
        self.record = record
        self.parties = Parties()
        self.legs: dict[int, SipLeg] = {}
        self.agents: dict[int, str] = {}
        "Extensions of the agents who talk, or have talked, by leg: what the floor is compared with."
        self.sounds: dict[int, Sound] = {}
        self.caller: int | None = None
        "The leg whose end is the end of the call; None until a first party has answered in a call that we place."
        self.shown_number = ""
        self.shown_name = ""
        "Whom the next phone that we ring shows as calling."
        self.has_offer = True
        "The caller's INVITE carried SDP: early media can be passed on."
        self.max_forwards = 70
        self.marks: Headers = ()
        "Headers of the INVITEs to agents, beside those that every one has; never towards a trunk."
        self.carried: Headers = ()
        "Headers that came with the caller's INVITE and may go on (`headers_in` of his trunk)."
        self.private = False
        "The caller does not want to be shown (RFC 3323)."
        self.hidden = False
        "Nor is he to agents: all that is known of him is what the network says."
        self.held_token: HeldToken | None = None
        self.state = "new"
        self.data: dict[str, Any] = {}
        "Business data of the caller, for the agent's screen."
        self.journey = Journey()
        self.follows = False
        "It goes from goal to goal, so it can be sent to another one (`Rerouted`)."
        self.on_refer: Callable[[Session, Refer, int], None] | None = None
        "What becomes of a transfer that a phone in it asks for; raises Moved.  None: nothing does."
        self.on_consult: Callable[[Session, int, Consult], Awaitable[None]] | None = None
        "What an agent who asks a colleague does with the call (docs/transfers.md).  None: he cannot."
        self.going: Goal | None = None
        "Where it goes, or has come to."
        self.conversing: set[int] = set()
        "Legs that talk, so that they may send each other elsewhere."
        self.transfer: Transfer | None = None
        "The last time that somebody sent it elsewhere."
        self.returns_to = ""
        "The agent to whom it comes back while it does: it ends his wrap-up."
        self.taking_over = ""
        "The agent who takes his part of it to another phone of his: he is not let go between the two."
        self.talk_began = 0.0
        "When the caller and whoever serves him began to hear each other (the loop's clock)."
        self.picked_up = False
        "The caller's INVITE has got its 200: he is up, whoever or whatever he hears."
        self.recording = CallRecording()
        self.dials = outside.Dials()
        "Who has the next number dialled: for the policies (docs/fraud.md)."
        self.outside: dict[int, outside.OutsideLeg] = {}
        "Legs that have left through a trunk by permission."
        self.own_keys: set[int] = set()
        "Legs whose keys are codes to the step that is on: it passes on what the partner is to have (`pass_key`)."
        self.monitoring: Monitoring | None = None
        "Supervisors who listen, or have listened; None: nobody has asked for it."
        self.spared: set[int] = set()
        "Legs that stay where the call goes elsewhere, beside its caller's: of supervisors, and of who is consulted."
        self.key_tones = KeyTones(self)
        self._inbox: deque[Delivery] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        "One timer serves all waits until the same moment."
        self._loop = asyncio.get_running_loop()
        self.clock = self._loop.time
        "Monotonic seconds: the clock of every `until`."
        self._bridges: dict[tuple[int, int], Bridge] = {}
        self._path = PathNews(self)
        self._ringback: Playing | None = None

    def __repr__(self) -> str:
        return f"<call {self.record.row.id} {self.state} {self.parties!r}>"

    @property
    def id(self) -> str:
        return self.record.row.id

    @property
    def sound_path(self) -> Decision | None:
        """How those who talk hear each other: over the relay where all of them do; None: nobody talks."""
        ways = [joined.decision for joined in self._bridges.values()]
        return next((one for one in ways if one.way is Way.CONFERENCE), ways[0] if ways else None)

    # -- from anywhere on the loop

    def deliver(self, delivery: Delivery) -> None:
        """Into the inbox; never waits, never fails."""
        if isinstance(delivery, Dtmf) and not self.key_tones.counts(delivery):
            return
        self._inbox.append(delivery)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # -- for the call's own steps

    def add(self, leg: SipLeg, role: Role, party: str) -> None:
        """A leg joins the call; from now on it has a part in the record."""
        leg.sink = self.deliver
        self.legs[leg.id] = leg
        self.sounds[leg.id] = Sound(who=Who.SUPERVISOR if role is Role.SUPERVISOR else Who.LEG)
        self.parties.add(leg.id, role)
        trunk = self.exchange.trunks.trunk_of(leg.id)
        self.record.add(leg.id, role, party, leg.sip_call_id, self._loop.time(), trunk)

    async def next(self, until: float | None = None) -> Delivery | None:
        """The next thing that happens, its effects done; None when `until` (loop time, seconds) passes first.

        Raises CallerLeft, Ordered or Moved where that is what happens.
        """
        while await self._arrival(until):
            delivery = self._take()
            if delivery is not None:
                return delivery
        return None

    async def _arrival(self, until: float | None) -> bool:
        while not self._inbox:
            if not await self._wait(until):
                return False
        return True

    def check(self) -> None:
        """Raises as `next` does where the caller has left, or somebody ended or moved the call; takes nothing in
        otherwise."""
        if any(self._ends(delivery) for delivery in self._inbox):
            self.catch_up()

    def _ends(self, delivery: Delivery) -> bool:
        if isinstance(delivery, Closed):
            return delivery.leg == self.caller
        return isinstance(delivery, (HangUp, Rerouted, HandOver))

    def catch_up(self) -> None:
        """Take in what happened while a step waited for something else; raises as `next` does."""
        while self._inbox:
            self._take()

    def _take(self) -> Delivery | None:
        """One delivery and its effects; None where it does not concern the step that is on."""
        delivery = self._inbox.popleft()
        if isinstance(delivery, Beside):
            delivery.do(self)
            return None
        if self.monitoring is not None and self.monitoring.concerns(delivery):
            if isinstance(delivery, (Progress, Answered, Heard, Closed)):
                self._note(delivery)
                self.apply(self.parties.on(delivery))
            elif isinstance(delivery, Refer):
                self._refuse_early(delivery)
            self.monitoring.on(self, delivery)
            return None
        if isinstance(delivery, HangUp):
            raise Ordered(delivery.by)
        if isinstance(delivery, Rerouted):
            self.data |= delivery.data
            raise Moved(delivery.goal, delivery.by, delivery.step)
        if isinstance(delivery, HandOver):
            self._give_away(delivery)
        elif isinstance(delivery, Handed):
            adopt(self, delivery.packet)
        elif isinstance(delivery, Refer):
            self._refuse_early(delivery)
        elif isinstance(delivery, RecordingOrder):
            self.recording.obey(self, delivery)
        elif isinstance(delivery, Dtmf) and delivery.leg in self.own_keys:
            self._note(delivery)
        elif not isinstance(delivery, (Silent, Said, Consult, Offer, Withdraw, Leave, Announce)):
            self._note(delivery)
            self.apply(self.parties.on(delivery))
            if isinstance(delivery, Closed):
                if self.transfer is not None:
                    self.transfer.left(delivery.leg)
                if delivery.leg == self.caller:
                    raise CallerLeft(delivery)
        return delivery

    def _give_away(self, order: HandOver) -> None:
        if order.leg in self.conversing and self.parties.alive(order.leg) and order.wanted():
            if self.transfer is not None:
                self.transfer.done()
            order.take(release(self, order.leg))
            raise GivenAway(order.by)

    def _refuse_early(self, refer: Refer) -> None:
        """Who talks to nobody has nobody to send elsewhere."""
        leg = self.legs.get(refer.leg)
        if leg is None or refer.leg in self.conversing:
            return
        number = refer.referral.number if leg.referrals else 0
        leg.referrals += 1
        if refer.referral.notify:
            leg.notify(480, "Temporarily Unavailable", final=True, number=number)

    def pick_up(self) -> None:
        """200 to the caller, once; nothing where we called him ourselves."""
        if self.caller is None or self.picked_up:
            return
        self.picked_up = True
        if self.parties.state(self.caller) is not Leg.UP:
            self.legs[self.caller].answer()

    def pass_key(self, key: Dtmf) -> None:
        """A key that was kept back, to the partner of its leg."""
        self.apply(self.parties.on(key))

    def leave_only_caller(self, headers: Headers = ()) -> None:
        """End every leg but the caller's, and that of somebody who waits to hear how his transfer ends."""
        self.ring_back(False)
        for leg in self.legs:
            stays = leg in self.spared or (self.transfer is not None and leg == self.transfer.stays)
            if leg != self.caller and not stays:
                self.hang_up(leg, 0, headers)

    def show(self, number: str, name: str) -> None:
        """What the next phone that we ring shows."""
        self.shown_number, self.shown_name = number, name

    def ring_back(self, on: bool) -> None:
        """The caller, who is up already because we called him, hears ringback from now on, or no longer."""
        if on and self._ringback is None and self.caller is not None:
            self._ringback = self.sounds[self.caller].play(self.exchange.ringback, loop=True)
        elif not on and self._ringback is not None:
            self._ringback.stop()
            self._ringback = None

    def pair(self, a: int, b: int) -> None:
        """Let two legs talk as soon as both have sound."""
        self.apply(self.parties.pair(a, b))

    def hang_up(self, leg: int, code: int = 0, headers: Headers = ()) -> None:
        """End one leg; its `Closed` follows."""
        if self.parties.drop(leg):
            outside.given_up(self, leg)
            self.legs[leg].hang_up(code, headers)

    async def clear(self, within: float) -> None:
        """End every leg that is left and take in what they still tell, for `within` seconds at most."""
        until = self._loop.time() + within
        while self._inbox or any(self.parties.state(leg) is not Leg.GONE for leg in self.legs):
            try:
                for leg in self.legs:
                    self.hang_up(leg)  # also one that has come just now, handed over by another call
                if not await self._arrival(until):
                    log.warning(
                        "a leg did not end in time; its dialog is left to the stack", call=self.id, legs=repr(self)
                    )
                    return
                self._take()
            except (CallerLeft, Ordered, Moved, GivenAway):
                continue

    def apply(self, effects: list[Effect]) -> None:
        """Carry out what the pure part decided."""
        for effect in effects:
            match effect:
                case Attach(leg, handle):
                    self.sounds[leg].attach(handle)
                    self.recording.renewed(leg, self.sounds[leg])
                    self.key_tones.settle(leg)
                case Join(a, b):
                    self._bridges[a, b] = bridge(self.sounds[a], self.sounds[b], self._path.changed)
                case Part(a, b):
                    self._bridges.pop((a, b)).close()
                case Held(leg, on):
                    self._hold(leg, on)
                    self.recording.held(leg, on)
                case SendDtmf(leg, digit, method):
                    if self.legs[leg].send_dtmf(digit) == TONES != method:
                        self.key_tones.play(leg, digit)
                case Close(leg):
                    self.key_tones.forget(leg)
                    self.recording.left(leg)
                    self.sounds[leg].close()
        if self.monitoring is not None:
            self.monitoring.settle(self)

    def _hold(self, leg: int, on: bool) -> None:
        """A far end holds: its own leg goes quiet, the one it talks to hears music, unless he talks to others as
        well."""
        for pair, joined in self._bridges.items():
            if leg in pair:
                change = joined.hold if on else joined.resume
                alone = len(self.parties.partners(sum(pair) - leg)) == 1
                change(self.sounds[leg], self.exchange.music if alone else None)
        role = self.parties.by_leg[leg].role
        self.exchange.tell("call.held" if on else "call.resumed", self, {"role": role})

    def _note(self, signal: Signal) -> None:
        """What the record keeps of a signal."""
        part = self.record.parts.get(signal.leg)
        if part is None:
            return
        now = self._loop.time()
        match signal:
            case Progress():
                part.ringing_at = part.ringing_at or self.record.at(now)
            case Answered():
                part.answered_at, part.sip_code = self.record.at(now), 200
                outside.answered(self, signal.leg)
            case Closed():
                outside.over(self, signal.leg)
                self.record.part_ended(signal.leg, signal.code, signal.reason, signal.quality, now)
            case Dtmf():
                data = {"role": part.role, "digit": signal.digit, "method": signal.method}
                self.exchange.tell("call.dtmf", self, data)
            case _:
                pass

    async def _wait(self, until: float | None) -> bool:
        """Until something is in the inbox (True) or the time is up (False)."""
        self._waiting = self._loop.create_future()
        if self._timer is None or self._timer.when() != until:
            self._no_timer()
            self._timer = None if until is None else self._loop.call_at(until, self._time_up)
        try:
            await self._waiting
        finally:
            self._waiting = None
        return bool(self._inbox)

    def _time_up(self) -> None:
        self._timer = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def over(self) -> None:
        """Nothing is waited for any more."""
        self._no_timer()
        self._path.over()
        if self.monitoring is not None:
            self.monitoring.over(self)

    def _no_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
