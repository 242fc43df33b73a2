"""The evidence report of a campaign: what it dialled and abandoned, day by day, for whoever asks for proof."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from b2bua.web.campaigns import remembered
from b2bua.web.csv_rows import response
from b2bua.web.desk import Campaigner, TheDesk
from dialer.evidence import LONG, evidence_rows, of_hours, to_csv, to_html

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])

USUAL = timedelta(days=30)
TYPES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}, "text/html": {"schema": {"type": "string"}}}}
}


@router.get("/{id}/evidence", response_class=StreamingResponse, response_model=None, responses=TYPES)
async def show_evidence(
    id: str,
    desk: TheDesk,
    caller: Campaigner,
    first: Annotated[date | None, Query(description="First day; without it the last 30 days.")] = None,
    form: Annotated[Literal["csv", "html"], Query(alias="format", description="`html`: a page to print.")] = "csv",
) -> StreamingResponse:
    """The rates of each day with everything that they are computed from, by the law that the campaign is under now; one
    that is deleted, by the law that it was under at last."""
    campaign = await remembered(desk, caller, id)
    zone = ZoneInfo(desk.settings.reports.zone)
    begin = first or (datetime.fromtimestamp(desk.wall(), zone) - USUAL).date()
    since = datetime.combine(begin, time(), zone).timestamp() - LONG
    hours = await desk.dialling.counters(id, max(since, 0.0))
    laws = desk.settings.laws()
    profiles = {id: laws[campaign.profile]} if campaign.profile in laws else {}
    rows = await asyncio.to_thread(evidence_rows, of_hours(campaign, hours), profiles, zone, first=begin)
    if form == "csv":
        return response(f"{id}-evidence.csv", _bytes("".join(to_csv(rows))))
    page = "".join(to_html(rows, title=f"Campaign {id}", made=desk.wall()))
    # A page of numbers needs nothing from anywhere, its own style apart.
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return StreamingResponse(_bytes(page), media_type="text/html; charset=utf-8", headers=policy)


async def _bytes(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
