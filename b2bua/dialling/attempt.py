"""One command on its way: what is known of it so far, and the one record that comes of it.  No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dialer.campaign import Campaign
from dialer.command import Command, Record
from dialer.contact import Contact
from dialer.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Terms:
    """What the law of the campaign's country asks of one call.  Seconds."""

    connect_within: float = 2.0
    "An agent must be there this long after the answer (or the greeting's end, where machines are told apart)."
    least_ring: float = 15.0
    "From the first 18x: nobody is given up sooner."


@dataclass(slots=True)
class Attempt:
    """Facts of one command.  All times are epoch seconds of the call's own clock, so none lies before another."""

    campaign: Campaign
    contact: Contact
    command: Command
    terms: Terms
    outcome: Outcome | None = None
    "None: nothing is decided."
    ringing_at: float | None = None
    answered_at: float | None = None
    connected_at: float | None = None
    limit_from: float | None = None
    "From when the law's limit counts; None while that is not known."
    live: bool = False
    late: bool = False
    agents_idle: bool = False
    agent: str = ""
    opted_out: bool = False
    machine_as_human: bool = False
    trunk: str = ""
    sip_code: int | None = None
    cause: str = ""
    call: str = ""
    disposition: str = ""
    call_back_at: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def missed(self, outcome: Outcome, trunk: str, code: int | None, cause: str) -> None:
        """Nobody has answered."""
        self.decide(outcome, cause)
        self.trunk, self.sip_code = trunk or self.trunk, code

    def answered(self, at: float, trunk: str) -> None:
        """A person, until something says otherwise."""
        self.answered_at, self.trunk, self.sip_code, self.live = at, trunk, 200, True

    def machine(self, cause: str) -> None:
        """No person is there, as far as anybody can tell; `cause`: machine or fax."""
        self.live = False
        self.decide(Outcome.MACHINE, cause)

    def connected(self, at: float, agent: str, limit_from: float) -> None:
        """An agent (or the message of a campaign without) has him; the first one counts."""
        if self.connected_at is not None:
            return
        self.connected_at, self.agent = at, agent
        self.late = bool(agent) and at - limit_from > self.terms.connect_within
        self.machine_as_human = not self.live
        self.decide(Outcome.ANSWERED, "")

    def abandoned(self, agents_idle: bool) -> None:
        """A person, and nobody for him within the limit."""
        self.agents_idle = agents_idle
        self.decide(Outcome.ABANDONED, "no-agent")

    def asked_to_be_left_alone(self) -> None:
        """Whoever he talked with; an abandoned call stays one for the law."""
        self.opted_out = True
        if self.outcome is not Outcome.ABANDONED:
            self.outcome = Outcome.OPTED_OUT

    def decide(self, outcome: Outcome, cause: str) -> None:
        """The first outcome stays."""
        if self.outcome is None:
            self.outcome = outcome
            self.cause = self.cause or cause

    def _left(self, at: float) -> Outcome:
        """The call has ended with nothing decided: taken back before anybody answered, or the called has hung up.

        Who leaves before the limit is over has answered, no more; who has waited longer was abandoned.
        """
        if not self.live:
            return Outcome.CANCELLED
        in_time = self.limit_from is None or at - self.limit_from <= self.terms.connect_within
        return Outcome.ANSWERED if in_time else Outcome.ABANDONED

    def record(self, at: float, cause: str = "") -> Record:
        """The final one, at the end of the call; `cause` of the call's own record."""
        outcome = self.outcome
        if outcome is None:
            outcome = self._left(at)
        return Record(
            self.command.id,
            outcome,
            at,
            ringing_at=self.ringing_at,
            answered_at=self.answered_at,
            live=self.live,
            connected_at=self.connected_at,
            late=self.late,
            agents_idle=self.agents_idle,
            agent=self.agent,
            disposition=self.disposition,
            call_back_at=self.call_back_at,
            opted_out=self.opted_out,
            machine_as_human=self.machine_as_human,
            trunk=self.trunk,
            sip_code=self.sip_code,
            cause=self.cause or cause,
            call=self.call,
            detail=dict(self.detail),
        )


def shown(campaign: Campaign, contact: Contact, command: str) -> Mapping[str, Any]:
    """What the agent sees of a contact, in the order the campaign wants; our own words come last and win."""
    fields = contact.fields
    chosen = {name: fields[name] for name in campaign.screen if name in fields} if campaign.screen else dict(fields)
    return {**chosen, "campaign": campaign.id, "contact": contact.id, "command": command}
