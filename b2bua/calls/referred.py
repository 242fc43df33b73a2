"""A phone in a conversation asks by REFER that the other one be sent elsewhere: to a number, or to whoever is at the
other end of another call of the same phone.  We do it ourselves; the other leg never sees a REFER."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.connect import connect
from b2bua.calls.failure import phrase
from b2bua.calls.moving import Handed, HandOver, number_of
from b2bua.calls.refusals import AgentGone
from b2bua.calls.session import HangUp, Moved, Rerouted
from b2bua.calls.transfer import Transfer, supersede, turn_round
from b2bua.log import logger
from routing.goal import Goal
from routing.transfer_target import target_of

if TYPE_CHECKING:
    from b2bua.calls.follow import Step
    from b2bua.calls.session import Session
    from b2bua.settings import Settings
    from b2bua.sip.engine import SipLeg
    from b2bua.sip.refer import Referral
    from b2bua.sip.signals import Refer

log = logger("calls")

PATIENCE = 2.0
"Seconds that another call has to give its leg away, or to end."
LOOK = 0.02
"Seconds between two looks whether it has ended."


class NotAllowed(Exception):
    """The transfer is refused with this status."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


def refer_to(call: Session, refer: Refer, agent: int) -> None:
    """One of the two who talk, the caller and `agent`, sends the other one elsewhere.

    Raises Moved where that can be done; tells him by NOTIFY where it cannot, and they go on talking.
    """
    referral, leg = refer.referral, call.legs[refer.leg]
    try:
        if call.caller is None:
            raise NotAllowed(480, "nobody is there to be sent elsewhere")
        far = agent if refer.leg == call.caller else call.caller
        if referral.replaces is not None:
            moved = _attended(call, refer.leg, far, referral)
        else:
            moved = _blind(call, refer.leg, far, referral)
    except NotAllowed as error:
        log.info("a transfer was refused", call=call.id, owner=leg.owner, to=str(referral), why=str(error))
        data = {"kind": "", "to": str(referral), "from": leg.owner, "by": _by(leg), "how": "refer"}
        call.exchange.tell("transfer.failed", call, {**data, "result": f"refused: {error}"})
        call.exchange.metrics.transfers.inc("refer", "none", "refused")
        number = referral.number if leg.referrals else 0
        leg.referrals += 1
        if referral.notify:
            leg.notify(error.code, phrase(error.code), final=True, number=number)
        return
    if moved is not None:
        supersede(call)
        call.transfer = moved.transfer  # before their talk ends: its agent is kept until he knows what came of it
        raise moved


def _by(leg: SipLeg) -> str:
    return leg.owner if leg.owner.startswith("trunk ") else f"agent {leg.owner}"


def _blind(call: Session, leg: int, far: int, referral: Referral) -> Moved:
    """To whoever has this number in the dial plan.  Raises NotAllowed."""
    exchange = call.exchange
    settings = exchange.settings
    if referral.host and referral.host != referral.here and referral.host not in names_of(settings):
        raise NotAllowed(403, "the Refer-To names another host")
    rules = settings.transfers.rules(settings.feature_codes.outside)
    goal = target_of(referral.user, exchange.plan(), exchange.directory(), call.record.row.tenant, rules)
    if goal is None:
        raise NotAllowed(403, "no place that a transfer may go to")
    owner = call.legs[leg].owner
    if goal == Goal("agent", owner):
        raise NotAllowed(486, "an agent cannot send a call to himself")
    if goal.kind == "park" and not exchange.parking.free(goal.target):
        raise NotAllowed(486, "the parking slot is taken")
    return _sent(call, leg, far, goal, referral)


def _sent(call: Session, leg: int, far: int, goal: Goal, referral: Referral, step: Step | None = None) -> Moved:
    by = _by(call.legs[leg])
    transfer = Transfer(call, goal, by, leg, referral)
    if leg == call.caller:
        turn_round(call, far)
    return Moved(goal, by, step, transfer)


def _attended(call: Session, leg: int, far: int, referral: Referral) -> Moved | None:
    """To whoever is at the other end of another call of his; None where that call goes on with the other end of this
    one.  Raises NotAllowed."""
    exchange, owner = call.exchange, call.legs[leg].owner
    assert referral.replaces is not None
    named = exchange.engine.refers.dialog_of(referral.replaces)
    other = next((one for one in exchange.sessions() if named is not None and number_of(one, named)), None)
    if named is None or other is None or other is call:
        raise NotAllowed(481, "there is no such other call")
    if named.owner != owner or owner.startswith("trunk "):
        raise NotAllowed(403, "the other call is somebody else's")
    if other.conversing and number_of(other, named) in other.conversing:
        theirs = other.parties.partners(number_of(other, named))
        if not theirs:
            raise NotAllowed(480, "nobody is there in the other call")
        if referral.replaces.early_only:
            raise NotAllowed(486, "the other call is answered already")
        if leg == call.caller and number_of(other, named) != other.caller:
            if other.on_refer is None:
                raise NotAllowed(480, "the other call cannot be moved now")
            _into(other, call, leg, far, referral)
            return None
        party = other.record.parts[theirs[0]].party or ""
        kind = "agent" if theirs[0] in other.agents or other.legs[theirs[0]].owner == party else "number"
        goal = Goal("agent", party) if kind == "agent" else Goal("number", party)
        return _sent(call, leg, far, goal, referral, joining(other, theirs[0], _by(call.legs[leg])))
    if number_of(other, named) != other.caller:
        raise NotAllowed(480, "the other call is about somebody else, who is on his way already")
    if other.going is None or other.going.kind == "hangup":
        raise NotAllowed(480, "the other call goes nowhere")
    return _sent(call, leg, far, other.going, referral, _instead_of(other, _by(call.legs[leg])))


def _into(other: Session, call: Session, leg: int, far: int, referral: Referral) -> None:
    """The other call is the customer's: it goes on, with whoever is at the far end of this one."""
    party, by = call.record.parts[far].party or "", _by(call.legs[leg])
    goal = Goal("agent", party) if far in call.agents else Goal("number", party)
    call.transfer = Transfer(call, goal, by, leg, referral)
    call.transfer.ask()
    other.deliver(Rerouted(goal, {}, by, joining(call, far, by)))


def joining(other: Session, leg: int, by: str) -> Step:
    """The step that takes a leg out of another call and lets the caller talk to whoever is there."""

    async def join(call: Session, goal: Goal) -> Goal | None:
        wanted = True
        other.deliver(HandOver(leg, by, lambda packet: call.deliver(Handed(packet)), lambda: wanted))
        until = call.clock() + PATIENCE
        try:
            while leg not in call.legs:
                if await call.next(until) is None:
                    raise AgentGone("the other call has ended meanwhile")
        finally:
            wanted = leg in call.legs
        if call.caller is None or not call.parties.alive(leg):
            raise AgentGone("the other one has hung up meanwhile")
        call.pair(call.caller, leg)
        extension = call.agents.get(leg, "")
        if extension:
            call.record.row.extension = extension
        return await connect(call, leg, extension)

    return join


def _instead_of(other: Session, by: str) -> Step:
    """The step that ends another call of the sender's and goes where that one was going, keeping its place."""

    async def replace(call: Session, goal: Goal) -> Goal | None:
        if goal.kind == "queue" and other.journey.queue == goal.target:
            call.journey.entered, call.journey.area = other.journey.entered, other.journey.area
        other.deliver(HangUp(by))
        until = call.clock() + PATIENCE
        while any(one is other for one in call.exchange.sessions()) and call.clock() < until:
            await call.next(call.clock() + LOOK)
        return goal

    return replace


def names_of(settings: Settings) -> set[str]:
    """The hosts that stand for this server in a URI."""
    names = {name.lower() for name in settings.transfers.hosts}
    for listener in settings.listeners.values():
        names |= {host.lower() for host in (listener.address, listener.advertised_address) if host}
    return names
