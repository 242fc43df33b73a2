"""What an `expect` waits for: a pure test of one received message."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.peers.exchange import Received
from tests.peers.message import user_of

NOT_AWAITED = frozenset({"ACK", "CANCEL", "PRACK"})
"Requests whose responses an `expect` by status passes over unless asked for them."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A method ("INVITE"), a status (180) or a class of them ("2xx", "18x"), perhaps of one request only."""

    what: int | str
    method: str | None = None
    branch: str | None = None
    user: str | None = None

    @property
    def is_status(self) -> bool:
        return isinstance(self.what, int) or bool(re.fullmatch(r"\d[\dx]{2}", self.what))

    def matches(self, message: Received) -> bool:
        """Method or status alone."""
        if not self.is_status:
            return message.is_request and message.method == self.what
        return bool(message.status) and bool(re.fullmatch(str(self.what).replace("x", r"\d"), str(message.status)))

    def fits(self, message: Received) -> bool:
        """Method or status, and the request it belongs to."""
        if not self.matches(message):
            return False
        if message.is_request:
            return self.user is None or user_of(message.uri) == self.user
        return self._answers_our_request(message)

    def is_refused_by(self, message: Received) -> bool:
        """Whether this is the final failure of the very request a status is awaited for."""
        return (
            self.is_status
            and message.status >= 300
            and not self.matches(message)
            and self._answers_our_request(message)
        )

    def _answers_our_request(self, message: Received) -> bool:
        if self.branch is not None:
            return message.branch == self.branch
        sent = message.call.sent
        if self.method is not None:
            last = next((s for s in reversed(sent) if s.method == self.method and not s.merged), None)
        else:
            last = next((s for s in reversed(sent) if s.method not in NOT_AWAITED and not s.merged), None)
        return last is not None and message.branch == last.branch
