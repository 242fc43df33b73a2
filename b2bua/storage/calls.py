"""CDRs: one row a call, one row a part of it; written through the spool, read by the API."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from b2bua.storage import call_rows as rows
from b2bua.storage.errors import NotFound
from b2bua.storage.storage import Storage

SLICE = 500
"Calls deleted in one transaction."


@dataclass(slots=True)
class PartRecord:
    """One leg of a call. Times are epoch seconds."""

    n: int
    "Counts from 0 in the order in which the parts began."
    role: str
    "caller | agent | supervisor"
    started_at: float
    party: str | None = None
    sip_call_id: str | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    sip_code: int | None = None
    cause: str | None = None
    codec: str | None = None
    rx_packets: int | None = None
    rx_lost: int | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    mos: float | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class CallRecord:
    """One call. Times are epoch seconds; `duration` and `talk` are seconds by the monotonic clock."""

    id: str
    node: str
    direction: str
    started_at: float
    tenant: str | None = None
    trunk: str | None = None
    called: str | None = None
    billing_number: str | None = None
    effective_caller: str | None = None
    original_called: str | None = None
    correlation: str | None = None
    source: str | None = None
    access_id: str | None = None
    sequence: str | None = None
    token: str | None = None
    extension: str | None = None
    route: str | None = None
    ringing_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    duration: float | None = None
    talk: float | None = None
    cause: str | None = None
    sip_code: int | None = None
    ended_by: str | None = None
    sip_call_id: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    parts: list[PartRecord] = field(default_factory=list)

    def as_record(self) -> dict[str, Any]:
        """What `Spool.append("call", ...)` takes: a copy without what is not known, so the call may go on changing."""
        record = {name: value for name in _FIELDS if (value := getattr(self, name)) is not None}
        record["parts"] = [
            {name: value for name in PartRecord.__slots__ if (value := getattr(part, name)) is not None}
            for part in self.parts
        ]
        return record


_FIELDS = tuple(name for name in CallRecord.__slots__ if name != "parts")


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list; None means any."""

    since: float | None = None
    "started_at >= since"
    until: float | None = None
    "started_at < until"
    tenant: str | None = None
    extension: str | None = None
    caller: str | None = None
    "The effective caller or the billing number."
    called: str | None = None
    cause: str | None = None
    answered: bool | None = None
    correlation: str | None = None
    trunk: str | None = None


@dataclass(frozen=True, slots=True)
class CallPage:
    """Calls, newest first; `next` is the cursor of the following page, None at the end."""

    calls: list[CallRecord]
    next: str | None


class Calls:
    """The CDRs of all nodes. All methods may raise StorageUnavailable."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def get(self, call_id: str, *, tenant: str | None = None) -> CallRecord:
        """One call with its parts. Raises NotFound, also when it is not of `tenant` (None: any)."""
        row, parts = await self.storage.read(lambda conn: rows.find(conn, call_id))
        if row is None or (tenant is not None and row["tenant"] != tenant):
            raise NotFound(f"there is no call {call_id}")
        return call_of(row, parts)

    async def page(self, wanted: CallFilter, *, limit: int = 100, cursor: str | None = None) -> CallPage:
        """One page without parts. Raises ValueError for a cursor that is not ours."""
        query = rows.listing(wanted, limit, None if cursor is None else _position(cursor))
        found = await self.storage.read(lambda conn: rows.run(conn, query))
        calls = [call_of(row) for row in found]
        return CallPage(calls, _cursor(calls[-1]) if len(calls) == limit else None)

    async def stream(self, wanted: CallFilter, *, page: int = 500) -> AsyncIterator[CallRecord]:
        """All of them page by page, newest first, without parts: memory stays flat however many there are."""
        cursor: str | None = None
        while True:
            found = await self.page(wanted, limit=page, cursor=cursor)
            for call in found.calls:
                yield call
            if (cursor := found.next) is None:
                return

    async def purge(self, before: float) -> int:
        """Delete ended calls that started before that time, with their parts; returns how many."""
        total = 0
        while deleted := await self.storage.write(lambda conn: rows.purge(conn, before, SLICE)):
            total += deleted
        return total


def call_of(row: Mapping[str, Any], parts: Sequence[Mapping[str, Any]] = ()) -> CallRecord:
    """A call from its row and those of its parts."""
    of_parts = [PartRecord(**{name: value for name, value in part.items() if name != "call"}) for part in parts]
    return CallRecord(**row, parts=of_parts)


def _cursor(call: CallRecord) -> str:
    return f"{call.started_at!r}_{call.id}"


def _position(cursor: str) -> tuple[float, str]:
    started, separator, call_id = cursor.partition("_")
    if not separator:
        raise ValueError("not a cursor of a list of calls")
    try:
        return float(started), call_id
    except ValueError:
        raise ValueError("not a cursor of a list of calls") from None
