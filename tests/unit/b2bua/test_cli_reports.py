"""`tandem report` against the real API."""

import csv
import io
import json
import time

from b2bua.storage.reports import CellRow, Reports, Step
from tests.unit.b2bua.conftest import Tandem
from tests.unit.web.running import running
from tests.unit.web.server import Api


async def fill(server: Api) -> None:
    now = time.time() // 900 * 900
    cells: list[CellRow] = [
        ("quarter", now, "queue", "repairs", "acme", {"offered": 8, "answered": 6, "in_time": 6, "abandoned": 2}),
        ("quarter", now - 900, "queue", "repairs", "acme", {"offered": 2, "answered": 2}),
        ("quarter", now, "agent", "8001", "", {"available": 60.0, "talking": 30.0, "wrap_up": 10.0}),
    ]
    await Reports(server.node.storage, "one").store(Step(1, 7, cells))


async def test_figures_are_shown_as_people_read_them(tandem: Tandem, server: Api) -> None:
    """R2-08."""
    assert "nothing yet" in (await tandem("report", "show")).stderr
    await fill(server)
    shown = (await tandem("report", "show", "queue", "--since", "1h")).stdout
    assert "60.0 %" in shown  # 6 in time of 8 + 2
    assert "75.0 %" in shown
    assert len((await tandem("report", "show", "queue", "--span", "quarter")).stdout.splitlines()) == 3
    assert "40.0 %" in (await tandem("report", "show", "agent")).stdout
    rows = json.loads((await tandem("report", "show", "queue", "--json", "--key", "repairs")).stdout)["rows"]
    assert [row["counts"]["offered"] for row in rows] == [10]
    (row,) = csv.DictReader(io.StringIO((await tandem("report", "show", "queue", "--csv", "--tenant", "acme")).stdout))
    assert (row["queue"], row["offered"]) == ("repairs", "10")
    assert "there is no report by mood" in (await tandem("report", "show", "mood", fails=True)).stderr


async def test_a_rebuild_is_asked_for(tandem: Tandem, server: Api) -> None:
    async with running(server.node.statistics):  # type: ignore[arg-type]
        assert "from the first event on" in (await tandem("report", "rebuild")).stderr
