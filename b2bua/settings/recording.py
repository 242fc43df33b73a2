"""The table of the configuration about recording."""

from typing import Annotated, Literal

from pydantic import Field

from .values import FilePath, Section


class Recording(Section):
    """What is kept of what people say: one file for each call, the caller on the left, his agents on the right."""

    when: Literal["never", "asked", "always"] = "asked"
    """`always`: every call from its answer on; `asked`: calls of tenants, queues and campaigns with `record`, and those
    for which the API asks."""
    format: Literal["wav", "opus"] = "wav"
    "`wav`: 16 bit, 115 MB an hour; `opus`: Ogg Opus, 11 MB an hour."
    folder: FilePath | None = None
    "Folder of the files, one inside it for each tenant; without it, `recordings` in the data folder."
    announcement: FilePath | None = None
    "WAV file played to both sides first; what they say is kept from its end on. Without it, from the answer on."
    keep_days: Annotated[int, Field(ge=0, le=36500)] = 90
    "Days after which a file is deleted, where its tenant does not say otherwise; 0: never."
    key_file: FilePath | None = None
    """File with a key of 64 hexadecimal digits on each line: files are encrypted with the first one (AES-256-GCM), and
    the others open older files. Without it, they are not."""
    keep_free_mb: Annotated[int, Field(ge=0, le=1_000_000_000)] = 500
    "Megabytes of the disk that recordings leave to others: with less, calls go on unrecorded; 0: to the last one."
