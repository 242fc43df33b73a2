"""Batches from files and databases: every row counted, every bad one named, nothing left of what failed."""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from b2bua.importing.imports import Imports
from b2bua.importing.job import Job
from b2bua.importing.reading import LONGEST_ROW
from b2bua.importing.source import Source, sentence
from b2bua.importing.work import run
from b2bua.storage import Conflict, Storage, batch_rows, campaign_rows
from b2bua.storage import postgres as postgres_backend
from b2bua.storage.batch_rows import Batch
from b2bua.storage.campaigns import Campaigns, ContactFilter
from b2bua.storage.dial_store import DialStore
from dialer.campaign import Campaign
from tests.peers.waiting import eventually
from tests.postgres import Postgres
from tests.unit.storage.contacts import NOW

CAMPAIGN = Campaign("spring", "acme", region="US")
_ANY = ContactFilter()


async def make(storage: Storage) -> DialStore:
    await storage.write(lambda conn: campaign_rows.create(conn, CAMPAIGN, by="test", now=NOW))
    return DialStore(storage)


async def imported(storage: Storage, url: str, batch: str, form: str, **more: Any) -> Batch:
    """A batch after its import, by the code of the importing process."""
    await storage.write(lambda conn: batch_rows.begin(conn, "spring", batch, form, "n1", "test", NOW))
    return await run(Job(url, "spring", batch, form, **more))


async def told(storage: Storage, batch: str) -> list[tuple[int, str, str]]:
    """Row, kind and message of everything that is wrong."""
    found: list[tuple[int, str, str]] = []
    after = (0, 0)
    while some := await Campaigns(storage).problems("spring", batch, 500, after):
        found += [(one.row, one.kind, one.message) for one, _ in some]
        after = (some[-1][0].row, some[-1][1])
    return found


@asynccontextmanager
async def importing(storage: Storage, url: str, folder: Path) -> AsyncIterator[Imports]:
    """The imports of node n1, with their process."""
    imports = Imports(storage, url, "n1", folder)
    task = asyncio.create_task(imports.run())
    yield imports
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None


async def until(storage: Storage, batch: str, true: Callable[[Batch], bool]) -> list[Batch]:
    """What the batch looked like on the way, until this is true of it."""
    seen: list[Batch] = []
    while not seen or not true(seen[-1]):
        await asyncio.sleep(0.02)
        seen.append(await storage.read(lambda conn: batch_rows.get(conn, "spring", batch)))
    return seen


def a_number(n: int) -> str:
    return f"212{2_000_000 + n}"


@pytest.mark.timeout(300)
async def test_a_hundred_thousand_rows(sqlite: Storage, sqlite_url: str, tmp_path: Path) -> None:
    """R3-02: in a process of its own, with a share that rises; the count is right and each bad row is named."""
    store = await make(sqlite)
    truth: dict[int, str] = {}
    path = tmp_path / "leads.csv"
    with path.open("w") as file:
        file.write("number,number_2,name,order\n")
        for row in range(1, 100_001):
            number, second = a_number(row), ""
            if row % 1000 == 7:
                truth[row], number = "duplicate", a_number(row - 5)
            elif row % 1000 == 11:
                truth[row], number = "number", "555"
            elif row % 1000 == 13:
                truth[row] = "listed"
                await store.list_number("acme", f"+1{number}", "asked", NOW)
            elif row % 1000 == 17:
                truth[row], second = "row", "1,2,3,4"
            elif row % 1000 == 19:
                second = a_number(500_000 + row)
            file.write(f"{number},{second},Name {row},A-{row}\n")
    async with importing(sqlite, sqlite_url, tmp_path / "imports") as imports:
        await imports.start("spring", "leads", "csv", by="test", path=path)
        seen = await until(sqlite, "leads", lambda batch: batch.state != batch_rows.LOADING)
    batch = seen[-1]
    assert (batch.state, batch.rows, batch.share) == ("ready", 100_000, 1.0)
    assert (batch.contacts, batch.numbers) == (100_000 - 400, 100_000 - 400 + 100)
    assert (batch.duplicates, batch.invalid, batch.listed) == (100, 200, 100)
    assert sorted({one.share for one in seen}) == list(dict.fromkeys(one.share for one in seen))
    assert len({one.rows for one in seen}) > 2
    problems = await told(sqlite, "leads")
    assert {row: kind for row, kind, _ in problems} == truth
    assert len(problems) == len(truth)
    assert not path.exists()
    progress = await store.progress("spring", NOW)
    assert (progress.contacts, progress.open, progress.held) == (99_600, 99_600, 0)


async def test_contacts_are_called_in_the_order_of_their_rows(storage: Storage, url: str, tmp_path: Path) -> None:
    """R3-02: numbers in no order are written in theirs, yet the first row is called first, and of two rows with one
    number the first has it, also as its second number."""
    store, order = await make(storage), [3, 1, 4, 15, 9, 2, 6]
    path = tmp_path / "order.csv"
    path.write_text("number\n" + "".join(f"{a_number(n)}\n" for n in [*order, 4]))
    await imported(storage, url, "order", "csv", path=path)
    path.write_text(f"number,number_2\n{a_number(90)},{a_number(50)}\n{a_number(50)},\n")
    await imported(storage, url, "second", "csv", path=path)
    await store.order("spring", "start", NOW, node="n1")
    taken = await store.take("spring", 20, NOW, node="n1")
    assert [one.numbers[0].number for one in taken] == [f"+1{a_number(n)}" for n in [*order, 90]]
    assert await told(storage, "order") == [(8, "duplicate", f"+1{a_number(4)} is in row 3 already")]
    assert await told(storage, "second") == [(2, "duplicate", f"+1{a_number(50)} is in row 1 already")]


async def test_rows_that_are_wrong_in_every_way(storage: Storage, url: str, tmp_path: Path) -> None:
    """R3-02: one bad cell costs its row, one bad number only itself; what an owner reads names the cell."""
    await make(storage)
    lines: list[Any] = [
        {"number": a_number(1), "name": "whole", "priority": 9, "zone": "America/Chicago", "next_at": 1.8e9},
        {"numbers": [{"number": a_number(2), "kind": "mobile"}, "12", a_number(2), a_number(3)]},
        {"number": a_number(4), "zone": "Mars"},
        {"number": a_number(5), "next_at": "2026-05-01T09:00"},
        {"number": a_number(6), "consent_at": "2026-05-01T09:00+02:00"},
        {"number": a_number(7), "consent_at": 1.7e9, "consent_source": "form", "consent_proof": "A-7"},
        {"number": True},
        {"name": "nobody"},
        {"number": a_number(8), "fields": {"deep": {"a": [1, 2]}}, "more": 1},
        {"number": a_number(9), "note": "\ud800"},
        {"number": a_number(1)},
    ]
    text = [json.dumps(line) for line in lines] + ["[]", "{", '{"number": "' + a_number(10) + '"}']
    path = tmp_path / "leads.jsonl"
    path.write_text("\n".join(text))
    batch = await imported(storage, url, "b1", "jsonl", path=path)
    assert (batch.state, batch.rows, batch.contacts, batch.numbers) == ("ready", 14, 5, 6)
    assert await told(storage, "b1") == [
        (2, "number", "'12' is too short"),
        (2, "duplicate", "+12122000002 is in this row twice"),
        (3, "row", "'Mars' is no time zone such as America/Chicago"),
        (4, "row", "next_at '2026-05-01T09:00' has no offset from UTC (write 2026-05-01T09:00+02:00)"),
        (5, "row", "a consent needs consent_source, where it was given"),
        (7, "row", "'True' is no text"),
        (8, "number", "has no number"),
        (10, "row", "'note' has a character in it that cannot be kept"),
        (11, "duplicate", "+12122000001 is in row 1 already"),
        (12, "row", "is no JSON object"),
        (13, "row", "is no JSON"),
    ]
    contacts = {one.row: one for one in await Campaigns(storage).contacts("spring", _ANY, limit=99)}
    assert (contacts[1].priority, contacts[1].zone, contacts[1].next_at) == (9, "America/Chicago", 1.8e9)
    assert [(one.number, one.kind) for one in contacts[2].numbers] == [("+12122000002", "mobile"), ("+12122000003", "")]
    consent = contacts[6].consent
    assert consent is not None
    assert (consent.at, consent.source, consent.proof) == (1.7e9, "form", "A-7")
    assert contacts[9].fields == {"deep": {"a": [1, 2]}, "more": 1}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "the file is empty: its first line must name the columns"),
        (b"name,city\na,b\n", "no column is called number"),
        (b"number,number\n1,2\n", "two columns are called number"),
        (b"number,\n1,2\n", "column 2 has no name"),
        (b'number,"x\n1,2\n', "the heading cannot be read"),
        (b"number\n", "there is no row in it"),
        (bytes(range(256)) * 4, "no column is called number"),
        (b"number\n1\n" + b"2" * (LONGEST_ROW + 1), "a line is longer than"),
    ],
)
async def test_files_that_are_none(
    sqlite: Storage, sqlite_url: str, tmp_path: Path, content: bytes, error: str
) -> None:
    """R3-02: nothing is imported, and the batch keeps the reason."""
    await make(sqlite)
    path = tmp_path / "leads.csv"
    path.write_bytes(content)
    batch = await imported(sqlite, sqlite_url, "b1", "csv", path=path)
    assert (batch.state, batch.contacts) == ("failed", 0)
    assert error in batch.error


async def test_a_source_on_either_database(storage: Storage, url: str, postgres: Postgres, tmp_path: Path) -> None:
    """R3-01: all rows of the batch id come from the operator's database; an unknown id is a clear error."""
    await make(storage)
    query = "SELECT phone AS number, name, amount FROM leads WHERE grp = :batch ORDER BY phone"
    sources = []
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as crm:
        crm.execute("CREATE TABLE leads (phone TEXT, name TEXT, amount NUMERIC, grp TEXT)")
        crm.executemany("INSERT INTO leads VALUES (?, ?, ?, 'b7')", [(a_number(n), f"N{n}", 1.5) for n in range(1200)])
    crm.close()
    sources.append(Source("lite", f"sqlite:///{path}", query))
    theirs = postgres.create("crm")
    other = await Storage.open(theirs, upgrade=True)

    def fill(conn: sa.Connection) -> None:
        conn.execute(sa.text("CREATE TABLE leads (phone text, name text, amount numeric, grp text)"))
        rows = [{"phone": a_number(5000 + n), "name": f"N{n}", "amount": 1.5} for n in range(1200)]
        conn.execute(sa.text("INSERT INTO leads VALUES (:phone, :name, :amount, 'b7')"), rows)

    await other.write(fill)
    await other.close()
    sources.append(Source("post", theirs, query))
    try:
        for source in sources:
            named = replace(source)
            batch = await imported(storage, url, "b7", "sql", source=named)
            assert (batch.state, batch.rows, batch.contacts, batch.error) == ("ready", 1200, 1200, ""), source.name
            first = (await Campaigns(storage).contacts("spring", _ANY, limit=1))[0]
            assert first.fields == {"name": "N0", "amount": 1.5}
            await Campaigns(storage).withdraw("spring", "b7", by="test", now=NOW)
            await Campaigns(storage).delete("spring", by="test", now=NOW)
            await make(storage)
            unknown = await imported(storage, url, "b8", "sql", source=named)
            assert unknown.error == f"source {source.name} knows no batch b8: its query gave no row"
            broken = replace(named, query="SELECT nothing FROM leads WHERE grp = :batch")
            failed = await imported(storage, url, "b9", "sql", source=broken)
            assert failed.error.startswith(f"source {source.name} cannot be read: ")
            writes = replace(named, query="WITH x AS (SELECT 1) INSERT INTO leads (grp) VALUES (:batch) RETURNING grp")
            assert (await imported(storage, url, "b10", "sql", source=writes)).state == "failed"
    finally:
        postgres.drop("crm")


async def test_a_killed_import_leaves_nothing(sqlite: Storage, sqlite_url: str, tmp_path: Path) -> None:
    """R3-02: the importing process is killed in the middle, then the server: nobody is called, it can be repeated."""
    store = await make(sqlite)
    text = "number\n" + "".join(f"{a_number(n)}\n" for n in range(30_000))
    path = tmp_path / "leads.csv"
    path.write_text(text)
    async with importing(sqlite, sqlite_url, tmp_path / "imports") as imports:
        await imports.start("spring", "b1", "csv", by="test", path=path)
        await until(sqlite, "b1", lambda batch: batch.rows > 0)
        with pytest.raises(Conflict, match="is loading"):
            await imports.start("spring", "b1", "csv", by="test", path=path)
        assert imports.worker.pid is not None
        os.kill(imports.worker.pid, signal.SIGKILL)
        batch = (await until(sqlite, "b1", lambda batch: batch.state != batch_rows.LOADING))[-1]
        assert (batch.state, batch.error) == ("failed", "the importing process has ended")
        assert (await store.progress("spring", NOW)).contacts == 0
        path.write_text(text)
        await imports.start("spring", "b1", "csv", by="test", path=path)
        await until(sqlite, "b1", lambda batch: batch.rows > 0)
    assert (await store.progress("spring", NOW)).held > 0
    await store.order("spring", "start", NOW, node="n1")
    assert await store.take("spring", 5, NOW, node="n1") == []
    async with importing(sqlite, sqlite_url, tmp_path / "imports") as imports:
        batch = (await until(sqlite, "b1", lambda batch: batch.state != batch_rows.LOADING))[-1]
        assert batch.error == "the server ended while it was imported: import it again"
        assert (await store.progress("spring", NOW)).contacts == 0


async def test_what_cannot_be_removed_ends_nothing(sqlite: Storage, sqlite_url: str, tmp_path: Path) -> None:
    """A folder where a file should be (a mount that only reads is refused alike): it stays, and imports go on."""
    await make(sqlite)
    folder = tmp_path / "imports"
    (folder / "somebody's").mkdir(parents=True)
    os.utime(folder / "somebody's", (1.0, 1.0))
    (folder / "left").write_text("number\n")
    os.utime(folder / "left", (1.0, 1.0))
    (folder / "no file").mkdir()
    good = tmp_path / "leads.csv"
    good.write_text(f"number\n{a_number(1)}\n")
    async with importing(sqlite, sqlite_url, folder) as imports:
        await imports.start("spring", "b1", "csv", by="test", path=folder / "no file")
        await imports.start("spring", "b2", "csv", by="test", path=good)
        await eventually(lambda: not good.exists(), "the second was imported, and its file removed")
        first, second = [(await until(sqlite, name, lambda batch: True))[-1] for name in ("b1", "b2")]
        assert (first.state, second.state, second.rows) == ("failed", "ready", 1)
    assert sorted(path.name for path in folder.iterdir()) == ["no file", "somebody's"]


def test_an_error_that_says_nothing_has_a_name() -> None:
    """A connection that was reset: the drivers give the kernel's word without any text."""
    assert sentence(ConnectionResetError()) == "ConnectionResetError"
    assert sentence(ValueError("one\ntwo")) == "one"
    assert str(postgres_backend.translate(ConnectionResetError())) == "PostgreSQL: ConnectionResetError"
