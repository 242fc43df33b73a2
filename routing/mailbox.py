"""Mailboxes: where a caller can leave a message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.menu_checks import LANGUAGE
from routing.spoken import SOUND_FILE

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

MOST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What a caller hears before he speaks, and how long he may."""

    id: str
    name: str = ""
    tenant: str | None = None
    greeting: str = "Please leave a message after the tone. Press the hash key to finish."
    "Spoken before the tone."
    greeting_file: str = ""
    "Sound file to be played instead."
    language: str = "en"
    longest: float = 120.0
    "Seconds of one message."
    shortest: float = 1.0
    "Seconds; what is shorter is not kept."


def mailbox(value: Mailbox, plan: Plan, directory: Directory) -> Iterator[str]:
    """What is wrong with a mailbox."""
    if value.greeting_file and not SOUND_FILE.fullmatch(value.greeting_file):
        yield f"greeting_file: {value.greeting_file!r} is no name of a sound file such as welcome.wav"
    if not LANGUAGE.fullmatch(value.language):  # it is part of a path, and of a command
        yield f"language: {value.language!r} is no language such as en or pt-br"
    if not 1 <= value.longest <= MOST_SECONDS:
        yield f"longest: must be from 1 to {MOST_SECONDS:g}"
    if not 0 <= value.shortest < value.longest:
        yield "shortest: must be from 0 to less than `longest`"
