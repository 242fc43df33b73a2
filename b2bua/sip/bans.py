"""Bans as the API and the commands see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ban:
    """An address that gets no answer for a while."""

    address: str
    reason: str
    since: float
    "Epoch seconds."
    left: float
    "Seconds."
    dropped: int
    "Requests that the gate itself has dropped; what the kernel drops for it is not among them."
    automatic: bool
    "The gate's own decision; else somebody's."


class CannotBan(Exception):
    """An address of a trunk or office (it can be forged), or the table is full."""


class Bans(Protocol):
    """Who is banned, and how that is changed."""

    def bans(self) -> Sequence[Ban]:
        """All of them, the latest first."""
        ...

    def ban(self, address: str, reason: str, seconds: float, by: str) -> None:
        """Raises CannotBan, and ValueError for what is no address."""
        ...

    def lift(self, address: str, by: str) -> bool:
        """False where there was none."""
        ...
