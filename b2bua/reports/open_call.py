"""What the statistics keep in mind of a call until it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Stay:
    """A wait in one queue, and how it ended."""

    queue: str
    area: str
    vdn: str
    priority: str
    at: float
    "When he came, epoch seconds."
    result: str = ""
    "Empty while he waits."
    wait: float = 0.0

    @property
    def waits(self) -> bool:
        return not self.result

    def again(self, at: float) -> Stay:
        """The wait that begins when an agent is lost."""
        return Stay(self.queue, self.area, self.vdn, self.priority, at)


@dataclass(slots=True)
class OpenCall:
    """A call that has begun."""

    at: float
    tenant: str = ""
    calling: str = ""
    "As the trunk wrote it."
    caller: str = ""
    "The effective caller, once a screen was popped for him."
    called: str = ""
    trunk: str = ""
    stay: Stay | None = None
    "The last one."
    extension: str = ""
    "The agent who has him, or had him last."
    talks: bool = False
    talk_at: float = 0.0
    answered_at: float = 0.0
    agents: int = 0
    transfers: int = 0
    mailbox: str = ""
    survey: dict[str, str] = field(default_factory=dict)
    rule: str = ""
    "The rule of the filter list that decided about it."
    keep: bool = True

    def report(self, id: str, at: float, ended: Mapping[str, Any]) -> dict[str, Any]:
        """The call as reporting servers get it; `ended` is the data of its `call.ended`."""
        stay = self.stay
        return {
            "call": id,
            "tenant": self.tenant or None,
            "trunk": self.trunk or None,
            "calling": self.calling or None,
            "caller": ended.get("caller") or self.caller or self.calling or None,
            "called": self.called or None,
            "received_at": self.at,
            "answered_at": self.answered_at or None,
            "ended_at": at,
            "duration": ended.get("duration"),
            "talk": ended.get("talk"),
            "cause": ended.get("cause"),
            "sip_code": ended.get("sip_code"),
            "ended_by": ended.get("ended_by"),
            "vdn": (stay.vdn or None) if stay is not None else None,
            "queue": stay.queue if stay is not None else None,
            "area": (stay.area or None) if stay is not None else None,
            "priority": (stay.priority or None) if stay is not None else None,
            "result": stay.result if stay is not None else None,
            "wait": stay.wait if stay is not None else None,
            "extension": self.extension or None,
            "agents": self.agents,
            "transfers": self.transfers,
            "mailbox": self.mailbox or None,
            "survey": self.survey,
            "rule": self.rule or None,
        }

    def kept(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> OpenCall:
        """What `kept` gave."""
        stay = kept.get("stay")
        return cls(**{**kept, "stay": None if stay is None else Stay(**stay)})
