"""The table of the configuration about more calls than a node can do."""

from typing import Annotated

from pydantic import Field

from .values import Section

Rate = Annotated[float, Field(ge=1, le=100_000)]


class Overload(Section):
    """How many new calls a second are taken; the others get 503 with Retry-After, and cost next to nothing."""

    adaptive: bool = True
    "Find the rate by how busy the processor is: just above four fifths of what passes unlimited. False: only `most`."
    most: Rate | None = None
    "New calls a second at most, however idle the processor; without it, only `adaptive` limits."
    begin: Rate = 200
    "New calls a second that are taken before the node knows what a call costs here."
