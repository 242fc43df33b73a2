"""The table of the configuration about recording."""

from typing import Annotated, Literal

from pydantic import Field

from .values import FilePath, Section


class Recording(Section):
    """What is kept of what people say: one mono WAV file for each leg, named by the call's id."""

    when: Literal["never", "asked", "always"] = "asked"
    "`always`: every call from its answer on; `asked`: calls of queues with `record`, and those for which the API asks."
    folder: FilePath | None = None
    "Folder of the files, one inside it for each tenant; without it, `recordings` in the data folder."
    announcement: FilePath | None = None
    "WAV file played to both sides first; what they say is kept from its end on. Without it, from the answer on."
    keep_days: Annotated[int, Field(ge=0, le=36500)] = 90
    "Days after which a file is deleted; 0: never."
