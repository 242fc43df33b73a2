"""Batches of contacts: uploaded as a file, fetched from a source, followed while they are imported, withdrawn."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from b2bua.importing.source import Source
from b2bua.storage.batch_rows import Batch
from b2bua.web import csv_rows
from b2bua.web.campaigns import reached
from b2bua.web.desk import Campaigner, Desk, TheDesk
from b2bua.web.models import Epoch, In, Out, Page
from b2bua.web.problems import Problem, invalid
from dialer.contact import PRIORITIES

router = APIRouter(prefix="/v1/campaigns/{id}/batches", tags=["campaigns"])

FORMS = {"text/csv": "csv", "application/x-ndjson": "jsonl", "application/jsonl": "jsonl"}
"Media type -> form of the file."

CHUNK = 256 * 1024
"Bytes written to disk at a time."

AT_ONCE = 4
"Uploads of one key under way: each may be a quarter of a gigabyte on our disk."
LATER = {"Retry-After": "10"}

PAGE = 100
"Rows of CSV made at a time."

Name = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
Priority = Annotated[
    int, Query(ge=PRIORITIES[0], le=PRIORITIES[-1], description="Of rows that name none; 9 is called first.")
]


class BatchOut(Out):
    """A batch and how its import goes."""

    campaign: str
    id: str
    source: str = Field(description="`csv`, `jsonl`, `api` or `sql NAME`.")
    state: str = Field(description="`loading`, `ready`, `failed` or `withdrawn`.")
    rows: int = Field(description="Rows read.")
    contacts: int
    numbers: int
    duplicates: int = Field(description="Numbers that the row, the batch or the campaign has already.")
    invalid: int = Field(description="Bad numbers, and rows that cannot be read.")
    listed: int = Field(description="Numbers on a do-not-call list.")
    share: float = Field(description="Of the file that was read; 0 for a source.")
    error: str = Field(description="Why it failed.")
    by: str
    began_at: Epoch
    ended_at: float | None


class BatchList(Out):
    """The batches of a campaign, oldest first."""

    batches: list[BatchOut]


class ProblemRow(Out):
    """One thing wrong with a row."""

    row: int = Field(description="1 is the first row of data.")
    kind: str = Field(description="`row`, `number`, `duplicate` or `listed`.")
    value: str = Field(description="As it was written.")
    message: str


class ProblemPage(Out):
    """What is wrong with a batch, by row."""

    problems: list[ProblemRow]
    next: str | None = Field(description="`after` of the next page; null at the end.")


class FetchIn(In):
    """Where a batch comes from."""

    source: str = Field(max_length=40, description="Name of a source in the configuration file.")
    priority: int = Field(default=5, ge=PRIORITIES[0], le=PRIORITIES[-1])


@router.get("")
async def list_batches(id: str, desk: TheDesk, caller: Campaigner) -> BatchList:
    """The batches of a campaign, oldest first."""
    await reached(desk, caller, id)
    return BatchList(batches=[BatchOut.model_validate(one) for one in await desk.campaigns.batches(id)])


@router.get("/{batch}")
async def show_batch(id: str, batch: str, desk: TheDesk, caller: Campaigner) -> BatchOut:
    """One batch; while it is loading, how far."""
    await reached(desk, caller, id)
    return BatchOut.model_validate(await desk.campaigns.batch(id, batch))


@router.put(
    "/{batch}",
    status_code=202,
    openapi_extra={
        "requestBody": {"required": True, "content": {form: {"schema": {"type": "string"}} for form in FORMS}}
    },
)
async def upload_batch(
    id: str, batch: Name, request: Request, desk: TheDesk, caller: Campaigner, priority: Priority = 5
) -> BatchOut:
    """Import a CSV file with a heading, or JSON lines. It is read in the background: ask for the batch until it is
    `ready`; nobody of it is called before. 409 for a batch that is there."""
    await reached(desk, caller, id)

    async def begin(path: Path, form: str) -> Batch:
        return await desk.imports.start(id, batch, form, by=caller.by, path=path, priority=priority)

    made = await received(desk, request, begin)
    await desk.note(caller, "import", "batch", f"{id}/{batch}")
    return BatchOut.model_validate(made)


@router.post("/{batch}/fetch", status_code=202)
async def fetch_batch(id: str, batch: Name, body: FetchIn, desk: TheDesk, caller: Campaigner) -> BatchOut:
    """Import the rows that a source's query gives for this batch's id (R3-01); as an upload else. A batch that the
    source does not know fails with that reason."""
    campaign = await reached(desk, caller, id)
    found = desk.settings.sources.get(body.source)
    if found is None or not (campaign.tenant in found.tenants or (caller.tenant is None and not found.tenants)):
        raise invalid([("source", f"there is no source {body.source} for tenant {campaign.tenant}")])
    source = Source(body.source, found.url.get_secret_value(), found.query, found.timeout)
    made = await desk.imports.start(id, batch, "sql", by=caller.by, source=source, priority=body.priority)
    await desk.note(caller, "import", "batch", f"{id}/{batch}", {"source": body.source})
    return BatchOut.model_validate(made)


@router.delete("/{batch}")
async def withdraw_batch(id: str, batch: str, desk: TheDesk, caller: Campaigner) -> BatchOut:
    """Nobody of it is called any more; calls in progress end by themselves. Its numbers may come in another batch."""
    await reached(desk, caller, id)
    return BatchOut.model_validate(await desk.campaigns.withdraw(id, batch, by=caller.by, now=desk.wall()))


@router.get("/{batch}/problems")
async def list_problems(
    id: str,
    batch: str,
    desk: TheDesk,
    caller: Campaigner,
    limit: Page = 100,
    after: Annotated[str, Query(pattern=r"^([0-9]{1,18}-[0-9]{1,9})?$")] = "",
) -> ProblemPage:
    """What is wrong, by row: every bad row is named (R3-02)."""
    await reached(desk, caller, id)
    await desk.campaigns.batch(id, batch)
    row, _, n = after.partition("-")
    found = await desk.campaigns.problems(id, batch, limit, (int(row or 0), int(n or 0)))
    following = f"{found[-1][0].row}-{found[-1][1]}" if len(found) == limit else None
    return ProblemPage(problems=[ProblemRow.model_validate(one) for one, _ in found], next=following)


@router.get("/{batch}/problems.csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
async def export_problems(id: str, batch: str, desk: TheDesk, caller: Campaigner) -> StreamingResponse:
    """All of them as CSV."""
    await reached(desk, caller, id)
    await desk.campaigns.batch(id, batch)
    return csv_rows.response(f"{id}-{batch}-problems.csv", _problems_csv(desk, id, batch))


async def _problems_csv(desk: Desk, id: str, batch: str) -> AsyncIterator[bytes]:
    yield csv_rows.lines([("row", "kind", "value", "message")])
    after = (0, 0)
    while found := await desk.campaigns.problems(id, batch, PAGE, after):
        yield csv_rows.lines((one.row, one.kind, one.value, one.message) for one, _ in found)
        after = (found[-1][0].row, found[-1][1])


async def received(desk: Desk, request: Request, begin: Callable[[Path, str], Coroutine[Any, Any, Batch]]) -> Batch:
    """The body as a file that the import removes; whatever goes wrong before, it is removed here."""
    form = FORMS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())
    if form is None:
        raise Problem(415, "unsupported", f"the file must be sent as one of: {', '.join(FORMS)}")
    key = request.scope["caller"].key
    if desk.uploading[key] >= AT_ONCE:
        raise Problem(429, "too-many-requests", f"{AT_ONCE} uploads of this key are under way", headers=LATER)
    path = desk.imports.folder / f"{secrets.token_hex(8)}.{form}"
    desk.uploading[key] += 1
    try:
        await _save(request, path)
        return await begin(path, form)
    except ClientDisconnect:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise Problem(400, "unreadable", "the connection ended before the file did") from None
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise
    finally:
        desk.uploading[key] -= 1


async def _save(request: Request, path: Path) -> None:
    """Write the body as it comes, not on the loop."""
    waiting = bytearray()
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    file = await asyncio.to_thread(path.open, "wb")
    try:
        async for piece in request.stream():
            waiting += piece
            if len(waiting) >= CHUNK:
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(file.write, bytes(waiting))
    finally:
        await asyncio.to_thread(file.close)
