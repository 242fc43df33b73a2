"""The one id of a call (RFC 9562, UUID version 7): sorted by time, not to be guessed."""

import os
import time


def new_call_id() -> str:
    """A UUIDv7 as text: 48 bits of Unix milliseconds, then 74 random bits."""
    stamp = time.time_ns() // 1_000_000
    noise = int.from_bytes(os.urandom(10), "big")
    high = (stamp << 16) | 0x7000 | (noise >> 68)
    low = 0x8000_0000_0000_0000 | (noise & 0x3FFF_FFFF_FFFF_FFFF)
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
