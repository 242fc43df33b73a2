"""Tokens: the temporary table of R1-01, 02 and 09. A row is left before the call comes, and serves one call."""

from collections import Counter
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from b2bua.storage import token_rows as rows
from b2bua.storage.errors import Conflict, Duplicate, NotFound, NumberSpaceFull
from b2bua.storage.sequences import check_own, room
from b2bua.storage.storage import Storage
from b2bua.storage.token import Claim, ClaimOutcome, NewToken, State, Token

CLAIM_TIMEOUT = 0.25
"Seconds a claim may wait for the database: a caller is waiting."

SLICE = 500
"Tokens issued or deleted in one transaction: some milliseconds, for which a claim may have to wait."


class Tokens:
    """The tokens of all tenants. Every method is one atomic step and may raise StorageUnavailable."""

    def __init__(self, storage: Storage, node: str) -> None:
        self.storage, self.node = storage, node

    async def issue(self, tenant: str, new: NewToken, *, width: int, ttl: float, now: float) -> Token:
        """Issue a number of `width` digits that lives `ttl` seconds; readable at once when this returns (R1-02).

        Raises NumberSpaceFull when nearly none is left, Duplicate when `new.sequence` is still alive, ValueError when
        that is not `width` digits.
        """
        if new.sequence is not None:
            check_own(new.sequence, width)
        return await self.storage.write(lambda conn: rows.issue(conn, tenant, new, width, ttl, now))

    async def issue_many(
        self, tenant: str, news: Sequence[NewToken], *, width: int, ttl: float, now: float
    ) -> list[Token]:
        """Issue many in the order given, in slices so that claims are not held up.

        Raises NumberSpaceFull (nothing issued) or Duplicate (naming the number; slices before it stay issued), and
        ValueError as `issue` does.
        """
        own = [new.sequence for new in news if new.sequence is not None]
        for sequence in own:
            check_own(sequence, width)
        if len(set(own)) < len(own):
            ((twice, _),) = Counter(own).most_common(1)
            raise Duplicate(f"sequence number {twice} is in the list twice")
        if (alive := await self.live(tenant, now)) + len(news) > room(width):
            raise NumberSpaceFull(tenant, alive, 10**width)
        issued: list[Token] = []
        for at in range(0, len(news), SLICE):
            part = news[at : at + SLICE]
            issued += await self.storage.write(_issuing(tenant, part, frozenset(own), width, ttl, now))
        return issued

    async def claim(
        self, tenant: str, sequence: str, call: str, now: float, *, timeout: float = CLAIM_TIMEOUT
    ) -> Claim:
        """Take the token for this call; one of any number of callers wins (R1-09). The same call may ask again.

        After StorageUnavailable the claim may still come through: `release` it when the call ends.
        """
        asked = {"tenant_": tenant, "sequence_": sequence, "call_": call, "node_": self.node, "now_": now}
        return await self.storage.write(lambda conn: rows.claim(conn, asked), timeout=timeout)

    async def consume(self, tenant: str, sequence: str, call: str, now: float) -> bool:
        """The call was answered: the token is used up. False when it was not this call's."""
        asked = {"tenant_": tenant, "sequence_": sequence, "call_": call, "now_": now}
        return await self.storage.write(lambda conn: rows.CONSUME.rowcount(conn, asked) == 1)

    async def release(self, tenant: str, sequence: str, call: str) -> bool:
        """The call ended unanswered: another may claim the token. False when it was not claimed by this call."""
        asked = {"tenant_": tenant, "sequence_": sequence, "call_": call}
        return await self.storage.write(lambda conn: rows.RELEASE.rowcount(conn, asked) == 1)

    async def revoke(self, tenant: str, sequence: str, now: float) -> Token:
        """Withdraw a token nobody uses yet. Raises NotFound, or Conflict when a call has it or had it."""
        return await self.storage.write(lambda conn: _revoke(conn, tenant, sequence, now))

    async def look_up(self, tenant: str, sequence: str) -> Token | None:
        """The token as it is now, whatever its state."""
        return await self.storage.read(lambda conn: rows.find(conn, tenant, sequence))

    async def page(
        self, tenant: str, *, limit: int = 100, after: str | None = None, state: State | None = None
    ) -> list[Token]:
        """Tokens of a tenant by sequence number, those behind `after`."""
        return await self.storage.read(lambda conn: rows.page(conn, tenant, limit, after, state))

    async def live(self, tenant: str, now: float) -> int:
        """How many numbers are taken: not expired, or claimed by a call."""
        return await self.storage.read(lambda conn: rows.live(conn, tenant, now))

    async def purge(self, before: float) -> int:
        """Delete what expired before that time and no call holds; returns how many."""
        total = 0
        while deleted := await self.storage.write(lambda conn: rows.purge(conn, before, SLICE)):
            total += deleted
        return total


def _issuing(
    tenant: str, part: Sequence[NewToken], own: frozenset[str], width: int, ttl: float, now: float
) -> Callable[[sa.Connection], list[Token]]:
    return lambda conn: rows.issue_many(conn, tenant, part, own, width, ttl, now)


def _revoke(conn: sa.Connection, tenant: str, sequence: str, now: float) -> Token:
    done = rows.REVOKE.first(conn, {"tenant_": tenant, "sequence_": sequence})
    if done is not None:
        return rows.token(done)
    found = rows.find(conn, tenant, sequence)
    if found is None:
        raise NotFound(f"tenant {tenant} has no token {sequence}")
    if found.state is State.REVOKED:
        return found
    raise Conflict(f"token {sequence} is {found.state} by call {found.call}")


__all__ = ["Claim", "ClaimOutcome", "NewToken", "State", "Token", "Tokens"]
