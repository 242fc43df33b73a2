"""Batches from a real database, on a server that runs on PostgreSQL: fetched by id, reported by row, and dialled."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dialer.campaign import Campaign, Mode, Pacing
from tests.e2e.conftest import StartServer
from tests.e2e.dialling import CARRIER, CONFIG, Campaigns, numbers
from tests.e2e.sipp_carrier import agents_at_work, rung, wrong
from tests.peers.rtp import Rtp
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.waiting import eventually_true
from tests.postgres import Postgres

GOOD, ROWS = 60, 5_000
BAD = {7: "12345", 19: "no number", 42: "+44 999"}
"Rows of the small batch without a number."
TWICE = {50: 3, 60: 4}
"Rows of the small batch with the number of another one."


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[Sipp]:
    with Rtp() as sound:
        async with Sipp(tmp_path, "carrier", rtp=sound, port=CARRIER) as peer:
            yield peer
            print(peer.describe())


@pytest.mark.timeout(120)
async def test_a_batch_by_its_id_is_dialled_and_every_bad_row_is_named(
    start_server: StartServer, postgres: Postgres, carrier: Sipp, agent: Sipp
) -> None:
    """R3-01, R3-02: numbers come from the operator's database by batch id and become a task; an id it does not know is
    an error; the count is right, duplicates and bad numbers are reported by row.  R3-03, R3-08, R3-09, R3-13: the
    campaign runs to its end on PostgreSQL as it does on SQLite."""
    crm = postgres.create("crm")
    good = [number for number in numbers(67, 300) if number[-1] != "9"][:GOOD]
    await fill(crm, good)
    url = postgres.create("dialling")
    query = "SELECT phone AS number, name FROM leads WHERE run = :batch ORDER BY row"
    server = await start_server({**CONFIG, "storage": {"url": url}, "sources.crm": {"url": crm, "query": query}})
    await agents_at_work(server, agent, ["1001", "1002", "1003", "1004", "1005"])
    run = await carrier.answers("carrier-by-number")
    async with Campaigns.open(server, url) as campaigns:
        campaign = await campaigns.add(
            [], region="GB", mode=Mode.POWER, ring_for=0.5, attempts=1, retries={}, pacing=Pacing(rate=100.0, lines=40)
        )
        unknown = await fetched(server, campaign, "march")
        assert (unknown["state"], unknown["contacts"]) == ("failed", 0)
        assert unknown["error"] == "source crm knows no batch march: its query gave no row"

        batch = await fetched(server, campaign, "april")
        assert (batch["state"], batch["rows"], batch["contacts"]) == ("ready", GOOD + len(BAD) + len(TWICE), GOOD)
        assert (batch["invalid"], batch["duplicates"], batch["listed"]) == (len(BAD), len(TWICE), 0)
        problems = await problems_of(server, campaign, "april")
        assert {(one["row"], one["kind"]) for one in problems} == {
            *((row, "number") for row in BAD),
            *((row, "duplicate") for row in TWICE),
        }
        assert all(f"row {TWICE[one['row']]}" in one["message"] for one in problems if one["kind"] == "duplicate")

        await campaigns.order(campaign, "start")
        assert (await campaigns.over(campaign, 40.0)).reason == "done"
        records = await campaigns.records(campaign)
        assert not wrong(records)
        assert Counter(number for number, _ in records) == Counter(good)
        assert {number: len(calls) for number, calls in rung(run).items()} == dict.fromkeys(good, 1)
        assert await campaigns.snapshots(campaign) == ["end"]

        large = await campaigns.add([], region="GB")
        batch = await fetched(server, large, "may", within=60.0)
        assert (batch["rows"], batch["contacts"], batch["invalid"], batch["duplicates"]) == (
            ROWS, ROWS - ROWS // 100 - ROWS // 50, ROWS // 100, ROWS // 50,
        )  # fmt: skip


async def fill(crm: str, good: list[str]) -> None:
    """The operator's table: `april` with a few rows, some of them wrong, and `may` with many."""
    rows: list[tuple[int, str]] = []
    left = iter(good)
    for row in range(1, GOOD + len(BAD) + len(TWICE) + 1):
        if row in TWICE:
            rows.append((row, rows[TWICE[row] - 1][1]))
        else:
            rows.append((row, BAD.get(row) or next(left)))
    connection = await asyncpg.connect(crm)
    try:
        await connection.execute("CREATE TABLE leads (run text, row int, phone text, name text)")
        values = [("april", row, phone, f"contact {row}") for row, phone in rows]
        await connection.executemany("INSERT INTO leads VALUES ($1, $2, $3, $4)", values)
        # one row of a hundred has no number, one of fifty has the number of the first one
        await connection.execute(
            "INSERT INTO leads SELECT 'may', n, CASE WHEN n % 100 = 7 THEN 'none' WHEN n % 50 = 9 THEN '07400 000001' "
            f"ELSE '07400 ' || lpad(n::text, 6, '0') END, 'contact ' || n FROM generate_series(1, {ROWS}) n"
        )
    finally:
        await connection.close()


async def fetched(server: Server, campaign: Campaign, batch: str, within: float | None = None) -> dict[str, Any]:
    """The batch once its import is over."""
    path = f"/v1/campaigns/{campaign.id}/batches/{batch}"
    await server.api.request("POST", f"{path}/fetch", {"source": "crm"})

    async def over() -> dict[str, Any]:
        found = dict(await server.api.get(path))
        return found if found["state"] != "loading" else {}

    return await eventually_true(over, f"batch {batch} is imported", within)


async def problems_of(server: Server, campaign: Campaign, batch: str) -> list[dict[str, Any]]:
    """What was wrong with its rows."""
    found = await server.api.get(f"/v1/campaigns/{campaign.id}/batches/{batch}/problems")
    return list(found["problems"])
