"""A command while its call lives: in which phase it is, and whom it tells when that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from b2bua.calls.session import Said
from dialer.command import Command, Record
from dialer.outcome import Outcome

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.dialling.attempt import Attempt
    from dialer.campaign import Campaign
    from dialer.profiles import LawProfile
    from media.amd import Listening


class Phase(StrEnum):
    """What pacing sees of a call."""

    PREVIEW = "preview"
    "An agent looks at the contact; nothing is dialled."
    SETTING_UP = "setting-up"
    "Dialled; no person has answered yet, as far as anybody knows."
    WAITING = "waiting"
    "A person has answered and no agent has him."
    CONNECTED = "connected"
    MESSAGE = "message"
    "Somebody or something hears a recording."


class Office(Protocol):
    """What a call needs of the dialler."""

    def listening(self) -> Listening:
        """Who tells people from machines."""

    def look_soon(self) -> None:
        """A campaign has been changed."""

    def leave_alone(self, command: Command) -> None:
        """Its number goes onto the tenant's do-not-call list, soon."""

    def idle(self, campaign: Campaign) -> int:
        """Agents of a campaign who would take a call now."""

    def tell(self, call: Session | Campaign | None, type_: str, data: Mapping[str, Any]) -> None:
        """An event of a call, or of a campaign."""

    def resolved(self, flight: Flight, live: bool) -> None:
        """It is known whether a person has answered."""

    def connected(self, flight: Flight) -> None:
        """An agent has the called."""

    def abandoned(self, flight: Flight) -> None:
        """The limit is over, and nobody has."""

    def ended(self, flight: Flight, record: Record) -> None:
        """The one final record."""

    def skipped(self, flight: Flight, why: str) -> None:
        """An agent has looked at the contact, and nothing was dialled."""


@dataclass(slots=True, eq=False)
class Flight:
    """One command on its way."""

    office: Office
    attempt: Attempt
    profile: LawProfile
    dialled: float
    "By the loop's clock."
    kept: str = ""
    "The agent who is reserved for it, while he is."
    phase: Phase = Phase.SETTING_UP
    since: float = 0.0
    "When it came into its phase."
    clock: Callable[[], float] = field(default=lambda: 0.0)
    call: Session | None = None
    only: str = ""
    "The one agent who may have it: an agreed call-back, or the campaign's only one."
    stopped: bool = False
    "The campaign was stopped: nobody is rung for longer than the law asks."
    counted: bool = False
    "The law's counters have it."
    _resolved: bool = False
    _over: bool = False

    def __repr__(self) -> str:
        return f"<flight {self.attempt.command.id} {self.phase}>"

    def stop(self) -> None:
        """Ring no longer than one must; harmless once somebody has answered."""
        self.stopped = True
        if self.call is not None:
            self.call.deliver(Said(self))  # whoever waits looks again

    def enter(self, phase: Phase) -> None:
        """Another phase from now on."""
        self.phase, self.since = phase, self.clock()

    def person(self) -> None:
        """A person has answered: whoever waits for him counts from now on."""
        self.enter(Phase.WAITING)
        self._resolve(True)

    def machine(self) -> None:
        """No person: what is said to it wants no agent."""
        self.enter(Phase.MESSAGE)
        self._resolve(False)

    def connected(self) -> None:
        """An agent, or what stands for one, has him."""
        if self.attempt.agent:
            self.enter(Phase.CONNECTED)
        self.office.connected(self)

    def abandoned(self) -> None:
        """Nobody has him in time."""
        self.enter(Phase.MESSAGE)
        self.office.abandoned(self)

    def tell(self, call: Session, type_: str, data: Mapping[str, Any]) -> None:
        """An event with the names of campaign, contact and command."""
        self.office.tell(call, type_, {**names(self.attempt), **data})

    def over(self, call: Session) -> None:
        """The call has ended: its one record is told, and handed over to be kept."""
        if self._over:
            return
        self._over = True
        self._resolve(False)
        row = call.record.row
        record = self.attempt.record(call.record.at(call.clock()), row.cause or "")
        self.tell(call, "dial.result", told(record))
        self.office.ended(self, record)

    def skipped(self, call: Session, why: str) -> None:
        """Nothing was dialled, and no command written: there is no record."""
        if not self._over:
            self._over = True
            self.tell(call, "dial.skipped", {"why": why})
            self.office.skipped(self, why)

    def _resolve(self, live: bool) -> None:
        if not self._resolved:
            self._resolved = True
            self.office.resolved(self, live)


def names(attempt: Attempt) -> dict[str, Any]:
    """What every event of a command begins with."""
    command = attempt.command
    found = {
        "campaign": command.campaign,
        "command": command.id,
        "contact": command.contact,
        "number": command.number,
        "attempt": command.attempt,
        "tenant": command.tenant,
    }
    return found | {"results_to": attempt.campaign.results_to} if attempt.campaign.results_to else found


def told(record: Record) -> dict[str, Any]:
    """A record as an event carries it: nothing of it is left out, so that it can be read back after a crash."""
    return {**asdict(record), "outcome": str(record.outcome), "abandoned": record.abandoned}


def read_back(data: Mapping[str, Any]) -> Record:
    """The record that `told` wrote.  Raises LookupError, TypeError or ValueError for anything else."""
    given = {name: data[name] for name in Record.__dataclass_fields__}
    return Record(**given | {"outcome": Outcome(data["outcome"])})
