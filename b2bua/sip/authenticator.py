"""Who sends a request?  Asked of phones by 401, and answered by them with the digest of a password (RFC 3261 22).

An extension that does not exist gets the same answers as one whose password is wrong, after the same work.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from b2bua.sip.digest import ALGORITHMS, Algorithm, Answer, challenges, hashed, response
from b2bua.sip.nonces import Age, Nonces, Use
from routing.address import BadAddress, Uri

if TYPE_CHECKING:
    from b2bua.sip.message import Message
    from routing.directory import Credentials


class Finding(Enum):
    """What was found out about a sender."""

    KNOWN = "known"
    REPEATED = "repeated"
    "A retransmission of a request that was checked before."
    ASKED = "asked"
    "He has to show credentials, or newer ones: 401."
    WRONG = "wrong"
    "Name or password: 403, and it counts against his address."
    REPLAYED = "replayed"
    "The credentials of another request: 401, and it counts."


@dataclass(frozen=True, slots=True)
class Verdict:
    """The finding, and what goes into the 401."""

    finding: Finding
    extension: str = ""
    "Whose credentials were right."
    challenges: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.finding in (Finding.KNOWN, Finding.REPEATED)


class Authenticator:
    """Owner of one realm's nonces."""

    def __init__(
        self,
        realm: str,
        algorithms: Sequence[Algorithm],
        credentials: Callable[[str], Credentials | None],
        md5_phones: Sequence[str] = (),
        nonces: Nonces | None = None,
    ) -> None:
        """`credentials`: of an extension, None for nobody's; `md5_phones`: beginnings of User-Agent (lower case)."""
        self.realm = realm
        self.nonces = nonces or Nonces()
        self._algorithms, self._credentials = tuple(algorithms), credentials
        self._md5_phones = tuple(name.lower() for name in md5_phones)
        # for names that nobody has, so that their answers cost what all others cost, and are never right
        self._nobody = {algorithm: hashed(algorithm, os.urandom(16).hex()) for algorithm in ALGORITHMS}

    def check(self, message: Message, source: tuple[str, int], now: float) -> Verdict:
        """One request from an address; `now` is any clock's seconds."""
        answer = self._answer(message)
        address = source[0]
        if answer is None:
            return self._ask(message, address, now)
        known = self._credentials(answer.username)
        if known is not None and known.realm != self.realm:
            known = None  # made for another realm: no password fits any more
        stored = known.of(answer.algorithm) if known is not None else ""
        wanted = response(answer.algorithm, stored or self._nobody[answer.algorithm], message.method, answer)
        if not hmac.compare_digest(wanted, answer.response) or not stored:
            return Verdict(Finding.WRONG)
        if not _same_place(answer.uri, message.uri):
            return Verdict(Finding.REPLAYED, challenges=self._challenges(message, address, now, stale=False))
        if self.nonces.age(answer.nonce, address, now) is not Age.FRESH:
            return self._ask(message, address, now, stale=True)
        use = self.nonces.use(answer.nonce, answer.count, _identity(message, source, answer), now)
        if use is Use.REPLAYED:
            return Verdict(Finding.REPLAYED, challenges=self._challenges(message, address, now, stale=True))
        return Verdict(Finding.KNOWN if use is Use.FIRST else Finding.REPEATED, answer.username)

    def _answer(self, message: Message) -> Answer | None:
        """The credentials for our realm; those for others stand beside them where a proxy asks as well."""
        for value in message.all("authorization")[:8]:
            answer = Answer.parse(value)
            if answer is not None and answer.realm == self.realm and answer.algorithm in self._offered(message):
                return answer
        return None

    def _ask(self, message: Message, address: str, now: float, *, stale: bool = False) -> Verdict:
        return Verdict(Finding.ASKED, challenges=self._challenges(message, address, now, stale=stale))

    def _challenges(self, message: Message, address: str, now: float, *, stale: bool) -> tuple[str, ...]:
        nonce = self.nonces.make(address, now)
        return challenges(self.realm, nonce, self._offered(message), stale=stale)

    def _offered(self, message: Message) -> tuple[Algorithm, ...]:
        """By the make of the phone, never by its extension: that would tell which extensions there are."""
        if self._md5_phones and (message.header("user-agent") or "").lower().startswith(self._md5_phones):
            return ("MD5",)
        return self._algorithms


def _same_place(said: str, uri: str) -> bool:
    """Whether the digest was made for this Request-URI (RFC 7616 3.4.6): parameters and port may differ on the way."""
    try:
        ours, theirs = Uri.parse(uri), Uri.parse(said)
    except BadAddress:
        return False
    return ours.user == theirs.user and _host(ours.host) == _host(theirs.host)


def _host(text: str) -> str:
    host, _, port = text.rpartition(":")
    return (host if host and port.isdigit() else text).lower()


def _identity(message: Message, source: tuple[str, int], answer: Answer) -> str:
    """What only a retransmission has in common with a request."""
    via, call_id, cseq = (message.header(name) or "" for name in ("via", "call-id", "cseq"))
    return f"{source[0]} {source[1]} {message.method} {cseq} {call_id} {answer.response} {via}"
