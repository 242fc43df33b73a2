"""Do-not-call lists from files: what is on the new list is put there, what is not any more is taken off."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import sqlalchemy as sa

from b2bua.importing.job import BREATH, Job
from b2bua.importing.reading import Row
from b2bua.storage import Storage, batch_rows
from b2bua.storage import do_not_call_rows as rows
from b2bua.storage.batch_rows import SLICE
from b2bua.storage.do_not_call_rows import ListInfo
from dialer.batch import RowProblem
from dialer.numbers import BadNumber, e164

MOST_BAD = 0.2
"Share of rows without a readable number above which a list is taken for a mistake: the wrong file, column or region."


async def load(storage: Storage, job: Job, reading: AsyncIterator[tuple[list[Row], float]]) -> str:
    """Import the list; returns what failed, empty for nothing.

    A list without any good number is taken for a mistake, and so is one with many bad ones unless the job says that it
    is none: nothing is taken off then, since whoever is taken off is called. What is good in it is there all the same.
    """
    began, at, good, bad = time.time(), 0, 0, 0
    tenant = rows.tenant_of(job.campaign)
    async for some, share in reading:
        numbers: set[str] = set()
        problems: list[RowProblem] = []
        for at, data in some:
            if isinstance(data, RowProblem):
                problems.append(data)
                continue
            text = str(data.get("number") or "")
            try:
                numbers.add(e164(text, job.region))
                good += 1
            except BadNumber as error:
                problems.append(RowProblem(at, "number", text[:100], f"{text[:40]!r} {error}"))
        bad += len(problems)
        await storage.write(_slice(job, tenant, numbers, problems, began, at, share))
        await asyncio.sleep(BREATH)
    if not good:
        return "there is no good number in it: the list stays as it was"
    if not job.force and bad > MOST_BAD * (good + bad):
        return (
            f"{bad} of {good + bad} rows have no number that can be read: no number is taken off the list. Is the"
            " region right? With force it is imported all the same"
        )
    gone = SLICE
    while gone == SLICE:
        gone = await storage.write(lambda conn: rows.remove_older(conn, tenant, job.batch, began, SLICE))
        await asyncio.sleep(BREATH)
    await storage.write(lambda conn: _done(conn, job, tenant))
    await storage.write(batch_rows.analyse)
    return ""


def _slice(
    job: Job, tenant: str, numbers: set[str], problems: list[RowProblem], began: float, at: int, share: float
) -> Callable[[sa.Connection], None]:
    def op(conn: sa.Connection) -> None:
        rows.renew(conn, tenant, job.batch, numbers, job.form, began)
        batch_rows.count(conn, job.campaign, job.batch, len(numbers), problems, rows=at, share=share)

    return op


def _done(conn: sa.Connection, job: Job, tenant: str) -> None:
    assert job.as_of is not None  # a list has one
    count = rows.size(conn, tenant, job.batch)
    rows.imported(conn, ListInfo(tenant, job.batch, job.form, job.as_of, time.time(), count))
