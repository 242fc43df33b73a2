"""A person asks not to be called again: his number goes onto the tenant's do-not-call list, in force at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from b2bua.log import logger
from b2bua.storage.errors import StorageUnavailable
from dialer.emergency import never_dialled
from routing.digits import BadNumber, Dialling, identities, read_number

if TYPE_CHECKING:
    from b2bua.calls.session import Session

log = logger("calls")

WITHIN = 5.0
"Seconds the list has to take a number; a caller does not wait for longer."
ASKED = "opted-out"
"Why it stands on the list."


class OptOuts(Protocol):
    """The part of the do-not-call lists that a call needs."""

    async def list_number(self, tenant: str, number: str, reason: str, now: float, *, list: str = "own") -> bool: ...


async def leave_alone(call: Session, entered: str = "") -> bool:
    """Whether the number is on the tenant's list now; `entered`: the number he dialled, empty: the other end's own.

    A number that may be meant in two ways is listed in both: one call too few is the lesser evil.
    """
    row, exchange = call.record.row, call.exchange
    profile = exchange.profiles.get(row.trunk or "")
    dialling = profile.dialling if profile is not None else Dialling()
    numbers = callable_numbers(entered or row.effective_caller or "", dialling)
    if exchange.opt_outs is None or row.tenant is None or not numbers:
        return False
    try:
        async with asyncio.timeout(WITHIN):
            for number in numbers:
                await exchange.opt_outs.list_number(row.tenant, number, ASKED, exchange.wall())
    except (StorageUnavailable, TimeoutError) as error:
        log.error("an opt-out was not written", call=call.id, error=str(error) or "time is over")
        return False
    exchange.tell("call.opted-out", call, {"numbers": list(numbers)})
    return True


def callable_numbers(text: str, dialling: Dialling) -> tuple[str, ...]:
    """The E.164 numbers that a number may stand for on a trunk; none where it is no number anybody could call."""
    try:
        digits, nature = read_number(text)
    except BadNumber:
        return ()
    found = dict.fromkeys(f"+{whole}" for whole in (*identities(digits, nature, dialling), digits))
    return tuple(number for number in found if never_dialled(number) is None)
