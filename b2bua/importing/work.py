"""The work of the importing process: read, prepare, write in slices; the batch opens when it is whole."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from b2bua.importing import lists, reading, source
from b2bua.importing.job import BREATH, Job
from b2bua.importing.reading import BadFile, Row
from b2bua.importing.source import SourceFailed
from b2bua.storage import Storage, batch_rows, campaign_rows
from b2bua.storage.batch_rows import SLICE, Batch
from dialer.batch import Prepared, RowProblem, prepare
from dialer.campaign import Campaign
from dialer.command import CommandIds

LOOK_AT = frozenset(4**n for n in range(1, 10))
"Slices after which the tables have grown so much that the database must look at them."

AHEAD = 10 * SLICE
"Contacts that are put into the order of their numbers: neighbours share the pages of an index."


async def run(job: Job) -> Batch:
    """Import the batch that `batch_rows.begin` has made; what goes wrong is kept with it.

    Raises StorageError when the database cannot be reached any more: the batch then stays `loading` until it is begun
    anew.
    """
    storage = await Storage.open(job.database, timeout=30.0, pool=1, upgrade=False)
    try:
        await storage.write(batch_rows.keep_more)
        try:
            error = await (_load(storage, job) if job.as_of is None else lists.load(storage, job, _rows(job)))
        except (BadFile, SourceFailed) as failed:
            error = str(failed)
        except OSError as failed:
            error = f"the file cannot be read: {failed.strerror}"
        return await _end(storage, job, error)
    finally:
        await storage.close()


async def _load(storage: Storage, job: Job) -> str:
    """Everything but the opening; returns what failed, empty for nothing."""
    campaign = await storage.read(lambda conn: campaign_rows.get(conn, job.campaign))
    batch = await storage.read(lambda conn: batch_rows.get(conn, job.campaign, job.batch))
    await clear(storage, job.campaign, job.batch)
    slice_ = _Slice(storage, campaign, batch)
    try:
        async for some, share in _rows(job):
            for at, data in some:
                if isinstance(data, RowProblem):
                    slice_.problems.append(data)
                else:
                    made, wrong = prepare(at, data, region=campaign.region, priority=job.priority)
                    slice_.problems += wrong
                    if made is not None:
                        slice_.prepared.append(made)
                slice_.rows = at
            slice_.share = share
            if len(slice_.prepared) >= AHEAD or len(slice_.problems) >= SLICE:
                await slice_.write()
        await slice_.write()
    finally:
        await slice_.settle()
    return "" if slice_.rows else "there is no row in it"


class _Slice:
    """What is written next."""

    def __init__(self, storage: Storage, campaign: Campaign, batch: Batch) -> None:
        self.storage, self.campaign, self.batch = storage, campaign, batch
        self.prepared: list[Prepared] = []
        self.problems: list[RowProblem] = []
        self.rows, self.share = 0, 0.0
        self._ids = CommandIds(_noise())
        self._written = 0
        self._writing: asyncio.Task[None] | None = None

    async def write(self) -> None:
        """Begin to write it, once the one before is written: meanwhile the next one can be prepared."""
        await self.settle()
        # ids say in which order contacts are called: that of the rows
        given = [(self._ids.next(time.time()), one) for one in self.prepared]
        if all(len(one.numbers) == 1 for _, one in given):  # else a later row might get an earlier one's second number
            given.sort(key=lambda pair: pair[1].numbers[0].number)
        problems, pieces = self.problems, []
        for at in range(0, max(1, len(given)), SLICE):
            pieces.append(self._piece(given[at : at + SLICE], problems))
            problems = []
        self.prepared, self.problems = [], []
        self._writing = asyncio.create_task(self._write(pieces))
        await asyncio.sleep(0)  # the write has been asked for when the loop comes back here

    def _piece(
        self, given: Sequence[tuple[str, Prepared]], problems: Sequence[RowProblem]
    ) -> Callable[[sa.Connection], Batch]:
        """One transaction, which may be run again: contacts with their ids, and what is wrong with the rows so far."""
        ids, prepared = [id_ for id_, _ in given], [one for _, one in given]
        rows, share = self.rows, self.share

        def add(conn: sa.Connection) -> Batch:
            return batch_rows.add(
                conn, self.campaign, self.batch, prepared, problems, rows=rows, share=share, new_id=iter(ids).__next__
            )

        return add

    async def settle(self) -> None:
        """Wait until nothing is being written. Raises what the write did, once."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    async def _write(self, pieces: Sequence[Callable[[sa.Connection], object]]) -> None:
        for add in pieces:
            await self.storage.write(add)
            self._written += 1
            if self._written in LOOK_AT:
                await self.storage.write(batch_rows.analyse)
            await asyncio.sleep(BREATH)


def _noise() -> Callable[[int], int]:
    """As `secrets.randbits` up to 64 bits, with one call of the system for some hundred numbers."""
    some = bytearray()

    def bits(wanted: int) -> int:
        if not some:
            some.extend(os.urandom(8 * SLICE))
        found = int.from_bytes(some[-8:], "big")
        del some[-8:]
        return found >> (64 - wanted)

    return bits


async def _rows(job: Job) -> AsyncIterator[tuple[list[Row], float]]:
    """Rows some at a time, with the share of the source that was read."""
    if job.source is not None:
        async for some in source.rows(job.source, job.batch):
            yield some, 0.0
        return
    assert job.path is not None  # a job has one or the other
    some, share = [], 0.0
    for row, share in reading.rows(job.path, job.form):
        some.append(row)
        if len(some) == SLICE:
            yield some, share
            some = []
    if some:
        yield some, share


async def _end(storage: Storage, job: Job, error: str) -> Batch:
    """Open what is whole; of what failed nothing stays but its problems."""
    if job.as_of is not None:
        return await storage.write(
            lambda conn: batch_rows.finish(conn, job.campaign, job.batch, time.time(), error=error)
        )
    if error:
        await clear(storage, job.campaign, job.batch)
        return await storage.write(
            lambda conn: batch_rows.finish(conn, job.campaign, job.batch, time.time(), error=error)
        )
    after: int | None = 0
    while after is not None:
        after = await storage.write(partial(batch_rows.open_some, campaign=job.campaign, id=job.batch, after=after))
        await asyncio.sleep(BREATH)
    await storage.write(batch_rows.analyse)
    return await storage.write(lambda conn: batch_rows.finish(conn, job.campaign, job.batch, time.time()))


async def clear(storage: Storage, campaign: str, batch: str) -> None:
    """Remove the contacts of a batch that never became whole."""
    more = 1
    while more:
        more = await storage.write(lambda conn: batch_rows.clear(conn, campaign, batch))
        await asyncio.sleep(BREATH)


async def add_now(
    storage: Storage, campaign: Campaign, batch: Batch, given: Sequence[dict[str, Any]]
) -> tuple[Batch, list[RowProblem]]:
    """Import a few rows at once, in this process: up to a slice. The batch must have been begun."""
    prepared, problems = await asyncio.to_thread(_prepare, campaign, given)
    slice_ = _Slice(storage, campaign, batch)
    slice_.prepared, slice_.problems, slice_.rows = prepared, problems, len(given)
    await slice_.write()
    await slice_.settle()
    job = Job("", campaign.id, batch.id, "api")
    done = await _end(storage, job, "")
    found = await storage.read(lambda conn: batch_rows.problems(conn, campaign.id, batch.id, 10 * SLICE))
    return done, [problem for problem, _ in found]


def _prepare(campaign: Campaign, given: Sequence[dict[str, Any]]) -> tuple[list[Prepared], list[RowProblem]]:
    made: list[Prepared] = []
    problems: list[RowProblem] = []
    for at, data in enumerate(given, 1):
        one, wrong = prepare(at, data, region=campaign.region)
        problems += wrong
        if one is not None:
            made.append(one)
    return made, problems
