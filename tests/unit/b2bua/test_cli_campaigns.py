"""`tandem campaign` and `tandem do-not-call`, against the real API over a real database."""

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio
from typer.testing import Result

from b2bua import log
from b2bua.settings import Log
from tests.unit.web.server import Api, api

Tandem = Callable[..., Awaitable[Result]]

SPRING = """\
id = "spring"
tenant = "acme"
mode = "broadcast"
prompt = "offer"
trunks = ["out"]
caller_id = "+12125550100"
profile = "us"
region = "US"

[pacing]
lines = 7

[[dispositions]]
code = "sale"
"""


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Api]:
    writer = log.start(Log(level="error"), io.StringIO())
    async with api(tmp_path, outbound="out") as running:
        yield running
    writer.close()


async def test_a_campaign_from_its_file_to_its_end(tandem: Tandem, tmp_path: Path) -> None:
    """R3-02, R3-07, R3-13: written from TOML, filled from a file with a report by row, ordered, snapshotted."""
    (tmp_path / "spring.toml").write_text(SPRING)
    made = json.loads((await tandem("campaign", "put", "spring.toml", "--json")).stdout)
    assert (made["pacing"]["lines"], made["dispositions"][0]["code"]) == (7, "sale")
    (tmp_path / "bad.toml").write_text(SPRING.replace('"out"', '"none", "carrier"').replace("lines = 7", "lines = 0"))
    refused = (await tandem("campaign", "put", "bad.toml", fails=True)).stderr
    assert [line.split(":")[0] for line in refused.splitlines()] == ["trunks.0", "trunks.1", "pacing.lines"]
    await tandem("do-not-call", "add", "212 555 0103", "--region", "US", "--tenant", "acme")
    (tmp_path / "leads.csv").write_text("number,name\n2125550101,A\n2125550102,B\n2125550103,C\n12,D\n2125550101,E\n")
    batch = json.loads((await tandem("campaign", "import", "spring", "leads.csv", "--json", key="acme")).stdout)
    counts = [batch[name] for name in ("id", "state", "rows", "contacts", "invalid", "duplicates", "listed")]
    assert counts == ["leads", "ready", 5, 2, 1, 1, 1]
    told = (await tandem("campaign", "problems", "spring", "leads")).stdout.splitlines()
    assert [line.split()[:2] for line in told[1:]] == [["3", "listed"], ["4", "number"], ["5", "duplicate"]]
    exported = (await tandem("campaign", "problems", "spring", "leads", "--csv")).stdout
    assert len(list(csv.reader(io.StringIO(exported)))) == 4
    assert "ready" in (await tandem("campaign", "batches", "spring")).stdout
    assert "can be started" in (await tandem("campaign", "check", "spring")).stderr
    assert (await tandem("campaign", "start", "spring", key="acme")).stdout == "campaign spring is running\n"
    assert "cannot be told to start" in (await tandem("campaign", "start", "spring", fails=True)).stderr
    progress = json.loads((await tandem("campaign", "progress", "spring", "--json")).stdout)
    assert (progress["open"], progress["due"], progress["done"]) == (2, 2, False)
    rows = (await tandem("campaign", "contacts", "spring", "--state", "open")).stdout.splitlines()
    assert [line.split()[1] for line in rows[1:]] == ["+12125550101", "+12125550102"]
    assert "no commands" in (await tandem("campaign", "commands", "spring")).stderr
    assert (await tandem("campaign", "stop", "spring", "--reason", "enough")).stdout == "campaign spring is stopped\n"
    assert "enough" in (await tandem("campaign", "list")).stdout
    assert json.loads((await tandem("campaign", "snapshot", "spring")).stdout)["body"]["contacts"] == {"open": 2}
    assert "withdrawn" in (await tandem("campaign", "withdraw", "spring", "leads")).stdout
    assert (await tandem("campaign", "delete", "spring")).stdout == "campaign spring is removed\n"
    assert "there is no campaign spring" in (await tandem("campaign", "show", "spring", fails=True)).stderr


async def test_an_import_that_fails_says_why(tandem: Tandem, tmp_path: Path) -> None:
    """R3-01, R3-02: a file without numbers, a file that is not there, a source nobody has set up: exit status 1."""
    (tmp_path / "spring.toml").write_text(SPRING)
    await tandem("campaign", "put", "spring.toml")
    (tmp_path / "names.csv").write_text("name\nA\n")
    failed = await tandem("campaign", "import", "spring", "names.csv", fails=True)
    assert "no column is called number" in failed.stderr
    assert "cannot read" in (await tandem("campaign", "import", "spring", "none.csv", fails=True)).stderr
    assert "no source crm" in (await tandem("campaign", "fetch", "spring", "b7", "-s", "crm", fails=True)).stderr
    (tmp_path / "register.csv").write_text("number\n2125550111\n12\n")
    register = ("do-not-call", "import", "register", "register.csv", "--tenant", "", "--region", "US")
    assert "1 of 2 rows have no number" in (await tandem(*register, fails=True)).stderr
    await tandem(*register, "--force")
    assert "register" in (await tandem("do-not-call", "lists")).stdout
    assert "+12125550111" in (await tandem("do-not-call", "show", "-l", "register", "--tenant", "")).stdout
