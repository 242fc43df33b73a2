"""Drawing sequence numbers that nobody can guess from those he has seen (R1-01)."""

import secrets
from collections.abc import Container

MAX_FILL = 0.9
"Above this share of live numbers no more are issued: drawing would take long, and a guess would hit too often."

TRIES = 256
"Draws before we say the space is full; at MAX_FILL a free number is missed with 1 in 10^11."

LOOK_AFTER = 8
"Draws that hit a live number before it is worth counting how full the space is."


def draw(width: int) -> str:
    """A number of `width` digits, each equally likely, from the system's random source."""
    return f"{secrets.randbelow(10**width):0{width}}"


def draw_outside(width: int, taken: Container[str]) -> str:
    """One that is not in `taken`, which must leave room."""
    while (drawn := draw(width)) in taken:
        pass
    return drawn


def room(width: int) -> int:
    """How many numbers of this width may be alive at a time."""
    return int(10**width * MAX_FILL)


def check_own(sequence: str, width: int) -> None:
    """A tenant's own number must look like one of ours. Raises ValueError."""
    if len(sequence) != width or not (sequence.isascii() and sequence.isdigit()):
        raise ValueError(f"a sequence number of this tenant has {width} digits")
