"""HTTP out: what we ask tenants' systems; each question has a deadline, a size cap, a breaker and a place in a lane."""

from b2bua.outside.answer import Pulled
from b2bua.outside.pull import Limits, Puller, PullFailed, Reason

__all__ = ["Limits", "PullFailed", "Pulled", "Puller", "Reason"]
