"""What stands beside a recording, as JSON: who is on which channel and when, what is missing, the file's checksum."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from media.recording.track import Counted

VERSION = 1
MOST = 1000
"Losses, pauses and holds that are listed, each; more are counted only."
SUFFIX = ".json"
NEEDED = {"call", "complete", "cut_off", "encrypted", "file", "format", "rate", "seconds", "sha256", "started_at"}
"What makes it an index."


@dataclass(slots=True)
class Span:
    """A stretch of the recording, in seconds from its begin.  `end` None: it goes on."""

    begin: float
    end: float | None = None
    by: str = ""
    "Who wanted it so, or whose it is."


@dataclass(slots=True)
class Part:
    """One leg's share."""

    part: int
    "Number of the leg's part in the call record."
    role: str
    channel: str
    "left | right"
    begin: float
    end: float | None = None
    extension: str = ""
    "Of the agent who was there."
    source: str = "packets"
    "packets: decoded by the recorder; conference: what the conference bridge heard of him."
    codec: str = ""
    counted: Counted = field(default_factory=Counted)


@dataclass(slots=True)
class Lost:
    """Packets that never came; their place is filled with what was before, fading, then silence."""

    part: int
    at: float
    seconds: float
    packets: int


@dataclass(slots=True)
class Index:
    """Everything about one file."""

    call: str
    tenant: str
    node: str
    file: str
    format: str
    rate: int
    started_at: float
    "Epoch seconds of the first sample."
    encrypted: str = ""
    "Id of the key; empty: it is not."
    seconds: float = 0.0
    complete: bool = False
    cut_off: str = ""
    "Why it ends before the call does; empty: it does not."
    size: int = 0
    sha256: str = ""
    "Of the file as it lies there."
    parts: list[Part] = field(default_factory=list)
    pauses: list[Span] = field(default_factory=list)
    "Silence on both channels because somebody wanted it."
    holds: list[Span] = field(default_factory=list)
    "A side had put the other on hold; `by` is its role."
    losses: list[Lost] = field(default_factory=list)
    not_listed: int = 0
    "Losses, pauses and holds beyond those that are listed."
    overrun: int = 0
    "Packets of all recordings that were lost while this one ran because the recorder came too late."

    def text(self) -> str:
        """As it is kept."""
        data = asdict(self)
        data["channels"] = {"left": "caller", "right": "agent"}
        for name in ("pauses", "holds", "parts"):
            for one in data[name]:
                one["from"], one["to"] = one.pop("begin"), one.pop("end")
        return json.dumps({"version": VERSION, **data}, indent=1) + "\n"

    def write(self, folder: Path) -> None:
        """Beside its file; a reader sees all of it or what was there before.  Raises OSError."""
        path = folder / f"{self.call}{SUFFIX}"
        made = path.with_suffix(".tmp")
        made.write_text(self.text(), encoding="utf-8")
        made.replace(path)

    def listed(self, spans: list[Any], new: Any) -> None:
        """Add to one of the lists, as long as there is room."""
        if len(spans) < MOST:
            spans.append(new)
        else:
            self.not_listed += 1


def read(folder: Path, call: str) -> dict[str, Any] | None:
    """What stands beside a call's file; None where nothing does, or nothing that can be read."""
    try:
        data = json.loads((folder / f"{call}{SUFFIX}").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(data, dict) and data.get("version") == VERSION and data.keys() >= NEEDED
    return data if known else None


def write(folder: Path, call: str, data: dict[str, Any]) -> None:
    """Put changed data in their place.  Raises OSError."""
    path = folder / f"{call}{SUFFIX}"
    made = path.with_suffix(".tmp")
    made.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    made.replace(path)


def checksum(path: Path) -> str:
    """SHA-256 of a file.  Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
