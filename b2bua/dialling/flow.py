"""One command from top to bottom: its number is rung, whoever answers is told apart, and gets an agent at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from b2bua.calls.follow import follow
from b2bua.calls.speech import language_of
from b2bua.dialling.answering import Answerer
from b2bua.dialling.attempt import Attempt, shown
from b2bua.dialling.customer import COMMAND_HEADER, Customer, Missed, Reached, Ringing
from b2bua.dialling.flight import Phase
from b2bua.dialling.handover import Handover, serve
from b2bua.dialling.message import confirm, message
from b2bua.dialling.words import no_agent, opt_out
from dialer.outcome import Outcome
from routing.goal import Goal
from routing.spoken import Piece

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.dialling.flight import Flight
    from routing.queue import Queue

LATEST_CHANCE = 0.5
"Seconds in which an agent is looked for although the limit is over (machines were told apart for so long)."


async def dialled(call: Session, flight: Flight) -> None:
    """Raises CallerLeft, Ordered or a Refused as every call does; the record is made whatever happens."""
    attempt, exchange = flight.attempt, call.exchange
    prepare(call, attempt)
    exchange.tell(
        "call.received",
        call,
        {"calling": attempt.campaign.caller_id, "called": attempt.command.number, "trunk": call.record.row.trunk},
    )
    try:
        await Course(call, flight).run()
    finally:
        if flight.kept:
            exchange.floor.unreserve(flight.kept, call.id)
        flight.over(call)


def prepare(call: Session, attempt: Attempt) -> None:
    """What records, screens and the agent's phone know of the call."""
    campaign, contact, command = attempt.campaign, attempt.contact, attempt.command
    row = call.record.row
    row.called, row.billing_number, row.effective_caller = command.number, campaign.caller_id or None, command.number
    row.route = "campaign"
    call.recording.wished = campaign.record
    row.detail |= {"campaign": campaign.id, "command": command.id, "contact": contact.id}
    call.data = dict(shown(campaign, contact, command.id))
    call.marks = ((COMMAND_HEADER, command.id),)
    attempt.call = call.id
    call.show(campaign.caller_id, "")


class Course:
    """The way of one dialled call."""

    def __init__(self, call: Session, flight: Flight) -> None:
        self.call, self.flight = call, flight
        self.attempt, self.campaign = flight.attempt, flight.attempt.campaign
        self.limit_from = 0.0
        "The moment from which the law's limit counts, by the call's clock."

    async def run(self) -> None:
        """From the INVITE to the end of the talk."""
        answering = Answerer(self.call, self.campaign.amd, self.flight.office.listening)
        try:
            came = await self._ring(answering)
            if isinstance(came, Missed):
                self._missed(came)
                return
            self._answered(came)
            person = await answering.person()
            if answering.verdict is not None:
                verdict = answering.verdict
                self.attempt.detail["amd"] = {"kind": str(verdict.kind), "reason": verdict.reason}
            if not person:
                await self._machine(answering)
                return
            self._limit(answering.limit_from(self.flight.profile, came.at))
            self.flight.person()
            await self._to_somebody()
        finally:
            answering.stop()

    async def _ring(self, answering: Answerer) -> Reached | Missed:
        call, attempt = self.call, self.attempt
        customer = Customer(call, attempt.command.id, answering.early)
        self.tell("dial.started", {"trunk": call.record.row.trunk})  # on disk before the INVITE
        try:
            ringing = Ringing(self.campaign.ring_for, attempt.terms.least_ring)
            return await customer.ring(attempt.command.number, self.campaign.trunks, ringing, self.wanted)
        finally:
            if customer.rang_at is not None:
                attempt.ringing_at = call.record.at(customer.rang_at)

    def wanted(self) -> bool:
        """Whether the called is still to be rung."""
        return not self.flight.stopped

    def tell(self, type_: str, data: dict[str, Any]) -> None:
        """An event of this command."""
        self.flight.tell(self.call, type_, data)

    def _missed(self, came: Missed) -> None:
        call = self.call
        self.attempt.missed(came.outcome, came.trunk, came.code, came.cause)
        by = "tandem" if came.code in (None, 487) else "called"
        call.record.end(call.clock(), came.cause, came.code or 480, by)

    def _limit(self, at: float) -> None:
        """The law's limit counts from this moment of the call's clock."""
        self.limit_from, self.attempt.limit_from = at, self.call.record.at(at)

    def _answered(self, came: Reached) -> None:
        call = self.call
        call.caller, self.limit_from = came.leg, came.at
        if self.flight.profile.connect_start == "answer":
            self._limit(came.at)
        self.attempt.answered(call.record.at(came.at), came.trunk)
        call.record.answered(came.at)
        call.exchange.metrics.setup.observe(call.record.since_start(came.at), "answered")
        call.exchange.keep(call)
        call.pick_up()
        call.show(self.attempt.command.number, str(self.attempt.contact.fields.get("name", "")))
        self.tell("dial.answered", {"trunk": came.trunk})

    # -- who or what has answered

    async def _machine(self, answering: Answerer) -> None:
        call, attempt, amd = self.call, self.attempt, self.campaign.amd
        attempt.live = False
        outcome = answering.outcome
        if outcome is not Outcome.MACHINE:
            attempt.decide(outcome, answering.cause)
        elif amd.machine == "connect":
            self.limit_from = call.clock()
            self.flight.enter(Phase.WAITING)
            await self._to_somebody()
            return
        else:
            attempt.machine(answering.cause)
            self.flight.machine()
            self._unkeep()
            if amd.machine == "message" and answering.cause == "machine" and await answering.message_time():
                self.tell("dial.message", {"message": amd.message})
                await message(call, (Piece(amd.message),), wait=0.0)
                attempt.detail["message"] = "left"
        answering.stop()
        call.record.end(call.clock(), answering.cause, 200, "tandem")

    def _unkeep(self) -> None:
        """The agent who was kept for this call is free again."""
        kept, self.flight.kept = self.flight.kept, ""
        if kept:
            self.call.exchange.floor.unreserve(kept, self.call.id)

    # -- somebody for him

    async def _to_somebody(self) -> None:
        campaign = self.campaign
        if campaign.prompt:
            await self._prompt()
        elif campaign.goal is not None and campaign.goal.kind != "queue":
            self._through("")
            await follow(self.call, campaign.goal)
        else:
            queue = campaign.queue if campaign.goal is None else campaign.goal.target
            await follow(self.call, Goal("queue", queue), self._agent)

    async def _prompt(self) -> None:
        """A campaign without agents: the message, then its goal."""
        call, campaign = self.call, self.campaign
        self.flight.enter(Phase.MESSAGE)
        self._through("")
        if await message(call, (Piece(campaign.prompt), opt_out(language_of(call)))):
            await self._leave_alone()
        elif campaign.goal is not None:
            await follow(call, campaign.goal)
        call.record.end(call.clock(), "normal", 200, "tandem")

    async def _agent(self, call: Session, goal: Goal) -> Goal | None:
        """The first step of an answered call; the usual ones follow it."""
        queue = call.exchange.plan().queues.get(goal.target)
        found = None
        if queue is not None:
            handover = self._handover(queue)
            until = max(self.limit_from + self.attempt.terms.connect_within, call.clock() + LATEST_CHANCE)
            found = await handover.find(until)
        if found is None or queue is None:
            await self._nobody()
            return None
        leg, extension = found
        self._through(extension)
        return await serve(call, queue, leg, extension)

    def _handover(self, queue: Queue) -> Handover:
        kept, self.flight.kept = self.flight.kept, ""
        return Handover(self.call, queue, skills=self.campaign.skills, agent=self.flight.only, kept=kept)

    def _through(self, extension: str) -> None:
        """An agent, or what stands for one, has the called now."""
        call, attempt = self.call, self.attempt
        attempt.connected(call.record.at(call.clock()), extension, call.record.at(self.limit_from))
        self.flight.connected()
        wait = round(call.clock() - self.limit_from, 3)
        self.tell("dial.connected", {"extension": extension or None, "wait": wait, "late": attempt.late})

    async def _nobody(self) -> None:
        """The limit is over: who has called, and how to be left alone."""
        call = self.call
        self.attempt.abandoned(self.flight.office.idle(self.campaign) > 0)
        self.flight.abandoned()
        self.tell("dial.abandoned", {"agents_idle": self.attempt.agents_idle})
        if await message(call, no_agent(self.campaign, language_of(call))):
            await self._leave_alone()
        call.record.end(call.clock(), "no-agent", 200, "tandem")

    async def _leave_alone(self) -> None:
        self.attempt.asked_to_be_left_alone()
        self.tell("dial.opted-out", {})
        self.flight.office.leave_alone(self.attempt.command)  # at once: the record comes with the end of the call
        await confirm(self.call)
