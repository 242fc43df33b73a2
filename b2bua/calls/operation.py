"""What operators ask of a running node beside its calls: drain, reload, traces, what the policies have counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from b2bua.calls.screening import Count
from b2bua.settings import Settings
from b2bua.sip.traced import Traced


@dataclass(frozen=True, slots=True)
class LegView:
    """A leg of a call, as the trace knows it."""

    n: int
    role: str
    party: str | None
    sip_call_id: str | None


@dataclass(frozen=True, slots=True)
class DrainView:
    """Whether the node takes calls, and how many are left."""

    draining: bool
    since: float | None
    "Epoch seconds."
    by: str
    ends_at: float | None
    "When calls that are left are ended (epoch seconds); None: they end by themselves."
    calls: int


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload has come to."""

    applied: tuple[str, ...]
    "Keys that are another from now on."
    waiting: tuple[str, ...]
    "Keys that differ and need a restart."


class Operation(Protocol):
    """Given to the API by the app."""

    @property
    def settings(self) -> Settings:
        """Those in force."""
        ...

    def legs(self, call: str) -> Sequence[LegView] | None:
        """Those of a live call, gone ones included; None: it does not live."""
        ...

    async def messages(self, call_ids: Iterable[str]) -> Sequence[Traced]:
        """SIP messages of these dialogs that are kept, oldest first, masked."""
        ...

    def oldest_message(self) -> float:
        """When the oldest message of the trace was kept (epoch seconds); 0.0: there is none."""
        ...

    def drain_view(self) -> DrainView: ...

    def drain(self, by: str, end_after: float | None) -> DrainView:
        """No new calls; those that live are ended after so many seconds, None: never."""
        ...

    def undrain(self, by: str) -> DrainView: ...

    async def reload(self, by: str) -> Reloaded:
        """Read the configuration again. Raises SettingsError with all mistakes; then nothing has changed."""
        ...

    def counts(self) -> Sequence[Count]:
        """What calls to the outside have come to today, by policy."""
        ...
