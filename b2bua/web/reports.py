"""Statistics over HTTP: by queue, VDN, agent ..., in quarters of an hour, days or one sum, as JSON and CSV (R2-08)."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from b2bua.jsontext import encode
from b2bua.reports.tally import RATIOS, complete, ratios
from b2bua.storage.reports import Reports, Row, Wanted
from b2bua.storage.tables import REPORT_COUNTS
from b2bua.web.csv_rows import cell
from b2bua.web.desk import CdrReader, Configurer, Desk, TheDesk
from b2bua.web.models import Epoch, Out
from b2bua.web.problems import invalid
from b2bua.web.rights import Caller

router = APIRouter(prefix="/v1/reports", tags=["reports"])

By = Literal["total", "tenant", "queue", "area", "vdn", "class", "agent"]
Span = Literal["quarter", "day", "whole"]

MOST_ROWS = 10_000
TIME = {"ge": 0, "le": 1e11}
"Times that a calendar has."
MOST_NUMBER = 2**63 - 1
"What a database can count to."
PAGE = 1000
"Rows of a CSV fetched and written at once: 200 queues have 19,200 quarters a day."


class RowOut(Out):
    """The figures of one interval."""

    start: float | None = Field(description="Epoch seconds; null where the row is the sum of the whole time.")
    key: str = Field(description="The queue, VDN, agent ...; empty for `total`.")
    counts: dict[str, float] = Field(description="Numbers of calls and seconds; docs/reporting.md tells each.")
    ratios: dict[str, float | None] = Field(description="What follows from them; null where there was nothing.")


class ReportOut(Out):
    """Rows, oldest first."""

    rows: list[RowOut]
    more: bool = Field(description="There are more rows than were asked for: ask for a shorter time.")


class StateOut(Out):
    """How far the statistics of this node are."""

    counted: int = Field(description="Number of the last event in them.")
    last: int = Field(description="Number of the last event there is.")
    rebuilding: bool
    zone: str = Field(description="Time zone of the days.")


class RebuildOut(Out):
    """A rebuild that has begun."""

    since: float = Field(description="Counted anew from this time on (epoch seconds); 0: everything.")


class FilteredOut(Out):
    """Finished calls that the filter list keeps, oldest first, as reporting servers are sent them."""

    calls: list[dict[str, Any]]
    next: int = Field(description="`after` of the next page.")


async def _wanted(
    by: By,
    span: Annotated[Span, Query(description="Length of a row; `whole`: one sum for each key.")] = "quarter",
    since: Annotated[Epoch | None, Query(description="From this time on; without it, the last day.", **TIME)] = None,
    until: Annotated[Epoch | None, Query(description="Before this time.", **TIME)] = None,
    key: Annotated[str | None, Query(max_length=128, description="One queue, VDN, agent ... only.")] = None,
    tenant: Annotated[str | None, Query(max_length=128, description="Calls of this tenant only.")] = None,
) -> Wanted:
    return Wanted(by, None if span == "whole" else span, since, until, key, tenant)


Asked = Annotated[Wanted, Depends(_wanted)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows at most.")]


@router.get("")
async def show_reports_state(desk: TheDesk, caller: CdrReader) -> StateOut:
    """How far this node has counted its events."""
    keeper = desk.node.statistics
    zone = desk.settings.reports.zone
    return StateOut(counted=keeper.cursor, last=desk.node.events.last, rebuilding=keeper.rebuilding, zone=zone)


@router.post("/rebuild", status_code=202)
async def rebuild_reports(desk: TheDesk, caller: Configurer) -> RebuildOut:
    """Count everything anew from the stored events, in the background; days without all their events stay."""
    since = await desk.node.statistics.rebuild()
    await desk.note(caller, "rebuild", "reports", desk.settings.node.name)
    return RebuildOut(since=since)


@router.get("/calls")
async def list_filtered_calls(
    desk: TheDesk,
    caller: CdrReader,
    after: Annotated[int, Query(ge=0, le=MOST_NUMBER, description="Number of the last call that was read.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> FilteredOut:
    """Calls that passed the filter list (R2-06), for reporting servers that rather fetch than listen."""
    found = await _reports(desk).calls_after(after, limit)
    calls = [{"number": row[0], **row[4]} for row in found if caller.reaches(row[2] or None)]
    return FilteredOut(calls=calls, next=found[-1][0] if found else after)


@router.get("/{by}.csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
async def export_report(desk: TheDesk, caller: CdrReader, wanted: Asked) -> StreamingResponse:
    """All rows as CSV (RFC 4180), however many; times are ISO 8601 in the time zone of the days."""
    wanted = _checked(desk, caller, wanted)
    first = await _reports(desk).rows(wanted, PAGE)  # what is wrong is told before the first line
    headers = {"Content-Disposition": f'attachment; filename="{wanted.by}.csv"'}
    return StreamingResponse(_lines(desk, wanted, first), media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(desk: Desk, wanted: Wanted, rows: list[Row]) -> AsyncIterator[bytes]:
    zone = ZoneInfo(desk.settings.reports.zone)
    yield heading(wanted.by)
    while rows:
        yield await asyncio.to_thread(csv_of, rows, zone)
        if len(rows) < PAGE:
            return
        rows = await _reports(desk).rows(replace(wanted, behind=(rows[-1].start, rows[-1].key)), PAGE)


@router.get("/{by}", response_model=ReportOut)
async def show_report(desk: TheDesk, caller: CdrReader, wanted: Asked, limit: Limit = 1000) -> Response:
    """Figures by queue, VDN, agent ...; a tenant's key sees those of its own calls."""
    rows = await _reports(desk).rows(_checked(desk, caller, wanted), limit + 1)
    # thousands of rows are a tenth of a second of JSON, and the calls are carried on this thread
    text = await asyncio.to_thread(json_of, rows[:limit], len(rows) > limit)
    return Response(text, media_type="application/json")


def _reports(desk: Desk) -> Reports:
    return Reports(desk.node.storage, desk.settings.node.name)


def _checked(desk: Desk, caller: Caller, wanted: Wanted) -> Wanted:
    """What this caller may see of it. Problem 422 where the times make no sense."""
    since = wanted.since
    if since is None:
        since = (datetime.fromtimestamp(wanted.until or desk.wall(), UTC) - timedelta(days=1)).timestamp()
    if wanted.until is not None and wanted.until <= since:
        raise invalid([("until", "must be behind `since`")])
    return replace(wanted, since=since, tenant=caller.scope(wanted.tenant))


def json_of(rows: Iterable[Row], more: bool) -> str:
    """The rows as `ReportOut` has them."""
    shown = [
        {"start": row.start, "key": row.key, "counts": complete(row.counts), "ratios": ratios(row.counts)}
        for row in rows
    ]
    return encode({"rows": shown, "more": more})


def heading(by: str) -> bytes:
    """The first line of the CSV."""
    return (",".join(["start", by, *REPORT_COUNTS, *RATIOS]) + "\r\n").encode()


def csv_of(rows: Iterable[Row], zone: ZoneInfo) -> bytes:
    """The rows as CSV, every count and every ratio a column."""
    text = io.StringIO()
    out = csv.writer(text)
    for row in rows:
        start = "" if row.start is None else datetime.fromtimestamp(row.start, zone).isoformat()
        counts, shares = complete(row.counts), ratios(row.counts)
        figures = [counts[name] for name in REPORT_COUNTS]
        key = cell(row.key)  # areas and classes come from strangers too
        out.writerow([start, key, *figures, *("" if shares[name] is None else shares[name] for name in RATIOS)])
    return text.getvalue().encode()
