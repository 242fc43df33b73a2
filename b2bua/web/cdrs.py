"""Call records: filter, page, one with its parts, all of a filter as CSV."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.responses import StreamingResponse

from b2bua.storage.calls import CallFilter, CallRecord
from b2bua.web.desk import CdrReader, TheDesk
from b2bua.web.models import Epoch, Out, Page
from b2bua.web.problems import invalid
from b2bua.web.rights import Caller

router = APIRouter(prefix="/v1/cdrs", tags=["call records"])

Text = Annotated[str | None, Query(max_length=128)]

CSV_COLUMNS = [field.name for field in fields(CallRecord) if field.name not in ("detail", "parts")]
TIMES = frozenset({"started_at", "ringing_at", "answered_at", "ended_at"})
CHUNK_ROWS = 100


class PartOut(Out):
    """One leg of a call. Times are epoch seconds."""

    n: int
    role: str
    party: str | None
    sip_call_id: str | None
    started_at: float
    ringing_at: float | None
    answered_at: float | None
    ended_at: float | None
    sip_code: int | None
    cause: str | None
    codec: str | None
    rx_packets: int | None
    rx_lost: int | None
    jitter_ms: float | None
    rtt_ms: float | None
    mos: float | None
    detail: dict[str, Any]


class CdrOut(Out):
    """The record of a call. Times are epoch seconds, `duration` and `talk` seconds."""

    id: str
    node: str
    direction: str
    tenant: str | None
    trunk: str | None
    called: str | None
    billing_number: str | None
    effective_caller: str | None
    original_called: str | None
    correlation: str | None
    source: str | None
    access_id: str | None
    sequence: str | None
    token: str | None
    extension: str | None
    route: str | None
    started_at: Epoch
    ringing_at: float | None
    answered_at: float | None
    ended_at: float | None
    duration: float | None
    talk: float | None
    cause: str | None
    sip_code: int | None
    ended_by: str | None
    sip_call_id: str | None
    detail: dict[str, Any]


class CdrWithParts(CdrOut):
    """The record of a call with one part for each leg."""

    parts: list[PartOut]


class CdrPage(Out):
    """Call records, newest first."""

    cdrs: list[CdrOut]
    next: str | None = Field(description="`cursor` of the next page; null at the end.")


async def _wanted(
    since: Annotated[float | None, Query(description="Started at or after this time, epoch seconds.")] = None,
    until: Annotated[float | None, Query(description="Started before this time, epoch seconds.")] = None,
    tenant: Text = None,
    extension: Text = None,
    caller: Annotated[str | None, Query(max_length=128, description="Effective caller or billing number.")] = None,
    called: Text = None,
    cause: Text = None,
    answered: bool | None = None,
    correlation: Text = None,
    trunk: Text = None,
) -> CallFilter:
    return CallFilter(since, until, tenant, extension, caller, called, cause, answered, correlation, trunk)


Wanted = Annotated[CallFilter, Depends(_wanted)]


@router.get("")
async def list_cdrs(
    desk: TheDesk,
    caller: CdrReader,
    wanted: Wanted,
    limit: Page = 100,
    cursor: Annotated[str | None, Query(max_length=256)] = None,
) -> CdrPage:
    """Records that fit the filter, newest first. Calls appear when they are answered and again when they end."""
    try:
        page = await desk.cdrs.page(_scoped(wanted, caller), limit=limit, cursor=cursor)
    except ValueError:
        raise invalid([("cursor", "is not one that this API gave out")]) from None
    return CdrPage(cdrs=[CdrOut.model_validate(call) for call in page.calls], next=page.next)


@router.get(".csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
async def export_cdrs(desk: TheDesk, caller: CdrReader, wanted: Wanted) -> StreamingResponse:
    """All records that fit the filter as CSV (RFC 4180), newest first, however many. Times are ISO 8601 in UTC."""
    calls = aiter(desk.cdrs.stream(_scoped(wanted, caller)))
    first = await anext(calls, None)  # now, while it is not too late to answer that the database is away
    headers = {"Content-Disposition": 'attachment; filename="cdrs.csv"'}
    return StreamingResponse(csv_of(first, calls), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/{id}")
async def show_cdr(id: str, desk: TheDesk, caller: CdrReader) -> CdrWithParts:
    """One record with its parts."""
    return CdrWithParts.model_validate(await desk.cdrs.get(id, tenant=caller.tenant))


def _scoped(wanted: CallFilter, caller: Caller) -> CallFilter:
    return CallFilter(**(asdict(wanted) | {"tenant": caller.scope(wanted.tenant)}))


async def csv_of(first: CallRecord | None, rest: AsyncIterator[CallRecord]) -> AsyncIterator[bytes]:
    """The records as CSV in pieces of some rows, so that neither memory nor the loop feels how many there are."""
    rows: list[Iterable[str]] = [CSV_COLUMNS]
    if first is not None:
        rows.append(_row(first))
    async for call in rest:
        rows.append(_row(call))
        if len(rows) >= CHUNK_ROWS:
            yield _lines(rows)
            rows = []
    yield _lines(rows)


def _row(call: CallRecord) -> list[str]:
    return [_cell(name, getattr(call, name)) for name in CSV_COLUMNS]


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in TIMES:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds")
    text = str(value)
    # numbers come from strangers, and a spreadsheet runs what begins like a formula
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not text[1:].isdigit():
        return "'" + text
    return text
