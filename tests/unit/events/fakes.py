"""A journal and a history in memory, in the place of spool and database."""

from collections.abc import Sequence
from typing import Any

from b2bua.events.event import Row


class Journal:
    """Keeps what is appended; what `store` is told to move is in the history from then on."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.lines: list[bytes] = []

    def append(self, kind: str, record: Any, payload: bytes | None = None) -> None:
        assert kind == "event"
        assert payload is not None
        self.rows.append(record)
        self.lines.append(payload)


class History:
    """Finds the journal's rows up to `stored`, except `deleted` ones; `gone` makes it fail."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.stored = 0
        self.deleted: frozenset[int] = frozenset()
        self.gone = False
        self.asked: list[int] = []

    async def after(self, number: int, limit: int) -> Sequence[Row]:
        self.asked.append(number)
        if self.gone:
            raise OSError("no database")
        rows = [row for row in self.journal.rows if number < row[1] <= self.stored and row[1] not in self.deleted]
        return rows[:limit]
