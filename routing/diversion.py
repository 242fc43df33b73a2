"""The Diversion header (RFC 5806): who a call was meant for before it was sent on."""

from collections.abc import Iterable
from dataclasses import dataclass

from routing.address import Address, BadAddress, split_list

MAX_TEXT = 16384
"Characters of all Diversion headers of one call."

_MASKED = frozenset({"full", "uri"})


class BadDiversion(ValueError):
    """An entry that cannot be read."""


@dataclass(frozen=True, slots=True)
class Diversion:
    """One entry: the call was moved away from `user`."""

    user: str
    "As the trunk wrote it, percent-decoded."
    display: str = ""
    reason: str = "unknown"
    counter: int = 1
    "How often the call was moved on at this entry."
    privacy: str = "off"
    screen: str = ""
    anonymous: bool = False
    "The network withheld the number."

    @property
    def masked(self) -> bool:
        """The number may be used but not shown."""
        return self.privacy in _MASKED

    @classmethod
    def parse(cls, text: str) -> "Diversion":
        """One entry.  Raises BadDiversion."""
        try:
            address = Address.parse(text)
            uri = address.parsed_uri()
        except BadAddress as e:
            raise BadDiversion(str(e)) from None
        if not uri.user:
            raise BadDiversion("no user in the URI")
        said = address.parameters() if address.tail else {}
        counter = said.get("counter", "")
        return cls(
            uri.user,
            address.display,
            said.get("reason", "unknown").lower(),
            int(counter) if counter.isascii() and counter.isdigit() and len(counter) <= 4 else 1,
            said.get("privacy", "off").lower(),
            said.get("screen", "").lower(),
            uri.anonymous,
        )

    @classmethod
    def parse_many(cls, text: str) -> "list[Diversion]":
        """The entries of one header that can be read, newest first.  Raises BadDiversion when there is none."""
        found: list[Diversion] = []
        broken: BadDiversion | None = None
        for entry in split_entries([text]):
            try:
                found.append(cls.parse(entry))
            except BadDiversion as e:
                broken = broken or e
        if not found:
            raise broken or BadDiversion("empty")
        return found


def split_entries(values: Iterable[str]) -> list[str]:
    """The entries of all Diversion headers of a call, unread, newest first: the oldest stands last in the last one.

    Headers past MAX_TEXT are left out.
    """
    entries: list[str] = []
    room = MAX_TEXT
    for value in values:
        room -= len(value)
        if room < 0:
            break
        entries += split_list(value)
    return entries
