"""The row that the caller's system left for him: claimed from our table (push), asked of the system (pull), or
both (R1-07)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from b2bua.log import logger
from b2bua.outside import PullFailed
from b2bua.outside.answer import Pulled
from b2bua.storage import Duplicate, NumberSpaceFull, StorageUnavailable
from b2bua.storage.tokens import Claim, ClaimOutcome, NewToken
from routing.arrival import Arrival
from routing.identify import Identified
from routing.outcome import Outcome

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.directory import Connection, Tenant

log = logger("calls")

OUTCOMES = {
    ClaimOutcome.UNKNOWN: Outcome.TOKEN_UNKNOWN,
    ClaimOutcome.EXPIRED: Outcome.TOKEN_EXPIRED,
    ClaimOutcome.USED: Outcome.TOKEN_USED,
    ClaimOutcome.BUSY: Outcome.TOKEN_BUSY,
    ClaimOutcome.REVOKED: Outcome.TOKEN_REVOKED,
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the caller's system said of him; empty where it said nothing."""

    token: str | None = None
    caller: str | None = None
    extension: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class HeldToken:
    """A token that is claimed for a call and neither consumed nor given back."""

    tenant: str
    sequence: str
    call: str

    def fate(self, at: float) -> dict[str, Any]:
        """A `consume` or `release` record for the spool."""
        return {"tenant": self.tenant, "sequence": self.sequence, "call": self.call, "at": at}


async def look_up(call: Session, found: Identified, arrival: Arrival) -> tuple[Identified, Known]:
    """Claim the row of a correlated call.  Never raises: what goes wrong is the outcome of what comes back."""
    exchange, tenant = call.exchange, found.tenant
    assert tenant is not None
    mode = tenant.connection.mode if tenant.connection is not None else "push"
    claim, pulled = Claim(ClaimOutcome.UNKNOWN), None
    try:
        if mode != "pull":
            claim = await _claim(call, tenant, found.sequence)
        if tenant.connection is not None and mode != "push" and _worth_asking(claim):
            pulled = await _pull(call, tenant, tenant.connection, found.sequence, arrival)
        if pulled is not None and claim.token is None:
            claim = await _claim_pulled(call, tenant, found.sequence)
    except StorageUnavailable as error:
        exchange.metrics.claims.inc("unavailable")
        return found.but(Outcome.STORAGE_UNAVAILABLE, str(error)), Known()
    exchange.metrics.claims.inc(claim.outcome)
    token = claim.token
    if token is None:
        failed_pull = mode == "pull" and "pull" in call.record.row.detail
        return found.but(Outcome.PULL_FAILED if failed_pull else OUTCOMES[claim.outcome]), Known()
    call.held_token = HeldToken(tenant.id, found.sequence, call.id)
    if pulled is None:
        return found, Known(token.id, token.caller, token.extension, token.data)
    caller, extension = pulled.caller or token.caller, pulled.extension or token.extension
    return found, Known(token.id, caller, extension, {**token.data, **pulled.data})


def consume(call: Session) -> None:
    """The call was answered: the token is used up, safe on disk when this returns (R1-09)."""
    held, call.held_token = call.held_token, None
    if held is not None:
        call.exchange.spool.append("consume", held.fate(call.exchange.wall()))


async def give_back(call: Session) -> None:
    """The call ends unanswered: its token may serve another (R1-09).

    Bounded in time; the spool does it where storage cannot.
    """
    held, call.held_token = call.held_token, None
    if held is None:
        return
    exchange = call.exchange
    try:
        async with asyncio.timeout(exchange.settings.calls.claim_deadline):
            await exchange.tokens.release(held.tenant, held.sequence, held.call)
    except (StorageUnavailable, TimeoutError) as error:
        log.warning("token goes back through the spool: the database did not answer", call=call.id, error=str(error))
        exchange.spool.append("release", held.fate(exchange.wall()))


def _worth_asking(claim: Claim) -> bool:
    """A number that is used, busy or revoked stays so, whatever the tenant's system says."""
    return claim.token is not None or claim.outcome is ClaimOutcome.UNKNOWN


async def _claim(call: Session, tenant: Tenant, sequence: str) -> Claim:
    exchange = call.exchange
    deadline = exchange.settings.calls.claim_deadline
    return await exchange.tokens.claim(tenant.id, sequence, call.id, exchange.wall(), timeout=deadline)


async def _claim_pulled(call: Session, tenant: Tenant, sequence: str) -> Claim:
    """A number that only the tenant's system knew serves one call too, so it gets a row of ours, and that is
    claimed."""
    exchange = call.exchange
    new = NewToken(sequence=sequence)
    try:
        await exchange.tokens.issue(tenant.id, new, width=len(sequence), ttl=tenant.token_ttl, now=exchange.wall())
    except (Duplicate, NumberSpaceFull):
        pass  # an earlier call's row: the claim says whether it is used, or only in use
    return await _claim(call, tenant, sequence)


async def _pull(
    call: Session, tenant: Tenant, connection: Connection, sequence: str, arrival: Arrival
) -> Pulled | None:
    """The tenant's own answer; None where its system had none in time: the call goes on without."""
    exchange = call.exchange
    try:
        return await exchange.puller.pull(
            connection,
            tenant.access_id,
            sequence,
            call.id,
            arrival.called,
            arrival.caller,
            within=exchange.settings.calls.pull_deadline,
        )
    except PullFailed as failure:
        call.record.row.detail["pull"] = str(failure.reason)
        return None
