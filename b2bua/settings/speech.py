"""The table of the configuration about what callers hear: sound files, and texts that are spoken."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from .values import FilePath, Section, items


class Speech(Section):
    """Sound files of menus and announcements, spoken texts, and messages that callers leave."""

    sounds: FilePath | None = None
    """Folder of the sound files that menus name; a folder for the language (`en`) inside it comes first. Without it,
    `sounds` in the data folder."""
    command: Annotated[list[str], BeforeValidator(items)] | None = None
    """Program that speaks: it reads a text from its standard input and writes the WAV file `{file}`; `{language}` is
    the text's. Without it, espeak-ng where that is installed; an empty list: nobody speaks."""
    deadline: Annotated[float, Field(gt=0, le=60)] = 5
    "Seconds the program may take for one text; after that the caller hears nothing of it."
    keep_files: Annotated[int, Field(ge=10, le=1_000_000)] = 5000
    "Spoken texts that are kept as files; those made first go first."
    keep_messages: Annotated[int, Field(ge=0, le=36500)] = 0
    "Days after which a message that a caller left is deleted; 0: never."
