"""The table of the configuration about the signalling that is kept for operators."""

from typing import Annotated

from pydantic import Field

from .values import Section


class Trace(Section):
    """The last SIP messages, kept in memory to be looked at call by call (docs/tracing.md)."""

    memory: Annotated[int, Field(ge=0, le=4096)] = 64
    "MiB of memory; the oldest messages give way. 0: no message is kept. A call takes about 15 kB."
    keep: Annotated[float, Field(gt=0, le=604800)] = 3600
    "Seconds after which a message is forgotten, however much room is left."
