"""VDNs (vector directory numbers): virtual extensions that a caller's digits, or a called number, are matched with."""

from dataclasses import dataclass

from routing.goal import Goal


@dataclass(frozen=True, slots=True)
class Vdn:
    """A virtual extension and where it leads (R2-03)."""

    number: str
    "Digits; the key."
    name: str
    goal: Goal
    tenant: str | None = None
    "Only calls of this tenant reach it; None: all."
    area: str = ""
    "Queue area its calls are counted in; empty: the VDN's own number."
    priority: str | None = None
    "Priority class of its calls."

    @property
    def queue_area(self) -> str:
        return self.area or self.number
