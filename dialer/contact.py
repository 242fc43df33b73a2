"""Whom a campaign calls: one contact with one or several numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ContactState(StrEnum):
    """Where a contact is."""

    OPEN = "open"
    "Called when `next_at` has come."
    LEASED = "leased"
    "A node has taken it and is about to call, or calling."
    HELD = "held"
    "Taken back by somebody (its batch was withdrawn, or the API said so); opened again only by somebody."
    CLOSED = "closed"
    "Has its result (`reason`)."


PRIORITIES = range(10)
"9 is called first; contacts of one priority in the order of `next_at`."


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """One number of a contact."""

    number: str
    'E.164, "+14155550100".'
    kind: str = ""
    "mobile, home, work ...: the owner's word."
    zone: str = ""
    "IANA time zone, where the owner knows it; empty: found from number and contact."
    attempts: int = 0
    last_at: float | None = None
    closed: str = ""
    "Why it is not dialled any more (invalid-number ...); empty: it is."


@dataclass(frozen=True, slots=True)
class Consent:
    """The called party's word that he may be called; kept with the contact as evidence."""

    at: float
    "Epoch seconds it was given."
    source: str
    "Where (form, recording, contract ...)."
    proof: str = ""
    "A reference to the evidence."
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of a campaign."""

    id: str
    campaign: str
    tenant: str
    batch: str
    row: int
    "Line of the batch it came from, 1 is the first row of data."
    numbers: tuple[PhoneNumber, ...]
    at_number: int = 0
    "Which one is dialled next."
    priority: int = 5
    fields: Mapping[str, Any] = field(default_factory=dict)
    "The owner's data, for the agent's screen."
    zone: str = ""
    "IANA time zone of the person, where the owner knows it."
    place: str = ""
    "Region of the country for its own hours and holidays (a state's postal code ...); empty: found from the number."
    consent: Consent | None = None
    attempts: int = 0
    "Calls that counted, all numbers."
    outcomes: Mapping[str, int] = field(default_factory=dict)
    "How often each outcome was had."
    next_at: float = 0.0
    "Epoch seconds before which it is not called."
    agent: str = ""
    "A call-back agreed with this agent: nobody else calls."
    state: ContactState = ContactState.OPEN
    reason: str = ""
    "Why it is closed or held, or what it waits for: busy, no-answer, call-back, closed-hours ..."

    @property
    def number(self) -> PhoneNumber:
        """The one to dial next."""
        return self.numbers[self.at_number]
