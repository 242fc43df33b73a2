"""What listeners and statistics must be told of the node's last life before anything new happens.

Calls that a crash cut off are over, and what agents did ended with it: nobody must believe them alive for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from b2bua.events import EventLog
from b2bua.jsontext import decode
from b2bua.reports.fold import STARTED, Fold
from b2bua.reports.open_call import OpenCall
from b2bua.storage.calls import CallRecord
from b2bua.storage.event_rows import EventRow
from b2bua.storage.history import EventHistory
from routing.filtering import CallFacts, FilterRule, verdict

FILTERED, ENDED = "call.filtered", "call.ended"


class LastLife:
    """For the start of the server: the database is open, and nobody listens yet. Methods may raise StorageUnavailable.

    `alive_until`: the last beat of the heart, epoch seconds.
    """

    def __init__(self, events: EventLog, history: EventHistory, alive_until: float) -> None:
        self.events, self.history, self.alive_until = events, history, alive_until

    def __repr__(self) -> str:
        return f"<last life until {self.alive_until}>"

    def tell(self) -> None:
        """That a new life begins. The first one of a node goes without saying."""
        if self.events.last:
            self.events.append(STARTED, None, {"alive_until": self.alive_until})

    async def end_calls(self, lost: Iterable[CallRecord], rules: Collection[FilterRule]) -> None:
        """Each call that was not told of as ended goes through the filter list (R2-06), and ends.

        `lost`: calls that have a record, as it was closed.
        """
        records = {record.id: record for record in lost}
        for call, told in (await self.history.without_end(records)).items():
            known, record = as_told(call, told), records.get(call)
            tenant = (record.tenant if record is not None else None) or known.tenant
            owner = {"tenant": tenant} if tenant else {}
            ended = ended_as(known, record, self.alive_until)
            if rules and all(row[4] != FILTERED for row in told):
                found = verdict(rules, facts_of(known, record, ended))
                self.events.append(FILTERED, call, {**owner, "rule": found.rule, "keep": found.keep})
            self.events.append(ENDED, call, {**owner, **ended})


def as_told(call: str, told: Sequence[EventRow]) -> OpenCall:
    """The call as its events have it; without any, one of which nothing is known."""
    fold = Fold()
    for _, number, time, id_, type_, data in told:
        fold.on(number, time, id_, type_, decode(data))
    return fold.calls.get(call) or OpenCall(at=0.0)


def ended_as(known: OpenCall, record: CallRecord | None, alive_until: float) -> dict[str, Any]:
    """The data of its `call.ended`: those of its record, which only an answered call has, else what was told."""
    if record is not None:
        ended = {key: getattr(record, key) for key in ("cause", "sip_code", "ended_by", "duration", "talk")}
        return {**ended, "caller": record.effective_caller}
    duration = round(max(alive_until - known.at, 0.0), 3) if known.at else None
    ended = {"cause": "lost", "sip_code": None, "ended_by": "crash", "duration": duration, "talk": 0.0}
    return {**ended, "caller": known.caller or known.calling or None}


def facts_of(known: OpenCall, record: CallRecord | None, ended: dict[str, Any]) -> CallFacts:
    """What the filter list goes by."""
    stay = known.stay
    return CallFacts(
        tenant=(record.tenant if record is not None else None) or known.tenant,
        trunk=(record.trunk if record is not None else None) or known.trunk,
        caller=ended["caller"] or "",
        called=(record.called if record is not None else None) or known.called,
        vdn=stay.vdn if stay is not None else "",
        queue=stay.queue if stay is not None else "",
        extension=(record.extension if record is not None else None) or known.extension,
        cause=ended["cause"] or "",
        answered=record is not None and record.answered_at is not None,
        duration=ended["duration"] or 0.0,
    )
