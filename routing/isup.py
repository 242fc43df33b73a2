"""The initial address message inside SIP-I (ITU-T Q.763; RFC 3204): the numbers of a call as ISUP has them.

The body begins at the message type, without CIC.  ANSI T1.113 differs in the mandatory part, but both keep the pointer
to the optional part at the same place, so both are read.
"""

from dataclasses import dataclass
from enum import Enum

from routing.digits import MAX_DIGITS, Nature

CONTENT_TYPE = "application/isup"
MAX_CONTENT = 1024
"Octets of a body that is read; an ISUP message has at most 272 (Q.706)."

IAM = 0x01
CALLING_PARTY_NUMBER = 0x0A
REDIRECTING_NUMBER = 0x0B
REDIRECTION_INFORMATION = 0x13
ORIGINAL_CALLED_NUMBER = 0x28
CALLED_PARTY_NUMBER = 0x04
END_OF_OPTIONAL = 0x00

_CALLED_POINTER = 6
"Type, nature of connection, 2 of forward call indicators, calling category, transmission medium; then two pointers."
_OPTIONAL_POINTER = 7
_NATURES = {1: Nature.SUBSCRIBER, 2: Nature.UNKNOWN, 3: Nature.NATIONAL, 4: Nature.INTERNATIONAL}
_NUMBERS = frozenset({CALLED_PARTY_NUMBER, CALLING_PARTY_NUMBER, REDIRECTING_NUMBER, ORIGINAL_CALLED_NUMBER})


class BadIsup(ValueError):
    """The body is no initial address message, or the parameter asked for is broken."""


class Presentation(Enum):
    """Address presentation restricted indicator (Q.763 section 3.10)."""

    ALLOWED = 0
    RESTRICTED = 1
    NOT_AVAILABLE = 2
    NETWORK = 3
    "Reserved for restriction by the network: like RESTRICTED."


@dataclass(frozen=True, slots=True)
class IsupNumber:
    """An address parameter, its signals as decimal digits."""

    digits: str
    nature: Nature
    presentation: Presentation = Presentation.ALLOWED

    @property
    def masked(self) -> bool:
        """The number may be used but not shown."""
        return self.presentation is not Presentation.ALLOWED


@dataclass(frozen=True, slots=True)
class Redirection:
    """Redirection information (Q.763 section 3.45)."""

    indicator: int
    original_reason: int
    counter: int
    reason: int


@dataclass(frozen=True, slots=True)
class InitialAddress:
    """An initial address message, taken apart into its parameters but not further."""

    parameters: dict[int, bytes]
    "Content by parameter code, the first of a repeated code."
    cut: int | None = None
    "The parameter in which the body ended too early; END_OF_OPTIONAL when it ended before the first optional one."

    @classmethod
    def parse(cls, content: bytes) -> "InitialAddress":
        """Raises BadIsup for what is no initial address message; of one cut short it keeps what is there."""
        if len(content) > MAX_CONTENT:
            raise BadIsup(f"{len(content)} octets are no ISUP message")
        if not content or content[0] != IAM:
            raise BadIsup(f"message type {content[0]:#04x} is no initial address" if content else "empty")
        if len(content) <= _OPTIONAL_POINTER:
            raise BadIsup("ends inside the mandatory part")
        found: dict[int, bytes] = {}
        cut: int | None = None
        called = _CALLED_POINTER + content[_CALLED_POINTER]
        if called < len(content):
            found[CALLED_PARTY_NUMBER] = content[called + 1 : called + 1 + content[called]]
            if called + 1 + content[called] > len(content):
                cut = CALLED_PARTY_NUMBER
        if content[_OPTIONAL_POINTER] == 0:
            return cls(found, cut)
        at = _OPTIONAL_POINTER + content[_OPTIONAL_POINTER]
        if at >= len(content):
            return cls(found, END_OF_OPTIONAL)
        while at < len(content) and (code := content[at]) != END_OF_OPTIONAL:
            length = content[at + 1] if at + 1 < len(content) else 1
            value = content[at + 2 : at + 2 + length]
            found.setdefault(code, value)
            if len(value) < length:
                return cls(found, code)
            at += 2 + length
        return cls(found, cut)

    def number(self, code: int) -> IsupNumber | None:
        """The address parameter `code`; None when it is not there or "not available".

        Raises BadIsup for one that is broken, and for one that may have stood where the body is cut off.
        """
        if code not in _NUMBERS:
            raise BadIsup(f"parameter {code:#04x} is no number")
        value = self.parameters.get(code)
        if (value is None and self.cut is not None) or code == self.cut:
            raise BadIsup(f"cut short, in or before parameter {code:#04x}")
        if value is None:
            return None
        if len(value) < 2:
            raise BadIsup(f"parameter {code:#04x} is too short for a number")
        presentation = Presentation.ALLOWED
        if code != CALLED_PARTY_NUMBER:  # which has an indicator of another kind there
            presentation = Presentation(value[1] >> 2 & 0b11)
        if presentation is Presentation.NOT_AVAILABLE:
            return None
        odd, nature = value[0] & 0x80, value[0] & 0x7F
        digits = _signals(value[2:], odd=bool(odd))
        if not digits.isdecimal() or len(digits) > MAX_DIGITS:
            raise BadIsup(f"parameter {code:#04x} has signals that are no digits" if digits else "no digits")
        return IsupNumber(digits, _NATURES.get(nature, Nature.UNKNOWN), presentation)

    def redirection(self) -> Redirection | None:
        """Redirection information; None when it is not there.  Raises BadIsup."""
        value = self.parameters.get(REDIRECTION_INFORMATION)
        if value is None:
            return None
        if not value or self.cut == REDIRECTION_INFORMATION:
            raise BadIsup("redirection information is cut short")
        second = value[1] if len(value) > 1 else 0  # one octet only in national use
        return Redirection(value[0] & 0b111, value[0] >> 4, second & 0b111, second >> 4)


def _signals(octets: bytes, *, odd: bool) -> str:
    """Address signals as hexadecimal digits, low nibble first; filler and end-of-number signals taken off."""
    pairs = octets.hex()
    signals = "".join([pairs[at + 1] + pairs[at] for at in range(0, len(pairs), 2)])
    return (signals[:-1] if odd else signals).rstrip("f")
