"""Old counts go a few at a time, found by their keys: nobody's call waits for the clean-up (security.md, Faults)."""

from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from b2bua.events import EventLog
from b2bua.reports.keeper import PURGE, Keeper
from b2bua.storage import Storage, StorageUnavailable
from b2bua.storage.history import EventHistory
from b2bua.storage.reports import SLICE, CellRow, Reports, Step, Wanted
from b2bua.storage.spool import Spool
from b2bua.storage.sqlite import SqliteBackend
from b2bua.storage.tables import report_calls, report_counts
from routing.plan import Plan

QUARTERS = 20
EACH = 150
"Agents with counts in a quarter."


def quarters() -> list[CellRow]:
    return [("quarter", n * 900.0, "agent", str(a), "", {"offered": 1.0}) for n in range(QUARTERS) for a in range(EACH)]


async def filled(storage: Storage, node: str) -> Reports:
    """Counts and filtered calls of a node, a quarter of an hour each, and one day."""
    reports = Reports(storage, node)
    calls: list[tuple[int, float, str, str, dict[str, Any]]]
    calls = [(n, n * 900.0, "acme", f"call-{n}", {}) for n in range(1, 2 * SLICE)]
    day: CellRow = ("day", 0.0, "agent", "0", "", {"offered": 1.0})
    await reports.store(Step(1, 1, [*quarters(), day], calls=calls))
    return reports


async def left(storage: Storage, table: sa.Table) -> int:
    return await storage.read(lambda conn: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar() or 0)


async def test_what_is_old_goes_of_every_node_and_what_is_not_stays(storage: Storage) -> None:
    """Of a node that is no more, too; filtered calls are each node's own, because its cursors stand on them."""
    reports, retired = await filled(storage, "n1"), await filled(storage, "retired")
    await reports.purge(10 * 900.0, 10 * 900.0)
    rows = await reports.rows(Wanted("agent", "quarter", key="7"), 100)
    assert [row.start for row in rows] == [n * 900.0 for n in range(10, QUARTERS)]
    assert [row.counts["offered"] for row in rows] == [2.0] * 10
    assert len(await reports.rows(Wanted("agent", "day"), 100)) == 1
    assert [row[0] for row in await reports.calls_after(0, 2)] == [10, 11]
    assert (await retired.calls_after(0, 1))[0][0] == 1
    await reports.purge(1e12, 1e12)
    assert await left(storage, report_counts) == 2, "the days"
    assert await left(storage, report_calls) == 2 * SLICE - 1, "those of the other node"


async def test_no_transaction_is_long_and_none_reads_a_whole_table(sqlite: Storage) -> None:
    """On SQLite there is one writer: a claim that waits for it longer than its deadline takes the default route."""
    backend = sqlite.backend
    assert isinstance(backend, SqliteBackend)
    reports, said = await filled(sqlite, "n1"), list[tuple[str, Any]]()

    def saw(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        said.append((statement, parameters))

    before = backend.writer.transactions
    sa.event.listen(backend.engine, "before_cursor_execute", saw)
    await reports.purge(1e12, 1e12)
    sa.event.remove(backend.engine, "before_cursor_execute", saw)
    assert backend.writer.transactions - before > QUARTERS * EACH // (SLICE + EACH) + 2

    def plans(conn: sa.Connection) -> list[tuple[str, Sequence[str]]]:
        ways = ((text, conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)) for text, values in said)
        return [(text, [str(row[3]) for row in way]) for text, way in ways]

    for text, steps in await sqlite.read(plans):
        assert not [step for step in steps if step.startswith("SCAN")], text
        assert not [step for step in steps if "TEMP B-TREE" in step], text


async def test_a_clean_up_that_fails_is_not_tried_again_at_once(sqlite: Storage, tmp_path: Path) -> None:
    """What the database was too slow for would else keep it busy twice a second."""

    class Slow(Reports):
        tried = 0

        async def purge(self, quarters: float, calls: float) -> None:
            self.tried += 1
            raise StorageUnavailable("too slow")

    spool, reports = Spool.open(tmp_path / "spool", sqlite), Slow(sqlite, "n1")
    log = EventLog("n1", spool, EventHistory(sqlite, "n1", spool), last=0, ring=10)
    keeper = Keeper(log, reports, Plan, UTC)
    for now in (PURGE, PURGE + 0.5, PURGE + 1.0, 2 * PURGE):
        await keeper._purge(now)
    assert reports.tried == 2
    await spool.close()
