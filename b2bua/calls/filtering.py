"""The preset filter list and a call that is over: one look at it, told to the listeners (R2-06)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.filtering import CallFacts, verdict

if TYPE_CHECKING:
    from b2bua.calls.session import Session


def filter_once(call: Session) -> None:
    """Before its end is told. Without a list there is nothing to tell: every call is kept."""
    rules = call.exchange.plan().filters
    if not rules:
        return
    row, journey = call.record.row, call.journey
    found = verdict(
        rules.values(),
        CallFacts(
            tenant=row.tenant or "",
            trunk=row.trunk or "",
            caller=row.effective_caller or row.billing_number or "",
            called=row.called or "",
            vdn=journey.vdn,
            queue=journey.queue,
            extension=row.extension or "",
            cause=row.cause or "",
            answered=row.answered_at is not None,
            duration=row.duration or 0.0,
        ),
    )
    call.exchange.tell("call.filtered", call, {"rule": found.rule, "keep": found.keep})
