"""Call events as numbered records of one documented structure (docs/events.md), and who listens to them."""

from b2bua.events.event import Event
from b2bua.events.log import EventLog

__all__ = ["Event", "EventLog"]
