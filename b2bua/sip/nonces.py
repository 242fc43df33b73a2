"""Nonces that need no memory until somebody who knows a password has used one (RFC 7616 sections 3.3, 3.4 and 5.4).

A nonce says when and for which address it was made, signed with a key of this process.  What is remembered is how often
those were used that came back with a right answer; that memory has an end, and what falls out of it is stale.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import Enum
from itertools import islice
from typing import NamedTuple

LIFETIME = 300.0
"Seconds in which a nonce may be used."
MOST_USED = 65_536
"Used nonces remembered."
WINDOW = 16
"Counts that may overtake each other on their way."
AGAIN_WITHIN = 32.0
"Seconds in which a request may be repeated: 64 * T1 (RFC 3261 section 17.1.2.2)."

_STAMP, _SALT, _SIGN = 6, 8, 16
_LENGTH = _STAMP + _SALT + _SIGN


class Age(Enum):
    """What a nonce is."""

    FRESH = "fresh"
    OLD = "old"
    FOREIGN = "foreign"
    "Not made here, not in this life of the process, or for another address."


class Use(Enum):
    """What a count is."""

    FIRST = "first"
    AGAIN = "again"
    "The same request as before: a retransmission."
    REPLAYED = "replayed"


class _Uses(NamedTuple):
    made: int
    counts: dict[int, tuple[str, float]]
    "Count -> the request that had it, and when."


class Nonces:
    """Makes and judges them.  Times are any clock's seconds."""

    def __init__(self, lifetime: float = LIFETIME, most: int = MOST_USED) -> None:
        self.lifetime = lifetime
        self._most = most
        self._key = os.urandom(32)
        self._used: dict[str, _Uses] = {}
        "By nonce, in the order of their first use."
        self._floor = -1
        "Nonces made up to this moment (ms) may have been forgotten."

    def __repr__(self) -> str:
        return f"<{len(self._used)} nonces in use>"

    def make(self, address: str, now: float) -> str:
        """A nonce for whoever sends from this address."""
        head = int(now * 1000).to_bytes(_STAMP, "big") + os.urandom(_SALT)
        return urlsafe_b64encode(head + self._sign(head, address)).decode()

    def age(self, nonce: str, address: str, now: float) -> Age:
        """What came back."""
        made = self._made(nonce, address)
        if made is None:
            return Age.FOREIGN
        return Age.FRESH if made > self._floor and 0 <= now - made / 1000 <= self.lifetime else Age.OLD

    def use(self, nonce: str, count: int, request: str, now: float) -> Use:
        """A right answer with a fresh nonce: its first, a retransmission, or somebody else's repetition.

        `request` is the same only for the same request from the same sender.
        """
        uses = self._used.get(nonce)
        if uses is None:
            self._make_room(now)
            made = int.from_bytes(urlsafe_b64decode(nonce)[:_STAMP], "big")
            uses = self._used[nonce] = _Uses(made, {})
        counts = uses.counts
        before = counts.get(count)
        if before is not None:
            return Use.AGAIN if before[0] == request and now - before[1] <= AGAIN_WITHIN else Use.REPLAYED
        if count < 1 or (counts and count <= max(counts) - WINDOW):
            return Use.REPLAYED
        counts[count] = (request, now)
        if len(counts) > WINDOW:
            del counts[min(counts)]
        return Use.FIRST

    def _make_room(self, now: float) -> None:
        """Forget the oldest: those too old to be of use, and, where all are in use, one whose time is not over."""
        for nonce, uses in list(islice(self._used.items(), 2)):
            if now - uses.made / 1000 > self.lifetime:
                del self._used[nonce]
        if len(self._used) >= self._most:
            self._floor = max(self._floor, self._used.pop(next(iter(self._used))).made)

    def _made(self, nonce: str, address: str) -> int | None:
        try:
            raw = urlsafe_b64decode(nonce.encode("ascii"))
        except ValueError:
            return None
        # one way of writing it only: another one would count from 1 again
        if len(raw) != _LENGTH or urlsafe_b64encode(raw).decode() != nonce:
            return None
        head = raw[: _STAMP + _SALT]
        if not hmac.compare_digest(raw[_STAMP + _SALT :], self._sign(head, address)):
            return None
        return int.from_bytes(head[:_STAMP], "big")

    def _sign(self, head: bytes, address: str) -> bytes:
        return hmac.digest(self._key, head + address.encode(), hashlib.sha256)[:_SIGN]
