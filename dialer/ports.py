"""What dialling needs of a database: coarse commands, each one atomic step, whatever else happens at the same time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from dialer.campaign import Campaign, CampaignState
from dialer.command import Command, Record
from dialer.contact import Contact
from dialer.counts import Counts, HourCounts
from dialer.outcome import Outcome
from dialer.retry import Step


class Written(StrEnum):
    """Whether a command is on disk; only after `ok` an INVITE may be sent."""

    OK = "ok"
    NOT_RUNNING = "not-running"
    "The campaign was paused or stopped meanwhile."
    LEASE_LOST = "lease-lost"
    "The contact is not this node's any more: withdrawn, closed, or taken by another."
    NOT_ITS_NUMBER = "not-its-number"
    "The contact does not have this number: only numbers of an imported batch are dialled."
    LISTED = "listed"
    "The number is on a do-not-call list that counts for the campaign."
    IN_CALL = "in-call"
    "The contact, or the number for this tenant, is being called right now."
    LIMIT = "limit"
    "One of the limits given with the command is reached."


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls of the tenant to a number since a time are the most; counted over all its campaigns."""

    since: float
    most: int
    "The command is refused once so many were made."
    outcome: Outcome | None = None
    "Only those that ended so; None: every attempt."


@dataclass(frozen=True, slots=True)
class PastCall:
    """An earlier call to a number by the same tenant."""

    at: float
    outcome: Outcome | None
    "None: it is in progress, or its node died."
    campaign: str
    live: bool = False
    "A person answered."
    ended_at: float | None = None
    agent: str = ""
    "Who talked with him; empty: nobody."
    connected: bool = False
    "An agent, or the message of a campaign without any, was put through."
    late: bool = False
    "After the limit."


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What is on record about a number of a tenant."""

    listed: str = ""
    "The do-not-call list that it is on and that counts for the campaign; empty: none."
    calls: tuple[PastCall, ...] = ()
    "Oldest first."


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is."""

    campaign: str
    state: CampaignState
    reason: str
    contacts: int
    open: int
    leased: int
    held: int
    closed: int
    due: int
    "Open, and their time has come."
    in_call: int
    "Commands without a record."
    next_at: float | None
    "When the next open contact is due; None: none is open."
    counts: Counts = field(default_factory=Counts)
    "All hours together."

    @property
    def done(self) -> bool:
        """Every contact has its result and every command its record (R3-08)."""
        return self.open == self.leased == self.in_call == 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A campaign at one moment, kept for good (R3-13)."""

    campaign: str
    at: float
    kind: str
    "`end`, `stop` or `demand`."
    body: Mapping[str, Any]
    """`campaign` as configured, `progress`, `outcomes` and `reasons` by count, `numbers`, `batches`, `law` by hour,
    `agents`, `unfinished` commands."""


class DialStore(Protocol):
    """Campaigns, contacts and commands. `now` is epoch seconds; a node's name says whose lease and command it is.

    All may raise the storage's StorageUnavailable; after that a step may have been taken or not, and may be repeated:
    each is safe to repeat.
    """

    async def campaign(self, id: str) -> Campaign:
        """As it is now. Raises the storage's NotFound."""

    async def of_node(self, node: str) -> Sequence[Campaign]:
        """The campaigns this node runs: running, paused or draining."""

    async def revision(self) -> int:
        """Counted up with every change of a campaign and of a do-not-call list: cheap to ask several times a second."""

    async def take(
        self, campaign: str, n: int, now: float, *, node: str, agents: Sequence[str] = (), lease: float = 300.0
    ) -> Sequence[Contact]:
        """Up to `n` contacts that are due, by priority, then by time; from now on this node's for `lease` seconds.

        Nobody else gets them until they are given back, booked, or the lease ends without a command. Nothing comes of
        a campaign that is not running. A call-back agreed with an agent (`Contact.agent`) comes while `agents` names
        him, and for anybody after `Campaign.callback_patience`.
        """

    async def take_one(self, contact: str, now: float, *, node: str, lease: float = 300.0) -> Contact | None:
        """This one, due or not (preview, call-back); None where it is closed, held or somebody else's."""

    async def write_command(self, command: Command, limits: Sequence[Limit] = ()) -> Written:
        """Put the command on disk before its INVITE, and check in the same step all that `Written` names.

        `ok` again for a command that is there already and has no record.
        """

    async def book(self, record: Record, now: float) -> Step | None:
        """The one final record of a command (R3-09): in one step the record, the contact's next step
        (`retry.next_step`), the law's counters of the hour, and the do-not-call list where the called asked for it.

        None when it is booked already: the first record stays. Raises NotFound for an unknown command.
        """

    async def withhold(self, contact: str, node: str, cause: str, now: float, *, next_at: float | None) -> Step | None:
        """A check forbade the call before a command was written: counted as withheld, the contact waits until
        `next_at`, or with None its number is closed for `cause` and its next one is due. None when it was not this
        node's."""

    async def dispose(
        self, command: str, disposition: str, now: float, *, agent: str, call_back_at: float | None = None
    ) -> Step | None:
        """What the agent says after the record is booked (wrap-up): the contact's step is made again with it; None
        where the contact has been called again since. Raises NotFound."""

    async def unfinished(self, node: str) -> Sequence[Command]:
        """Commands of this node without a record, oldest first: after a crash each is booked as `unknown`."""

    async def give_back(
        self, contacts: Sequence[str], node: str, *, next_at: float | None = None, reason: str = ""
    ) -> None:
        """Leased contacts that are not called after all: due again as they were, or not before `next_at`."""

    async def give_back_all(self, node: str) -> int:
        """After a crash: all leased contacts of this node without an unfinished command; returns how many."""

    async def facts(self, campaign: str, numbers: Sequence[str], since: float) -> Mapping[str, NumberFacts]:
        """What is on record about numbers, for the tenant of this campaign; calls since `since`."""

    async def lists(self, tenant: str) -> Mapping[str, float]:
        """The imported do-not-call lists that the tenant's campaigns may name -> the day their numbers are of."""

    async def counters(self, campaign: str, since: float) -> Sequence[HourCounts]:
        """The law's counters by hour, oldest first, from the hour that `since` is in."""

    async def count(self, campaign: str, at: float, counts: Counts) -> None:
        """Add to the counters what no record says (estimates; corrections after a record)."""

    async def list_number(self, tenant: str, number: str, reason: str, now: float, *, list: str = "own") -> bool:
        """Put a number on a do-not-call list, from now on; its open contacts close. False: it was there."""

    async def is_done(self, campaign: str) -> bool:
        """Whether every contact has its result, every command its record, and no batch is being imported (R3-08);
        cheap, for after each record."""

    async def end_if_done(self, campaign: str, now: float, *, node: str) -> bool:
        """Order the end of a campaign of which `is_done` is true in the same step; False where it is not (any more).
        Raises the storage's NotFound, and Conflict where it has ended otherwise."""

    async def progress(self, campaign: str, now: float) -> Progress:
        """How far it is."""

    async def order(
        self, campaign: str, order: str, now: float, *, reason: str = "", node: str = "", by: str = "dialler"
    ) -> Campaign:
        """`start`, `pause`, `resume`, `drain`, `stop` or `end` (see `campaign.NEXT`). Raises the storage's Conflict for
        an order that does not fit its state."""

    async def snapshot(self, campaign: str, now: float, *, kind: str) -> Snapshot:
        """Make one and keep it."""
