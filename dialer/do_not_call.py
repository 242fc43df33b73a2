"""Do-not-call lists: a million numbers in eight megabytes, looked up in a microsecond, an addition in force at once."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dialer.emergency import E164

OWN = "own"
"Name of the tenant's own list: it holds for every campaign."


class NumberSet:
    """E.164 numbers: most of them sorted as whole numbers of 8 bytes, the newest in a set beside them.

    Making one of a million numbers takes about a second of a processor: not on the event loop.
    """

    __slots__ = ("_added", "_removed", "_sorted")

    def __init__(self, numbers: Iterable[str] = ()) -> None:
        """Raises ValueError for a number that is not E.164."""
        self._sorted = array("Q", sorted({_key(number) for number in numbers}))
        self._added: set[int] = set()
        self._removed: set[int] = set()

    def __repr__(self) -> str:
        return f"<{len(self)} numbers>"

    def __len__(self) -> int:
        return len(self._sorted) - len(self._removed) + len(self._added)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, str) or not E164.fullmatch(number):
            return False
        key = int(number[1:])
        return key in self._added or (self._is_sorted_in(key) and key not in self._removed)

    def __iter__(self) -> Iterator[str]:
        for key in self._sorted:
            if key not in self._removed:
                yield f"+{key}"
        yield from (f"+{key}" for key in sorted(self._added))

    def add(self, number: str) -> bool:
        """Put one in, in force with the next look-up; False: it was there. Raises ValueError as the constructor."""
        key = _key(number)
        if number in self:
            return False
        if self._is_sorted_in(key):
            self._removed.discard(key)
        else:
            self._added.add(key)
        return True

    def remove(self, number: str) -> bool:
        """Take one out; False: it was not there."""
        if number not in self:
            return False
        key = int(number[1:])
        if key in self._added:
            self._added.discard(key)
        else:
            self._removed.add(key)
        return True

    @property
    def loose(self) -> int:
        """Changes since it was made: with very many of them, a new set of the same numbers is smaller."""
        return len(self._added) + len(self._removed)

    def _is_sorted_in(self, key: int) -> bool:
        at = bisect_left(self._sorted, key)
        return at < len(self._sorted) and self._sorted[at] == key


def _key(number: str) -> int:
    if not E164.fullmatch(number):
        raise ValueError(f'"{number}" is no E.164 number')
    return int(number[1:])


@dataclass(frozen=True, slots=True)
class ImportedList:
    """A list from outside: a register of the state, a customer's file."""

    numbers: NumberSet
    as_of: float
    "Epoch seconds: the day its numbers are of, not the one they were read."


@dataclass(frozen=True, slots=True)
class DoNotCall:
    """The lists of one tenant, in memory."""

    own: NumberSet = field(default_factory=NumberSet)
    imported: Mapping[str, ImportedList] = field(default_factory=dict)

    def found_in(self, number: str, lists: Iterable[str] = ()) -> str | None:
        """Name of the list that has this number: the tenant's own, or one of `lists`."""
        if number in self.own:
            return OWN
        return next((name for name in lists if name in self.imported and number in self.imported[name].numbers), None)

    def missing(self, lists: Iterable[str]) -> str | None:
        """The first of `lists` that is not here."""
        return next((name for name in lists if name != OWN and name not in self.imported), None)

    def stale(self, lists: Iterable[str], now: float, age: float) -> str | None:
        """The first of `lists` that is older than `age` seconds, or dated in the future."""
        dated = ((name, self.imported[name].as_of) for name in lists if name in self.imported)
        return next((name for name, as_of in dated if not 0 <= now - as_of <= age), None)
