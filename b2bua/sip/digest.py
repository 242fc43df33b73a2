"""Digest authentication as a calculation: RFC 2617, RFC 7616, and RFC 8760 for its use in SIP.  Pure.

Of a password only the hash with name and realm (HA1) is ever kept, one for each algorithm.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from routing.address import split_list, unquote

Algorithm = Literal["MD5", "SHA-256"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
LONGEST_AUTHORIZATION = 2048
"Characters of an Authorization header that are read at all."

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_HEX_LENGTH = {"MD5": 32, "SHA-256": 64}
_BY_NAME: dict[str, Algorithm] = {name.lower(): name for name in ALGORITHMS}
_COUNT = re.compile("[0-9a-fA-F]{8}")


def hashed(algorithm: Algorithm, text: str) -> str:
    """Hex digest of the text's octets."""
    return _HASHES[algorithm](text.encode("utf8", "surrogateescape")).hexdigest()


def ha1(algorithm: Algorithm, username: str, realm: str, password: str) -> str:
    """What is kept of a password (RFC 7616 section 3.4.2)."""
    return hashed(algorithm, f"{username}:{realm}:{password}")


def response(algorithm: Algorithm, known: str, method: str, answer: Answer) -> str:
    """What a client that knows the password answers (RFC 7616 section 3.4.1); `known` is the HA1."""
    ha2 = hashed(algorithm, f"{method}:{answer.uri}")
    return hashed(algorithm, f"{known}:{answer.nonce}:{answer.nc}:{answer.cnonce}:{answer.qop}:{ha2}")


@dataclass(frozen=True, slots=True)
class Answer:
    """The Authorization header of a request: what its sender makes of a challenge."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    "Hex, in lower case."
    algorithm: Algorithm
    cnonce: str
    nc: str
    "Eight hex digits, as written: they go into the hash."
    qop: str = "auth"

    @property
    def count(self) -> int:
        """How often the client has used this nonce, from 1."""
        return int(self.nc, 16)

    @classmethod
    def parse(cls, text: str) -> Answer | None:
        """None for another scheme or algorithm, and for what no answer to our challenge looks like.  Never raises."""
        if len(text) > LONGEST_AUTHORIZATION:
            return None
        scheme, _, rest = text.strip().partition(" ")
        if scheme.lower() != "digest":
            return None
        said: dict[str, str] = {}
        for part in split_list(rest):
            name, equals, value = part.partition("=")
            name = name.strip().lower()
            if not equals or name in said:
                return None  # a second username would leave open who is meant
            said[name] = unquote(value.strip())
        algorithm = _BY_NAME.get(said.get("algorithm", "MD5").lower())
        nc, given, qop = said.get("nc", ""), said.get("response", "").lower(), said.get("qop", "").lower()
        if algorithm is None or qop != "auth" or not _COUNT.fullmatch(nc) or len(given) != _HEX_LENGTH[algorithm]:
            return None
        username, nonce, uri, cnonce = (said.get(name, "") for name in ("username", "nonce", "uri", "cnonce"))
        if not (username and nonce and uri and cnonce and given.isascii()):
            return None
        return cls(username, said.get("realm", ""), nonce, uri, given, algorithm, cnonce, nc, said["qop"])


def challenges(realm: str, nonce: str, algorithms: Sequence[Algorithm], *, stale: bool) -> tuple[str, ...]:
    """WWW-Authenticate values, the algorithm liked best first (RFC 8760 section 2.3)."""
    tail = ", stale=true" if stale else ""
    return tuple(
        f'Digest realm="{realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}' for algorithm in algorithms
    )
