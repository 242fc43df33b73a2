"""What happens to a contact after a call: when it is called again, on which number, or why never again. Pure."""

from dataclasses import dataclass, replace

from dialer.campaign import Campaign
from dialer.command import Record
from dialer.contact import Contact, ContactState, PhoneNumber
from dialer.outcome import Outcome

TRUNK_PAUSE = 60.0
"Seconds a contact waits after a fault of ours, where the campaign has no rule for it."

WITHHELD_PAUSE = 900.0
"Seconds a contact waits that the last check did not let through, where nobody says when it may be called."


@dataclass(frozen=True, slots=True)
class Step:
    """The contact's next step."""

    at: float | None
    "Epoch seconds of the next call; None: closed."
    at_number: int = 0
    "Which number then."
    reason: str = ""
    "Why: the outcome, `no more attempts`, `no number left`, `call-back`, an agent's word ..."
    agent: str = ""
    "Who calls then; empty: anybody."
    close_number: str = ""
    "Why the number just dialled is not dialled any more."
    list_number: bool = False
    "The number goes onto the tenant's do-not-call list."


def next_step(campaign: Campaign, contact: Contact, number: str, record: Record) -> Step:
    """What follows from the record of a call to this number of the contact."""
    contact = dialling(contact, number)
    outcome = record.outcome
    if record.opted_out or outcome is Outcome.OPTED_OUT:
        return Step(None, contact.at_number, "opted-out", list_number=True)
    if outcome is Outcome.ANSWERED:
        return _after_talk(campaign, contact, record)
    if outcome is Outcome.WITHHELD:
        return _after_withheld(campaign, contact, record)
    if outcome is Outcome.CANCELLED:
        return _again(campaign, contact, record, campaign.redial_gap, same=True)
    closed = "invalid-number" if outcome is Outcome.INVALID_NUMBER else ""
    rule = campaign.retries.get(outcome)
    if rule is None:
        if outcome is Outcome.TRUNK_FAULT:
            return Step(record.ended_at + TRUNK_PAUSE, contact.at_number, outcome, contact.agent)
        if outcome is Outcome.UNKNOWN:
            return _again(campaign, contact, record, campaign.redial_gap, same=True)
        return _other_number(campaign, contact, record, closed)
    if rule.most and contact.outcomes.get(outcome, 0) + 1 > rule.most:
        return Step(None, contact.at_number, f"no more attempts after {outcome}", close_number=closed)
    if outcome is Outcome.INVALID_NUMBER:
        return _other_number(campaign, contact, record, closed, rule.after)
    return _again(campaign, contact, record, rule.after, same=not rule.next_number)


def _after_talk(campaign: Campaign, contact: Contact, record: Record) -> Step:
    word = campaign.disposition(record.disposition)
    never = word is not None and word.then == "do-not-call"
    if record.call_back_at is not None and not never:
        same = word is None or word.same_agent
        at = max(record.call_back_at, record.ended_at)
        return Step(at, contact.at_number, "call-back", record.agent if same else "")
    if word is None:
        return Step(None, contact.at_number, record.disposition or str(record.outcome))
    match word.then:
        case "close":
            return Step(None, contact.at_number, word.code)
        case "do-not-call":
            return Step(None, contact.at_number, word.code, list_number=True)
        case "close-number":
            return _other_number(campaign, contact, record, word.code)
        case "call-back":
            agent = record.agent if word.same_agent else ""
            return Step(record.ended_at + word.after, contact.at_number, "call-back", agent)
        case "retry":
            return _again(campaign, contact, record, word.after, same=True)


def _after_withheld(campaign: Campaign, contact: Contact, record: Record) -> Step:
    """The last check said no: `detail` may say when it may be tried (`next_at`), or that it never may (`never`)."""
    cause = record.cause or "withheld"
    if record.detail.get("never"):
        return _other_number(campaign, contact, record, cause)
    at = record.detail.get("next_at")
    later = float(at) if isinstance(at, int | float) else record.ended_at + WITHHELD_PAUSE
    return Step(max(later, record.ended_at), contact.at_number, cause, contact.agent)


def _other_number(campaign: Campaign, contact: Contact, record: Record, closed: str, after: float = 60.0) -> Step:
    """The number just dialled is of no use: the contact's next one, if any."""
    why = closed or str(record.outcome)
    counted = 1 if record.outcome.is_attempt else 0
    if contact.attempts + counted >= campaign.attempts:
        return Step(None, contact.at_number, "no more attempts", close_number=why)
    found = _next_open(contact, without=contact.at_number)
    if found is None:
        return Step(None, contact.at_number, why, close_number=why)
    return Step(_free(campaign, contact.numbers[found], record.ended_at + after), found, why, close_number=why)


def _again(campaign: Campaign, contact: Contact, record: Record, after: float, *, same: bool) -> Step:
    """Another call, unless the attempts are used up."""
    counted = 1 if record.outcome.is_attempt else 0
    if contact.attempts + counted >= campaign.attempts:
        return Step(None, contact.at_number, "no more attempts")
    at_number, at = contact.at_number, record.ended_at + after
    if not same and (found := _next_open(contact, without=None)) is not None:
        at_number = found
    dialled = contact.numbers[at_number]
    if at_number == contact.at_number:
        # a gap shorter than the campaign's would only be withheld again
        at = max(at, record.ended_at + campaign.redial_gap) if counted else at
    else:
        at = _free(campaign, dialled, at)
    return Step(at, at_number, str(record.outcome), contact.agent)


def _free(campaign: Campaign, number: PhoneNumber, at: float) -> float:
    """The first time from `at` on at which this number has had its gap."""
    return at if number.last_at is None else max(at, number.last_at + campaign.redial_gap)


def _next_open(contact: Contact, without: int | None) -> int | None:
    """The number after the one just dialled, round and round; None: there is no other."""
    count = len(contact.numbers)
    for ahead in range(1, count + 1):
        at = (contact.at_number + ahead) % count
        if at != without and not contact.numbers[at].closed:
            return at
    return None


def dialling(contact: Contact, number: str) -> Contact:
    """The contact with this number as the one that is dialled (an agent may have chosen another one)."""
    for at, one in enumerate(contact.numbers):
        if one.number == number:
            return contact if at == contact.at_number else replace(contact, at_number=at)
    return contact


def after(contact: Contact, number: str, record: Record, step: Step) -> Contact:
    """The contact once the record is booked and the step taken."""
    contact = dialling(contact, number)
    counted = 1 if record.outcome.is_attempt else 0
    numbers = list(contact.numbers)
    dialled = numbers[contact.at_number]
    numbers[contact.at_number] = replace(
        dialled,
        attempts=dialled.attempts + counted,
        last_at=record.ended_at if counted else dialled.last_at,
        closed=step.close_number or dialled.closed,
    )
    return replace(
        contact,
        numbers=tuple(numbers),
        at_number=step.at_number,
        attempts=contact.attempts + counted,
        outcomes={**contact.outcomes, str(record.outcome): contact.outcomes.get(record.outcome, 0) + 1},
        next_at=contact.next_at if step.at is None else step.at,
        agent=step.agent,
        state=ContactState.CLOSED if step.at is None else ContactState.OPEN,
        reason=step.reason,
    )
