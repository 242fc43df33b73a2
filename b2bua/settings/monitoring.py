"""The table of the configuration about supervisors who listen to calls."""

from .values import Section


class Monitoring(Section):
    """How supervisors listen to live calls."""

    tone: bool = False
    "The agent hears a short tone when a supervisor begins to listen. Callers never hear one."
