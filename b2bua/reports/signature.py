"""Signature of what is sent to listeners, so that they know who sent it and when. Pure."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "Tandem-Signature"


def sign(secret: str, body: bytes, now: int) -> str:
    """The header's value: `t=1767225600,v1=` and HMAC-SHA256, in hex, of that time, a full stop and the body."""
    return f"t={now},v1={_mac(secret, body, now)}"


def verify(secret: str, body: bytes, value: str, now: float, tolerance: float = 300.0) -> bool:
    """What a listener does: whether the value is of this body and not older (or newer) than `tolerance` seconds."""
    parts = dict(part.partition("=")[::2] for part in value.split(","))
    try:
        at = int(parts.get("t", ""))
    except ValueError:
        return False
    return abs(now - at) <= tolerance and hmac.compare_digest(parts.get("v1", ""), _mac(secret, body, at))


def _mac(secret: str, body: bytes, now: int) -> str:
    return hmac.new(secret.encode(), b"%d." % now + body, hashlib.sha256).hexdigest()
