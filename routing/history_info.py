"""The History-Info header, both forms (RFC 4244 with cause= and Reason, RFC 7044 with rc, mp and np)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from routing.address import Address, BadAddress, split_list

MAX_TEXT = 16384
"Characters of all History-Info headers of one call."
MAX_ENTRIES = 64

_UNMASKED = frozenset({"none"})

Index = tuple[int, ...]
"`1.2.10` as numbers, so that 1.2 comes before 1.10."


class BadHistory(ValueError):
    """An entry that cannot be read."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One target the call had on its way."""

    user: str
    "Percent-decoded."
    index: Index = ()
    "Empty when missing or unreadable."
    source: Index | None = None
    "The index named by rc= or mp=: the entry this one came from."
    cause: str = ""
    "Why the call was sent to this target (RFC 4458 `cause=`); empty when it is not said."
    reason: str = ""
    "The escaped Reason: why the call left this target again."
    masked: bool = False
    "The number may be used but not shown (escaped Privacy)."
    anonymous: bool = False

    @classmethod
    def parse(cls, text: str) -> "HistoryEntry":
        """One entry.  Raises BadHistory."""
        try:
            address = Address.parse(text)
            uri = address.parsed_uri()
        except BadAddress as e:
            raise BadHistory(str(e)) from None
        said = address.parameters()
        source = said.get("rc") or said.get("mp") or ""
        privacy = uri.header("privacy").lower() if uri.headers else ""
        return cls(
            uri.user,
            parse_index(said.get("index", "")),
            parse_index(source) if "rc" in said or "mp" in said else None,
            uri.parameters().get("cause", "") or said.get("cause", ""),
            uri.header("reason") if uri.headers else "",
            not _UNMASKED.issuperset(split_list(privacy, ";")),
            uri.anonymous,
        )


def parse_index(text: str) -> Index:
    """`1.10.2` as numbers; empty for what is no index.  Never raises."""
    if len(text) > 64 or not text.isascii():
        return ()
    steps = text.split(".")
    if all(step.isdigit() and len(step) <= 6 for step in steps):
        return tuple(map(int, steps))
    return ()


def split_entries(values: Iterable[str]) -> list[str]:
    """The entries of all History-Info headers of a call, unread, in header order; past MAX_TEXT nothing is read."""
    entries: list[str] = []
    room = MAX_TEXT
    for value in values:
        room -= len(value)
        if room < 0:
            break
        entries += split_list(value)
    return entries[:MAX_ENTRIES]


def chain(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """The entries in the order of their indices, those without one at the end in header order."""
    return sorted(entries, key=lambda entry: (not entry.index, entry.index))


def original(entries: Sequence[HistoryEntry]) -> HistoryEntry | None:
    """The target that was called first.

    That is the entry from which the first one marked rc, mp or cause= came; without such a mark the lowest index.
    """
    ordered = chain(entries)
    by_index: dict[Index, HistoryEntry] = {}
    for entry in ordered:
        if entry.index:
            by_index.setdefault(entry.index, entry)
    for place, entry in enumerate(ordered):
        if entry.source is None and not entry.cause:
            continue
        for index in (entry.source, entry.index[:-1]):
            if index and index in by_index and by_index[index] is not entry:
                return by_index[index]
        # Its source is named by nothing that is there: the one before it, or itself when it stands first.
        return ordered[max(place - 1, 0)]
    return ordered[0] if ordered else None


def message_wide_privacy(values: Iterable[str]) -> bool:
    """Whether the call's own Privacy headers cover its whole history (RFC 7044 section 10.1.2)."""
    said = {word.strip().lower() for value in values for word in value[:256].replace(",", ";").split(";")}
    return not said.isdisjoint(("history", "header", "session"))
