"""A command: one number to dial, once (R3-03), under an id that is a string, sorts by time and never repeats
(R3-04)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dialer.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Command:
    """Written to disk before its INVITE is sent."""

    id: str
    campaign: str
    tenant: str
    contact: str
    number: str
    "E.164."
    attempt: int
    "1 is the contact's first."
    node: str
    at: float
    "Epoch seconds."
    trunk: str = ""
    "The first one tried."


@dataclass(frozen=True, slots=True)
class Record:
    """How a command ended: exactly one each (R3-09). Times are epoch seconds."""

    command: str
    outcome: Outcome
    ended_at: float
    ringing_at: float | None = None
    "First 18x."
    answered_at: float | None = None
    live: bool = False
    "Answered by a person, as far as anybody can tell: what the abandon share is a share of."
    connected_at: float | None = None
    "An agent, or the broadcast's message, was put through."
    late: bool = False
    "Connected, but after the limit: counted as abandoned, whatever the outcome says about the talk."
    agents_idle: bool = False
    "Abandoned although an agent was idle: not part of R3-15's own figure."
    agent: str = ""
    disposition: str = ""
    call_back_at: float | None = None
    "When the called wants to be called, as the agent entered it."
    opted_out: bool = False
    "Asked not to be called again."
    machine_as_human: bool = False
    "An agent was given a machine."
    trunk: str = ""
    "The one that carried it at last."
    sip_code: int | None = None
    cause: str = ""
    "The cause of the call's record, or why it was withheld."
    call: str = ""
    "The call's id."
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def abandoned(self) -> bool:
        """Whether the law counts it so."""
        return self.live and (self.outcome is Outcome.ABANDONED or self.late)


class CommandIds:
    """Ids as UUIDs of version 7 (RFC 9562): 48 bits of milliseconds, 12 bits of count, 62 random bits.

    Within one process they rise strictly, also when the clock jumps back; from different processes, and from before a
    restart, 62 random bits keep them apart.
    """

    def __init__(self, noise: Callable[[int], int]) -> None:
        self._noise = noise
        "Random bits, as `secrets.randbits`."
        self._last = 0

    def next(self, now: float) -> str:
        """The next id at `now`, epoch seconds."""
        # the count is part of the number: 4,096 in one millisecond run over into the next one
        self._last = max(self._last + 1, int(now * 1000) << 12)
        high = ((self._last >> 12) << 16) | 0x7000 | (self._last & 0xFFF)
        text = f"{high:016x}{0x8000_0000_0000_0000 | self._noise(62):016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
