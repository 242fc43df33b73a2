"""Trunks at this moment, for the API and its command: copies that may be kept."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from b2bua.sip.trunk_desk import TrunkDesk
    from b2bua.sip.trunk_line import Line


@dataclass(frozen=True, slots=True)
class AddressView:
    """One address that calls are sent to."""

    address: str
    state: str
    losses: int
    "Answers missing in a row."
    priority: int
    weight: int
    left_alone: float
    "Seconds for which it still gets no call (Retry-After); 0: it does."


@dataclass(frozen=True, slots=True)
class TrunkView:
    """One trunk."""

    name: str
    state: str
    "The best of its addresses: up, unknown, warning, out; no-address; inbound: no calls go out there."
    maintenance: bool
    calls_in: int
    calls_out: int
    minutes_today: float
    registered: str
    "yes, no, or empty: we do not register there."
    why: str
    "What the registrar said last, where we are not registered."
    addresses: tuple[AddressView, ...]


def view(desk: TrunkDesk, name: str) -> TrunkView | None:
    """One trunk; None: there is none of this name."""
    line = desk.lines.get(name)
    if line is None:
        return None
    return TrunkView(
        name,
        line.state,
        line.maintenance,
        line.load.calls_in,
        line.load.calls_out,
        round(desk.minutes(line), 2),
        _registered(line),
        line.registration.why,
        tuple(
            AddressView(
                far.destination,
                str(far.circuit.state),
                far.circuit.losses,
                far.member.priority,
                far.member.weight,
                ceil(10 * max(0.0, far.blocked_until - desk.now())) / 10,
            )
            for far in line.fars.values()
        ),
    )


def _registered(line: Line) -> str:
    if not line.settings.registers:
        return ""
    return "yes" if line.registration.until else "no"
