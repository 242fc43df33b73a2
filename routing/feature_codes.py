"""Feature codes: what an agent dials to change his own state, and the keys that he presses while he talks.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from routing.goal import Goal

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

BETWEEN = 3.0
"Seconds between two keys of a code; after that what was pressed was meant for the caller."
LONGEST = 24
"Digits of a transfer's target."
END = "#"
"The key that ends them."


class Feature(StrEnum):
    """What a code asks for."""

    LOG_IN = "log-in"
    LOG_OUT = "log-out"
    PAUSE = "pause"
    RESUME = "resume"
    WRAP_UP_OVER = "wrap-up-over"
    TRANSFER = "transfer"
    RELEASE = "release"
    PICK_UP = "pick-up"
    MONITOR = "monitor"
    CONSULT = "consult"
    JOIN = "join"
    COMPLETE = "complete"
    BACK = "back"


DIALLED = frozenset(
    {
        Feature.LOG_IN,
        Feature.LOG_OUT,
        Feature.PAUSE,
        Feature.RESUME,
        Feature.WRAP_UP_OVER,
        Feature.PICK_UP,
        Feature.MONITOR,
    }
)
"Features that are dialled; the others are pressed in a call."
DIALS = frozenset({Feature.TRANSFER, Feature.CONSULT})
"Features that are pressed with a target behind them."


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """The codes of this node; an empty one is not to be had."""

    log_in: str = "*41"
    "The PIN follows, in the number or pressed behind the tone."
    log_out: str = "*42"
    pause: str = "*43"
    "The number of a reason may follow, 1 is the first."
    resume: str = "*44"
    wrap_up_over: str = "*45"
    transfer: str = "*2"
    "In a call: this, an extension, VDN or number, and #."
    release: str = "*0"
    "In a call: ends it; a standing line stays."
    pause_reasons: Sequence[str] = ()
    outside: str = ""
    "Digits before a number outside that a call is transferred to; empty: not by keys."
    pick_up: str = "*8"
    "The extension follows whose phone rings; alone: anybody's who shares a queue."
    monitor: str = "*5"
    "The extension follows of the agent who is listened to."
    consult: str = "*7"
    "In a call: this, an extension, and #; the caller waits meanwhile.  The next three are for then."
    join: str = "*3"
    complete: str = "*4"
    back: str = "*1"

    def dialled(self) -> dict[Feature, str]:
        """The codes that are dialled."""
        codes = {
            Feature.LOG_IN: self.log_in,
            Feature.LOG_OUT: self.log_out,
            Feature.PAUSE: self.pause,
            Feature.RESUME: self.resume,
            Feature.WRAP_UP_OVER: self.wrap_up_over,
            Feature.PICK_UP: self.pick_up,
            Feature.MONITOR: self.monitor,
        }
        return {feature: code for feature, code in codes.items() if code}

    def pressed(self) -> dict[Feature, str]:
        """The codes that are pressed in a call."""
        codes = {Feature.TRANSFER: self.transfer, Feature.RELEASE: self.release, Feature.CONSULT: self.consult}
        return {feature: code for feature, code in codes.items() if code}

    def consulting(self) -> dict[Feature, str]:
        """The codes that are pressed while a colleague is asked."""
        codes = {
            Feature.JOIN: self.join,
            Feature.COMPLETE: self.complete,
            Feature.BACK: self.back,
            Feature.RELEASE: self.release,
        }
        return {feature: code for feature, code in codes.items() if code}

    def reason(self, argument: str) -> str:
        """The reason of a pause by its number; the number itself where nothing is named so."""
        at = int(argument) if argument.isascii() and argument.isdigit() and len(argument) < 4 else 0
        return self.pause_reasons[at - 1] if 0 < at <= len(self.pause_reasons) else argument or "pause"


def clashes(codes: dict[Feature, str]) -> list[tuple[Feature, Feature]]:
    """Pairs of which the first's code begins the second's, so that nobody could tell them apart."""
    return [(a, b) for a in codes for b in codes if a is not b and codes[b].startswith(codes[a])]


def feature_of(user: str, codes: FeatureCodes) -> tuple[Feature, str] | None:
    """What a dialled number asks for, and what stands behind the code; None: it is no code."""
    for feature, code in codes.dialled().items():
        if user.startswith(code):
            return feature, user[len(code) :].strip("*#")
    return None


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a key, or of none."""

    passed: str = ""
    "Keys that were no code: the caller gets them now."
    feature: Feature | None = None
    target: str = ""
    "The digits behind a transfer, or of the colleague who is asked."


class CodeKeys:
    """Keys of an agent in a call.  Those that may begin a code are kept back until it is clear what they are."""

    def __init__(self, codes: FeatureCodes, pressed: dict[Feature, str] | None = None) -> None:
        """`pressed`: those that there are now; without it, those of a usual call."""
        self._codes = codes.pressed() if pressed is None else pressed
        self._kept = ""
        self._target: str | None = None
        "Digits behind a code so far; None: none is being dialled."
        self._dialling = Feature.TRANSFER
        "What they are for."
        self._last = 0.0

    def press(self, key: str, now: float) -> Heard:
        """One key at `now` (any clock, seconds)."""
        late = self.wait(now)
        self._last = now
        if late.feature is not None:
            return late  # the transfer is on its way, and this key belonged to nothing
        if self._target is not None:
            return self._dial(key)
        kept = self._kept + key
        for feature, code in self._codes.items():
            if kept == code:
                self._kept = ""
                if feature in DIALS:
                    self._target, self._dialling = "", feature
                    return late
                return Heard(late.passed, feature)
        if any(code.startswith(kept) for code in self._codes.values()):
            self._kept = kept
            return late
        # the last key may begin a code where those before it did not
        self._kept = key if len(kept) > 1 and any(code.startswith(key) for code in self._codes.values()) else ""
        return Heard(late.passed + kept[: len(kept) - len(self._kept)])

    def _dial(self, key: str) -> Heard:
        assert self._target is not None
        if key != END and len(self._target) < LONGEST:
            self._target += key
            return Heard()
        return self._dialled()

    def _dialled(self) -> Heard:
        target, self._target = self._target or "", None
        return Heard(feature=self._dialling, target=target) if target else Heard()

    def wait(self, now: float) -> Heard:
        """Nothing more came until `now`: a transfer is dialled to its end, other keys were meant for the caller."""
        if self.due is None or now < self.due:
            return Heard()
        if self._target is not None:
            return self._dialled()
        kept, self._kept = self._kept, ""
        return Heard(kept)

    @property
    def due(self) -> float | None:
        """When `wait` has something to say; None: no key is kept back."""
        return self._last + BETWEEN if self._kept or self._target is not None else None


def transfer_goal(digits: str, plan: "Plan", directory: "Directory", tenant: str | None, outside: str) -> Goal | None:
    """Where dialled digits lead: a VDN, an agent, a queue named so, or outside; None: nowhere."""
    vdn = plan.vdns.get(digits)
    if vdn is not None and vdn.tenant in (None, tenant):
        return Goal("vdn", digits)
    if directory.agent(digits) is not None:
        return Goal("agent", digits)
    queue = plan.queues.get(digits)
    if queue is not None and queue.tenant in (None, tenant):
        return Goal("queue", digits)
    number = digits.removeprefix(outside)
    if outside and number != digits and number.isdecimal():
        return Goal("number", number)
    return None
