"""What the importing process is told to do."""

from dataclasses import dataclass
from pathlib import Path

from b2bua.importing.source import Source

BREATH = 0.002
"Seconds between two slices in which others may write: SQLite has one writer at a time."


DONE = "done"
"Name of the answer to a job: what kept it from being done, empty for nothing."


@dataclass(frozen=True, slots=True)
class Job:
    """One import."""

    database: str
    campaign: str
    batch: str
    form: str
    "`csv`, `jsonl` or `sql`."
    path: Path | None = None
    source: Source | None = None
    priority: int = 5
    region: str = ""
    "Of a do-not-call list; a campaign has its own."
    force: bool = False
    "Of a do-not-call list: also with many bad numbers."
    as_of: float | None = None
    "A do-not-call list: the day its numbers are of. `campaign` is its key then, `batch` its name."
