"""Pick-up: an agent takes over from his own phone what is parked, what rings at another's, or a call of his own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bua.calls.connect import connect
from b2bua.calls.deliveries import Beside
from b2bua.calls.moving import number_of
from b2bua.calls.parties import Role
from b2bua.calls.refusals import AgentGone, NoAnswer, agent_failed, no_answer
from b2bua.calls.session import Rerouted
from b2bua.calls.transfer import turn_round
from b2bua.log import logger
from b2bua.sip.header_values import Replaces
from b2bua.sip.leg import Leg
from b2bua.sip.signals import Answered, Closed
from routing.feature_codes import Feature, feature_of
from routing.goal import Goal

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.follow import Step
    from b2bua.calls.session import Session
    from b2bua.sip.engine import SipLeg

log = logger("calls")

TAKEN_WITHIN = 2.0
"Seconds a call has to take in a leg that is offered to it."
ANSWER = 10.0
"Seconds our 200 may go unacknowledged."

RINGS = (Leg.NEW, Leg.RINGING)


class NothingThere(Exception):
    """Nobody is parked or rings there, or not for this agent."""

    def __init__(self, why: str, code: int = 404) -> None:
        super().__init__(why)
        self.code = code


async def picks_up(exchange: Exchange, leg: SipLeg, extension: str, called: str, replaces: str | None) -> bool | None:
    """An agent's phone calls `called`: whether that was a pick-up and the leg is a call's now (True) or is refused
    (False); None: it was something else.  `replaces`: the header, which asks for a call of his own."""
    pick_up = PickUp(exchange, leg, extension)
    wanted = feature_of(called, exchange.settings.feature_codes.codes())
    try:
        if replaces is not None:
            named = Replaces.parse(replaces)
            if named is None:
                raise NothingThere("the Replaces names no call", 400)
            await pick_up.own(named)
        elif called in exchange.parking:
            await pick_up.parked(called)
        elif wanted is not None and wanted[0] is Feature.PICK_UP:
            await pick_up.ringing(wanted[1])
        else:
            return None
    except NothingThere as error:
        log.info("nothing to pick up", extension=extension, called=called, why=str(error))
        leg.hang_up(error.code)
        return False
    return True


@dataclass(frozen=True, slots=True)
class TurnRound(Beside):
    """The agent who has placed the call takes it to another phone: it is about this leg from now on."""

    about: int

    def do(self, call: Session) -> None:
        if self.about in call.conversing:
            turn_round(call, self.about)


class PickUp:
    """One leg of an agent's phone, and the call that it is to be part of."""

    def __init__(self, exchange: Exchange, leg: SipLeg, extension: str) -> None:
        self._exchange, self._leg, self._extension = exchange, leg, extension
        self._wanted = True
        self._taken = asyncio.Event()

    async def parked(self, slot: str) -> None:
        """Whoever waits at this slot.  Raises NothingThere, and then the leg is still the caller's."""
        found = self._exchange.parking.at(slot)
        call = next((one for one in self._exchange.sessions() if found is not None and one.id == found.call), None)
        await self._take(call, "slot", slot)

    async def ringing(self, extension: str) -> None:
        """What rings at this agent's phone; empty: at that of anybody who shares a queue with him.  Raises
        NothingThere."""
        exchange, me = self._exchange, self._extension
        allowed = exchange.settings.transfers.pick_up
        mates = colleagues(exchange, me)
        if allowed == "off" or (extension and allowed == "queue" and extension not in mates):
            raise NothingThere(f"agent {me} may not pick up what rings at {extension or 'the others'}")
        call, whose = ringing_at(exchange.sessions(), {extension} if extension else mates)
        await self._take(call, "phone", whose)

    async def own(self, replaces: Replaces) -> None:
        """His part of a call, until now at another leg of his.  Raises NothingThere."""
        named = self._exchange.engine.refers.dialog_of(replaces)
        call, number = None, 0
        for one in self._exchange.sessions():
            number = number_of(one, named) if named is not None else 0
            if number:
                call = one
                break
        about = call.caller if call is not None else None
        if call is not None and about == number:  # he has placed it himself: it is about whom he talks to
            about = next(iter(call.parties.partners(number)), None) if number in call.conversing else None
        if call is None or named is None or about is None or number in call.spared:
            raise NothingThere("no call of his that could be moved", 481)
        if named.owner != self._extension:
            raise NothingThere(f"this part of the call is not that of agent {self._extension}", 403)
        if replaces.early_only and call.parties.state(number) is Leg.UP:
            raise NothingThere("it is answered already", 486)
        call.taking_over = self._extension  # no caller who waits gets him between his two phones
        if about != call.caller:
            call.deliver(TurnRound(about))
        try:
            await self._take(call, "leg", named.owner)
        finally:
            call.taking_over = ""

    async def _take(self, call: Session | None, what: str, of: str) -> None:
        metrics = self._exchange.metrics
        if call is None or not call.follows or call.caller is None or call.going is None:
            metrics.picked_up.inc(what, "nothing")
            raise NothingThere(f"nobody is there to be picked up at {of or 'any phone'}")
        by = f"agent {self._extension}"
        call.deliver(Rerouted(Goal("agent", self._extension), {}, by, self._step(what, of)))
        try:
            async with asyncio.timeout(TAKEN_WITHIN):
                await self._taken.wait()
        except TimeoutError:
            self._wanted = False
            metrics.picked_up.inc(what, "nothing")
            raise NothingThere("the call has gone elsewhere meanwhile") from None

    def _step(self, what: str, of: str) -> Step:
        async def take(call: Session, goal: Goal) -> Goal | None:
            exchange, extension, leg = call.exchange, self._extension, self._leg
            floor = exchange.floor
            call.taking_over = ""
            if not self._wanted or not leg.alive or call.caller is None or call.legs[call.caller].owner == extension:
                floor.released(extension, call.id)  # he was kept for this
                raise AgentGone(f"{extension} has hung up meanwhile")
            self._taken.set()
            his = floor.has(extension, call.id)
            if not his and not floor.reserve(extension, call.id, past_wrap_up=True):
                exchange.metrics.picked_up.inc(what, "refused")
                leg.hang_up(486)
                raise agent_failed(extension, 486, no_answer(extension).failure)
            call.add(leg, Role.AGENT, extension)
            leg.owner = extension
            try:
                await _up(call, leg, extension)
            except BaseException:
                floor.released(extension, call.id)
                raise
            if not his:
                floor.answered(call.id, extension)
            call.agents[leg.id] = extension
            call.record.row.extension = extension
            exchange.metrics.picked_up.inc(what, "done")
            exchange.tell("call.picked-up", call, {"extension": extension, "what": what, "of": of})
            assert call.caller is not None
            call.pair(call.caller, leg.id)
            return await connect(call, leg.id, extension)

        return take


async def _up(call: Session, leg: SipLeg, extension: str) -> None:
    """Answer the phone that wants the call.  Raises AgentGone or NoAnswer."""
    leg.answer()
    until = call.clock() + ANSWER
    while True:
        match await call.next(until):
            case Answered(leg=who) if who == leg.id:
                return
            case Closed(leg=who) if who == leg.id:
                raise AgentGone(f"{extension} has hung up meanwhile")
            case None:
                call.hang_up(leg.id)
                raise NoAnswer(extension, no_answer(extension).failure, "did not acknowledge our answer")
            case _:
                continue


def colleagues(exchange: Exchange, extension: str) -> set[str]:
    """The others who serve a queue that he serves."""
    profiles = exchange.plan().agent_profiles
    mine = profiles.get(extension)
    queues = set(mine.queues) if mine is not None else set()
    return {other for other, profile in profiles.items() if other != extension and queues & set(profile.queues)}


def ringing_at(calls: Iterable[Session], extensions: set[str]) -> tuple[Session | None, str]:
    """The call that has rung longest at a phone of these agents, and whose; None where none rings."""
    for call in calls:
        for number, leg in call.legs.items():
            rings = call.parties.state(number) in RINGS and number not in call.spared
            if number != call.caller and leg.owner in extensions and rings:
                return call, leg.owner
    return None, ""
