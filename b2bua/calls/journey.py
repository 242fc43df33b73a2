"""What a call has been through on its way to an agent: values that one step leaves for the next."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Journey:
    """Empty where the call has not come by."""

    digits: str = ""
    "What the caller dialled in a menu last (R2-02)."
    vdn: str = ""
    "The VDN those digits, or the called number, led to (R2-03)."
    area: str = ""
    "The queue area his waiting is counted in (R2-04)."
    priority: str = ""
    "His priority class where something before the queue gave him one; empty: the preset list decides (R2-07)."
    queue: str = ""
    "The queue he waits in, or that the agent he talks to took him from."
    entered: float | None = None
    "When he began to wait (monotonic seconds): what a move from one queue to another keeps."
    language: str = ""
    "What he chose in a menu; empty: he was not asked."
    states: dict[str, str] = field(default_factory=dict)
    "What the staff services have said of persons, by id."
    asked: dict[str, float] = field(default_factory=dict)
    "When they were asked about a person and those who could stand in for him (monotonic seconds)."
    redirects: int = 0
    "How often a phone or carrier has sent him elsewhere."
    parked_by: str = ""
    "Who has parked him last, to be rung when his time is over."
    last_agent: str = ""
    "Who served him last, as far as this call knows."
