"""A measurement wants the machine for itself: wait for that, and say when it was not so."""

import time

from .accounting import busy_seconds
from .console import note
from .cores import Cores

DISTURBED = 0.08
"Share of a core used by others from which a run that failed proves nothing."
LOOK = 1.0


def busiest(cores: Cores, seconds: float = LOOK) -> float:
    """Share (0 to 1) to which the busier of our cores is in use; call it while nothing of ours runs."""
    before = {core: busy_seconds(core) for core in (cores.server, cores.generator)}
    time.sleep(seconds)
    return max(busy_seconds(core) - then for core, then in before.items()) / seconds


def wait_for_quiet(cores: Cores, patience: float) -> bool:
    """Wait until others leave both cores alone; False when they have not within `patience` seconds."""
    end, said = time.monotonic() + patience, False
    while (busy := busiest(cores)) > DISTURBED:
        if time.monotonic() > end:
            return False
        if not said:
            note(f"others use {busy:.0%} of a core: waiting for quiet, at most {patience:.0f} s")
            said = True
    return True
