"""What correlation needs from outside: Protocols of coarse commands, each one atomic step."""

from typing import Any, Protocol

from routing.directory import Directory


class TokenRow(Protocol):
    """What a customer system left for one call (R1-02)."""

    @property
    def caller(self) -> str | None:
        """The real caller's number."""

    @property
    def extension(self) -> str | None:
        """The agent the call is meant for."""

    @property
    def data(self) -> dict[str, Any]:
        """Business data for the agent's screen."""


class ClaimAnswer(Protocol):
    """The answer to a claim."""

    @property
    def outcome(self) -> str:
        """`claimed`, or `unknown`, `expired`, `used`, `busy`, `revoked`: with `token-` in front it is an Outcome."""

    @property
    def token(self) -> TokenRow | None:
        """The row, when it was claimed."""


class TokenStore(Protocol):
    """The life of a sequence number: free -> claimed -> consumed, or back to free (R1-09).

    Whatever is asked at the same time, from however many nodes: a number serves one call.
    """

    async def claim(self, tenant: str, sequence: str, call: str, now: float) -> ClaimAnswer:
        """At INVITE: take a free number whose time is not over.  Of any number of claims at once exactly one is
        answered `claimed`, the others `busy`; the same call may claim again.  `now` in epoch seconds."""

    async def consume(self, tenant: str, sequence: str, call: str, now: float) -> bool:
        """At answer: used up for good, also when its time ran out while it rang.  False when this call has no claim."""

    async def release(self, tenant: str, sequence: str, call: str) -> bool:
        """The call ended unanswered: the next one, a carrier's own retry perhaps, may claim it while its time lasts.
        False, and nothing changed, when this call has no claim or was answered."""


class DirectorySource(Protocol):
    """The newest snapshot in memory: never waits, so calls go on when the tables are out of reach."""

    @property
    def current(self) -> Directory: ...
