"""What others may see of a live call, and whom they may ask us to connect: values for the API and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from b2bua.calls.quality_view import LegSoundView
    from b2bua.calls.session import Session


@dataclass(frozen=True, slots=True)
class MonitorView:
    """A supervisor who listens to a live call."""

    supervisor: str
    "His extension."
    agent: str
    "Extension of the agent whom he would whisper to."
    mode: str
    "listen | whisper | barge"
    by: str
    "Who has asked for it."
    since: float | None
    "Epoch seconds; None: his phone rings."


@dataclass(frozen=True, slots=True)
class CallView:
    """A live call as it is at one moment."""

    id: str
    tenant: str | None
    direction: str
    "inbound | outbound | internal (from a phone to the inside)"
    trunk: str | None
    called: str | None
    caller: str | None
    "The effective caller (R1-07)."
    billing_number: str | None
    extension: str | None
    state: str
    since: float
    "Epoch seconds of its first INVITE."
    data: Mapping[str, Any] = field(default_factory=dict)
    "Business data of its token."
    queue: str = ""
    "Where it waits, or where its agent took it from."
    vdn: str = ""
    priority: str = ""
    recording: str = "off"
    "off | on | paused"
    path: str = ""
    "relay | conference: how those who talk hear each other; empty: nobody talks."
    path_reason: str = ""
    "Why the sound goes that way (docs/sound.md)."
    supervisors: tuple[MonitorView, ...] = ()
    "Who listens to it."
    alarm: str = ""
    "What is wrong with its sound now: one-way, unheard or dead; empty: nothing."
    legs: tuple[LegSoundView, ...] = ()
    "How its legs sound now, where one call is asked for."


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a call to be started."""

    kind: Literal["agent", "number"]
    target: str
    "An agent's extension, or the digits to dial."
    trunk: str | None = None
    "Over which trunk a number is dialled; None for an agent."


class CannotStart(Exception):
    """A call between two parties cannot be started; `busy` says that it may work in a moment (draining, overload)."""

    def __init__(self, why: str, *, busy: bool = False) -> None:
        super().__init__(why)
        self.busy = busy


def view_of(session: Session) -> CallView:
    """How a call is now."""
    row, sound = session.record.row, session.sound_path
    return CallView(
        id=row.id,
        tenant=row.tenant,
        direction=row.direction,
        trunk=row.trunk,
        called=row.called,
        caller=row.effective_caller,
        billing_number=row.billing_number,
        extension=row.extension,
        state=session.state,
        since=row.started_at,
        data=session.data,
        queue=session.journey.queue,
        vdn=session.journey.vdn,
        priority=session.journey.priority,
        recording=session.recording.state,
        path=sound.way if sound is not None else "",
        path_reason=sound.reason if sound is not None else "",
        supervisors=session.monitoring.views() if session.monitoring is not None else (),
    )
