"""What call progress and answering-machine detection says and is told: values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LATEST = 1.2
"Seconds after the greeting's last word by which a decision has to be there."


class Kind(StrEnum):
    """Who or what has taken the call."""

    HUMAN = "human"
    "A person; also every case of doubt."
    MACHINE = "machine"
    "An answering machine, a voicemail box, an announcement, music."
    FAX = "fax"
    "A fax machine's or modem's tone."
    SIT = "sit"
    "The network's three rising tones; `Verdict.code` says which."
    BUSY = "busy"
    "Busy tone in the sound."
    CONGESTION = "congestion"
    "Reorder tone: no way through the network."
    SILENCE = "silence"
    "Nobody has said a word for `AmdSettings.initial_silence` seconds."
    LOST = "lost"
    "The leg ended, or the watch was stopped, before anything could be said."


class Stage(StrEnum):
    """What is expected on the line."""

    EARLY = "early"
    "The call is not answered: only tones decide (busy, congestion, SIT, fax); talk and music mean nothing."
    ANSWERED = "answered"
    "Somebody or something has answered."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, why, and when.  Times are seconds of sound since the watch began."""

    kind: Kind
    reason: str
    "A few fixed words for logs and counts: `short greeting`, `beep` ..."
    at: float = 0.0
    "When it was known."
    greeting_end: float | None = None
    "When the last word before it ended; None: there was none, or somebody is still talking."
    code: str = ""
    "For SIT: IC, VC, RO', NC', RO'', NC'' or ITU."

    @property
    def person(self) -> bool:
        """Whether the call belongs to an agent: a person, or somebody who answered and says nothing."""
        return self.kind in (Kind.HUMAN, Kind.SILENCE)


@dataclass(frozen=True, slots=True)
class Beep:
    """A machine's tone before the message is taken down.  Seconds of sound since the watch began."""

    start: float
    end: float
    frequency: float
    "Hertz; of two tones the lower one."


@dataclass(frozen=True, slots=True)
class AmdSettings:
    """How one campaign listens."""

    enabled: bool = False
    "Off: nobody is listened to, every answered call is a person's."
    initial_silence: float = 4.0
    "Seconds without a word, from the answer, after which it is SILENCE."
    after_greeting: float = 1.12
    "Seconds of silence after the greeting at which the last tree decides; 0.5 to 1.2.  Less is quicker and less sure."
    hard_cut: float = 1.5
    "Seconds after the greeting's last word at which it is a person, whatever was thought."
    longest: float = 10.0
    "Seconds of sound, from the answer, at which somebody who is still talking is a machine."
    caution: float = 1.0
    "How much surer than usual one must be to say MACHINE: 1 as trained, 2 half as many leaves dare, 0.5 twice as bold."
    quiet_before_message: float = 2.5
    "Seconds of silence after a machine's talk that stand for a beep that never comes."
    longest_greeting: float = 60.0
    "Seconds, from the answer, after which no beep is waited for any longer."

    def __post_init__(self) -> None:
        limits = {
            "initial_silence": (0.5, 30.0),
            "after_greeting": (0.5, LATEST),
            "hard_cut": (0.5, 5.0),
            "longest": (2.0, 60.0),
            "caution": (0.1, 10.0),
            "quiet_before_message": (0.5, 30.0),
            "longest_greeting": (5.0, 600.0),
        }
        for name, (least, most) in limits.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be between {least:g} and {most:g}")
