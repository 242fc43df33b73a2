"""Business hours and holidays of a tenant, in its own time zone."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Calendar:
    """When somebody is there."""

    id: str
    zone: str = "UTC"
    "IANA time zone."
    hours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    'Weekday ("mon" .. "sun") -> spans "08:00-12:30"; a span may end at "24:00".'
    holidays: Mapping[str, str] = field(default_factory=dict)
    "Date 2026-12-25 -> name: closed all day."
    tenant: str | None = None
