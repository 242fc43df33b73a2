"""The table of the configuration about transfers, parking and pick-up."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from routing.expressions import takes_long
from routing.transfer_target import Slots, TransferRules

from .values import Digits, Host, Section, items, no_repeats


def pattern(text: str) -> str:
    """A regular expression."""
    if len(text) > 200:
        raise ValueError("an expression of more than 200 characters")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from None
    if (why := takes_long(text)) is not None:
        raise ValueError(f'"{text}" {why}')
    return text


Patterns = Annotated[
    list[Annotated[str, AfterValidator(pattern)]],
    BeforeValidator(items),
    AfterValidator(no_repeats),
    Field(max_length=64),
]


class Transfers(Section):
    """What agents' phones may ask for by REFER, Replaces and pick-up, and where calls are parked."""

    outside: Patterns = Field(default=[])
    "Numbers outside that a transfer may go to: regular expressions, each for the whole number. None: inside only."
    hosts: Annotated[list[Host], BeforeValidator(items), AfterValidator(no_repeats)] = Field(default=[])
    "Names that phones know this server by, beside its listeners' addresses: a Refer-To of another host is refused."
    follow_redirects: bool = True
    "A 3xx from a phone or carrier that we ring is followed where a transfer could go to. Otherwise it is a refusal."
    park_first: Annotated[Digits, Field(max_length=8)] = "701"
    "Number of the first parking slot; empty: nobody parks."
    park_slots: Annotated[int, Field(ge=1, le=1000)] = 20
    "How many slots there are from there on."
    park_timeout: Annotated[float, Field(gt=0, le=86400)] = 120
    "Seconds until a parked caller rings whoever has parked him."
    pick_up: Literal["any", "queue", "off"] = "any"
    "Whose ringing phone an agent may answer from his own: `any`, those of who shares a `queue` with him, or none."

    @model_validator(mode="after")
    def _slots_have_one_length(self) -> Self:
        if self.park_first and len(str(int(self.park_first) + self.park_slots - 1)) > len(self.park_first):
            raise ValueError(f"{self.park_slots} slots from {self.park_first} on do not all have as many digits")
        return self

    def rules(self, prefix: str) -> TransferRules:
        """As what decides knows them. `prefix`: what agents dial before a number outside."""
        slots = Slots(self.park_first, self.park_slots) if self.park_first else Slots()
        return TransferRules(tuple(self.outside), prefix, slots)
