"""Where an original called number can stand in a call, and in which order a trunk's profile has us look (R1-03)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from routing import diversion, history_info, isup
from routing.arrival import Arrival
from routing.digits import BadNumber, Dialling, DigitPlan, Nature, read_number

MAX_CANDIDATES = 32
"Entries of one source that are tried."


class Source(StrEnum):
    """A place in the message; the word stands in the trunk's settings and in the CDR."""

    DIVERSION = "diversion"
    HISTORY_INFO = "history-info"
    ISUP_CALLED = "isup-called"
    "Original Called Number of an encapsulated IAM."
    ISUP_REDIRECTING = "isup-redirecting"
    "Redirecting number of an encapsulated IAM."


class Pick(StrEnum):
    """Which Diversion entry a trunk means by the original one."""

    OLDEST = "oldest"
    "The last entry, then towards the newest."
    NEWEST = "newest"
    "The first entry, then towards the oldest."
    FIRST = "first"
    "Whichever splits first, in header order."


@dataclass(frozen=True, slots=True)
class TrunkProfile:
    """What correlation must know of a trunk."""

    name: str
    sources: tuple[Source, ...] = (Source.DIVERSION, Source.HISTORY_INFO, Source.ISUP_CALLED, Source.ISUP_REDIRECTING)
    diversion_pick: Pick = Pick.OLDEST
    plan: DigitPlan = field(default_factory=DigitPlan)
    dialling: Dialling = field(default_factory=Dialling)
    trust_asserted: bool = False
    "P-Asserted-Identity on this trunk is the network's word."


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry that may be the original called number."""

    source: Source
    digits: str = ""
    "Empty when the entry is broken."
    nature: Nature = Nature.UNKNOWN
    masked: bool = False
    "May be used but not shown."
    broken: str = ""
    "What is wrong with an entry that gives no digits; says nothing of what stood there."


def candidates(arrival: Arrival, profile: TrunkProfile) -> Iterator[Candidate]:
    """The entries of all sources in the trunk's order, broken ones too (without digits); withheld ones are not there.

    Lazy: an entry behind the one that wins is never read.  Never raises.
    """
    for source in profile.sources:
        yield from islice(_READ[source](arrival, profile), MAX_CANDIDATES)


def _diversion(arrival: Arrival, profile: TrunkProfile) -> Iterator[Candidate]:
    entries = diversion.split_entries(arrival.values("diversion"))
    for text in reversed(entries) if profile.diversion_pick == Pick.OLDEST else entries:
        try:
            entry = diversion.Diversion.parse(text)
        except diversion.BadDiversion as e:
            yield Candidate(Source.DIVERSION, broken=str(e))
            continue
        if not entry.anonymous:
            yield _candidate(Source.DIVERSION, entry.user, entry.masked)


def _history(arrival: Arrival, profile: TrunkProfile) -> Iterator[Candidate]:
    texts = history_info.split_entries(arrival.values("history-info"))
    if not texts:
        return
    all_masked = history_info.message_wide_privacy(arrival.values("privacy"))
    entries: list[history_info.HistoryEntry] = []
    broken: list[str] = []
    for text in texts:
        try:
            entries.append(history_info.HistoryEntry.parse(text))
        except history_info.BadHistory as e:
            broken.append(str(e))
    first = history_info.original(entries)
    others = [entry for entry in history_info.chain(entries) if entry is not first]
    for entry in [first, *others] if first is not None else ():
        if entry.user and not entry.anonymous:
            yield _candidate(Source.HISTORY_INFO, entry.user, entry.masked or all_masked)
    for why in broken:
        yield Candidate(Source.HISTORY_INFO, broken=why)


def _isup_called(arrival: Arrival, profile: TrunkProfile) -> Iterator[Candidate]:
    return _isup(arrival, Source.ISUP_CALLED, isup.ORIGINAL_CALLED_NUMBER)


def _isup_redirecting(arrival: Arrival, profile: TrunkProfile) -> Iterator[Candidate]:
    return _isup(arrival, Source.ISUP_REDIRECTING, isup.REDIRECTING_NUMBER)


def _isup(arrival: Arrival, source: Source, code: int) -> Iterator[Candidate]:
    for body in arrival.bodies:
        if body.content_type != isup.CONTENT_TYPE:
            continue
        try:
            number = isup.InitialAddress.parse(body.content).number(code)
        except isup.BadIsup as e:
            yield Candidate(source, broken=str(e))
            continue
        if number is not None:
            yield Candidate(source, number.digits, number.nature, number.masked)


def _candidate(source: Source, user: str, masked: bool) -> Candidate:
    try:
        digits, nature = read_number(user)
    except BadNumber as e:
        return Candidate(source, masked=masked, broken=str(e))
    return Candidate(source, digits, nature, masked)


_READ: dict[Source, Callable[[Arrival, TrunkProfile], Iterator[Candidate]]] = {
    Source.DIVERSION: _diversion,
    Source.HISTORY_INFO: _history,
    Source.ISUP_CALLED: _isup_called,
    Source.ISUP_REDIRECTING: _isup_redirecting,
}
