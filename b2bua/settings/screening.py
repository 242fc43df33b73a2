"""The table of the configuration about numbers that are dialled outside."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from routing.policy import pattern_mistake

from .values import Section, digits, items, no_repeats


def _number(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return digits(text)


def _pattern(text: str) -> str:
    if (mistake := pattern_mistake(text)) is not None:
        raise ValueError(mistake)
    return text


EmergencyNumber = Annotated[str, AfterValidator(_number)]
Pattern = Annotated[str, AfterValidator(_pattern)]


class Screening(Section):
    """Numbers that are dialled outside, whoever dials them. Finer rules are policies (docs/fraud.md)."""

    emergency: Annotated[
        list[EmergencyNumber], BeforeValidator(items), AfterValidator(no_repeats), Field(max_length=50)
    ] = Field(default=["112", "911"])
    "Emergency numbers as they are dialled: always put through, past policies, caps, overload and drain, with an alarm."
    never: Annotated[list[Pattern], BeforeValidator(items), AfterValidator(no_repeats)] = Field(
        default=["+870", "+878", "+881", "+882", "+883", "+888", "+979"]
    )
    "Numbers that nobody dials: beginnings, or `~` and a regular expression. Satellites, global networks, premium rate."
    closed: bool = False
    "Dial only numbers that some policy names in its `allow`."
