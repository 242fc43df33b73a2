"""Before each INVITE: what is on record about the numbers, and what the law says of each (R3-11).

The pure check is `dialer.last_check`; here it gets its facts.  What it cannot know a moment later (two calls at once,
a limit reached meanwhile) the database checks once more, in the step that writes the command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dialer import gaps
from dialer.campaign import Campaign
from dialer.contact import Contact
from dialer.do_not_call import OWN, DoNotCall, ImportedList, NumberSet
from dialer.forbidden import ALLOWED, Forbidden, Reason, Verdict
from dialer.last_check import last_check
from dialer.law_clock import Reading
from dialer.outcome import Outcome
from dialer.ports import DialStore, Limit, NumberFacts
from dialer.profiles import LawProfile

AT_ONCE = 4
"Contacts that are judged in one step of the loop: zones and holidays of each take a part of a millisecond."
AGAIN = 900.0
"Seconds until a number is looked at again that a mistake of the campaign's keeps from being dialled."
LONG = 86_400.0
"The same where hours do not open within two weeks."

FOR_GOOD = frozenset(
    {
        Reason.EMERGENCY, Reason.SHORT, Reason.BAD_NUMBER, Reason.COUNTRY, Reason.DO_NOT_CALL, Reason.CONSENT,
        Reason.CONSENT_ENDED, Reason.ZONE,
    }
)  # fmt: skip
"Nothing that time changes: the contact's next number is taken."


@dataclass(frozen=True, slots=True)
class Lists:
    """The imported do-not-call lists a tenant may name: of when each is, epoch seconds."""

    as_of: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one contact's number."""

    contact: Contact
    verdict: Verdict

    @property
    def allowed(self) -> bool:
        return not isinstance(self.verdict, Forbidden)


def reach_back(campaign: Campaign, profile: LawProfile) -> float:
    """Seconds of history that the gaps need."""
    return max(campaign.redial_gap, profile.look_back)


async def ask(
    store: DialStore,
    campaign: Campaign,
    profile: LawProfile,
    contacts: Sequence[Contact],
    time: Reading,
    lists: Lists,
    *,
    guaranteed: bool,
) -> list[Answer]:
    """Each contact with the law's word on its next number.  Raises StorageUnavailable."""
    numbers = sorted({one.number for contact in contacts for one in contact.numbers})
    facts = await store.facts(campaign.id, numbers, time.steady - reach_back(campaign, profile))
    found = []
    for number, contact in enumerate(contacts, 1):
        found.append(Answer(contact, judge(campaign, profile, contact, facts, time, lists, guaranteed=guaranteed)))
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


def judge(
    campaign: Campaign,
    profile: LawProfile,
    contact: Contact,
    facts: Mapping[str, NumberFacts],
    time: Reading,
    lists: Lists,
    *,
    guaranteed: bool,
) -> Verdict:
    """The last check of one contact; where the clock leapt it must hold at both times."""
    number = contact.number
    history = [call for one in contact.numbers for call in past_calls(contact, one.number, facts)]
    known = do_not_call(campaign, number.number, facts.get(number.number, NumberFacts()), lists)
    times = [time.wall, time.steady] if time.doubtful else [time.wall]
    agreed = contact.reason == "call-back"
    for now in times:
        verdict = last_check(
            campaign, contact, number, now, profile, history, known, guaranteed=guaranteed, agreed=agreed
        )
        if isinstance(verdict, Forbidden):
            return verdict
    return ALLOWED


def past_calls(contact: Contact, number: str, facts: Mapping[str, NumberFacts]) -> list[gaps.PastCall]:
    """The calls on record to a number, taken as calls to this contact: whoever they were meant for, he was rung.

    What each one was its own record says, whatever mode the campaign is in by now.
    """
    found = facts.get(number)
    return [
        gaps.PastCall(
            call.at,
            contact.id,
            number,
            call.outcome or Outcome.UNKNOWN,
            call.ended_at,
            abandoned=call.outcome is Outcome.ABANDONED or call.late,
            talked=bool(call.agent) and call.connected,
            recorded=call.connected and not call.agent,
        )
        for call in (found.calls if found is not None else ())
    ]


def do_not_call(campaign: Campaign, number: str, facts: NumberFacts, lists: Lists) -> DoNotCall:
    """The tenant's lists, as far as this number goes."""
    this = NumberSet([number]) if facts.listed else NumberSet()
    nobody = NumberSet()
    imported = {
        name: ImportedList(this if name == facts.listed else nobody, as_of) for name, as_of in lists.as_of.items()
    }
    return DoNotCall(this if facts.listed == OWN else nobody, imported)


def limits_of(campaign: Campaign, profile: LawProfile, contact: Contact, now: float) -> tuple[Limit, ...]:
    """What the database checks in the step that writes the command."""
    number = contact.number.number
    own_gap = 0.0 if contact.reason == "call-back" else campaign.redial_gap
    gap = max(profile.redial_gap, own_gap)
    limits = [Limit(now - gap, 1)] if gap > 0 else []
    limits += [Limit(now - one.period, one.most) for one in profile.limits(number, contact.place)]
    return tuple(limits)


def held_until(verdict: Forbidden, now: float) -> float | None:
    """When a contact that may not be called now is looked at again; None: its number is done with."""
    if verdict.reason in FOR_GOOD:
        return None
    if verdict.until is not None:
        return max(verdict.until, now + 1.0)
    return now + (LONG if verdict.reason in (Reason.HOURS, Reason.HOLIDAY) else AGAIN)
