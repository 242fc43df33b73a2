"""What reaches a call's inbox beside the signals of its legs, and how the step that is on may end because of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from b2bua.calls.moving import Handed, HandOver
from b2bua.calls.recording import RecordingOrder
from b2bua.sip.signals import Closed, Signal
from routing.floor import Announce, Leave, Offer, Withdraw

if TYPE_CHECKING:
    from b2bua.calls.follow import Step
    from b2bua.calls.session import Session
    from b2bua.calls.transfer import Transfer
    from routing.consulting import Event
    from routing.goal import Goal


@dataclass(frozen=True, slots=True)
class HangUp:
    """Somebody with the right to it ends the call."""

    by: str


@dataclass(frozen=True, slots=True)
class Silent:
    """A leg whose far end has sent nothing at all for too long."""

    leg: int


@dataclass(frozen=True, slots=True)
class Rerouted:
    """The call shall go elsewhere from here: an outside answer, a transfer."""

    goal: Goal
    data: Mapping[str, Any] = field(default_factory=dict)
    "Joins the caller's business data."
    by: str = ""
    "Who wants it so."
    step: Step | None = None
    "What is done for the goal, where that is not the usual."


News = Offer | Withdraw | Leave | Announce
"What the floor tells a caller who waits, or has waited until now."


@dataclass(frozen=True, slots=True)
class Said:
    """All of an announcement was heard, or could not be."""

    announcement: object


@dataclass(frozen=True, slots=True)
class Consult:
    """A colleague is asked while the caller waits, or what becomes of that."""

    event: Event | None
    "None: begin it."
    extension: str
    "Whom to ask."
    by: str


class Beside:
    """An order that the call's task carries out at once, beside the step that is on, which does not hear of it."""

    __slots__ = ()

    def do(self, call: Session) -> None:
        raise NotImplementedError


Delivery = Signal | HangUp | Silent | Rerouted | RecordingOrder | News | Said | HandOver | Handed | Consult | Beside


class CallerLeft(Exception):
    """The caller's leg is gone: CANCEL, BYE or a dead path."""

    def __init__(self, closed: Closed) -> None:
        super().__init__(f"the caller left with {closed.code}")
        self.closed = closed


class Moved(Exception):
    """The step that is on ends here: the call goes to `goal`."""

    def __init__(self, goal: Goal, by: str, step: Step | None = None, transfer: Transfer | None = None) -> None:
        super().__init__(f"moved to {goal} by {by}")
        self.goal, self.by = goal, by
        self.step = step
        "What is done for `goal` there, where that is not the usual."
        self.transfer = transfer
        "Where a phone has asked for it, and is told what comes of it."


class Ordered(Exception):
    """The call was ended by an order (API, drain), by whom is in `by`."""

    def __init__(self, by: str) -> None:
        super().__init__(f"ended by {by}")
        self.by = by
