"""Statistics over HTTP: rows, sums, CSV, and whose they are."""

import csv
import io

from b2bua.storage.reports import CellRow, Reports, Step
from tests.unit.web.running import running
from tests.unit.web.server import Api

START = 1_735_689_600.0
"2025-01-01 00:00 UTC."


async def fill(web: Api) -> None:
    """Two quarters of a queue that two tenants share, and what one of its agents did."""
    cells: list[CellRow] = [
        ("quarter", START, "queue", "repairs", "acme", {"offered": 4, "answered": 3, "in_time": 2, "abandoned": 1}),
        ("quarter", START, "queue", "repairs", "beta", {"offered": 1, "answered": 1, "in_time": 1, "talk": 30.0}),
        ("quarter", START + 900, "queue", "repairs", "acme", {"offered": 1, "short_abandoned": 1, "wait": 2.5}),
        ("day", START, "queue", "repairs", "acme", {"offered": 5}),
        ("quarter", START, "agent", "8001", "", {"available": 600.0, "talking": 150.25, "paused": 149.75}),
    ]
    call = (7, START, "acme", "c1", {"call": "c1", "tenant": "acme"})
    await Reports(web.node.storage, "one").store(
        Step(1, 7, cells, (), [call, (8, START, "beta", "c2", {"call": "c2"})])
    )


async def test_rows_are_summed_over_tenants_and_shown_with_what_follows(web: Api) -> None:
    """R2-08: both service levels."""
    await fill(web)
    report = (await web.ask("GET", "/v1/reports/queue", key="operator", params={"since": str(START)})).json()
    first, second = report["rows"]
    assert (first["start"], first["key"], first["counts"]["offered"], first["counts"]["talk"]) == (
        START,
        "repairs",
        5,
        30,
    )
    assert (first["ratios"]["service_level"], first["ratios"]["service_level_answered"]) == (0.6, 0.75)
    assert (second["start"], second["ratios"]["service_level"], report["more"]) == (START + 900, None, False)
    whole = (await web.ask("GET", "/v1/reports/queue", params={"since": str(START), "span": "whole"})).json()
    assert [(row["start"], row["counts"]["offered"]) for row in whole["rows"]] == [(None, 6)]
    day = (await web.ask("GET", "/v1/reports/queue", params={"since": str(START), "span": "day"})).json()
    assert day["rows"][0]["counts"]["offered"] == 5
    agents = (await web.ask("GET", "/v1/reports/agent", params={"since": str(START)})).json()
    assert agents["rows"][0]["ratios"]["occupancy"] == 0.2003


async def test_a_tenant_sees_the_figures_of_its_own_calls(web: Api) -> None:
    await fill(web)
    mine = (await web.ask("GET", "/v1/reports/queue", key="beta", params={"since": str(START)})).json()
    assert [row["counts"]["offered"] for row in mine["rows"]] == [1]
    assert (await web.ask("GET", "/v1/reports/queue", key="beta", params={"tenant": "acme"})).status_code == 403
    assert (await web.ask("GET", "/v1/reports/agent", key="beta", params={"since": str(START)})).json()["rows"] == []
    calls = (await web.ask("GET", "/v1/reports/calls", key="acme")).json()
    assert calls == {"calls": [{"number": 7, "call": "c1", "tenant": "acme"}], "next": 8}
    assert (await web.ask("GET", "/v1/reports/queue", key="listener")).status_code == 403


async def test_all_figures_come_as_csv(web: Api) -> None:
    await fill(web)
    answer = await web.ask("GET", "/v1/reports/queue.csv", params={"since": str(START)})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["start"], row["queue"], row["offered"], row["service_level"]) for row in rows] == [
        ("2025-01-01T00:00:00+00:00", "repairs", "5", "0.6"), ("2025-01-01T00:15:00+00:00", "repairs", "1", ""),
    ]  # fmt: skip
    assert (rows[0]["talk"], rows[1]["wait"]) == ("30.0", "2.5")


async def test_a_csv_is_whole_however_long_it_is(web: Api) -> None:
    """200 queues have 19,200 quarters a day: all of them come, each once, in their order."""
    cells: list[CellRow] = [
        ("quarter", START + 900 * quarter, "queue", f"q{queue:02}", "acme", {"offered": quarter})
        for quarter in range(60)
        for queue in range(40)
    ]
    await Reports(web.node.storage, "one").store(Step(1, 1, cells))
    for span, wanted in (("quarter", 2400), ("whole", 40)):
        answer = await web.ask("GET", "/v1/reports/queue.csv", params={"since": str(START), "span": span})
        rows = [(row["start"], row["queue"]) for row in csv.DictReader(io.StringIO(answer.text))]
        assert len(rows) == wanted
        assert rows == sorted(set(rows))
    part = (await web.ask("GET", "/v1/reports/queue", params={"since": str(START)})).json()
    assert (len(part["rows"]), part["more"]) == (1000, True)


async def test_without_a_time_a_report_is_of_the_last_day_and_mistakes_are_told(web: Api) -> None:
    await fill(web)
    assert (await web.ask("GET", "/v1/reports/queue")).json()["rows"] == []
    wrong = await web.ask("GET", "/v1/reports/mood", params={"since": "yesterday", "span": "year"})
    assert {mistake["field"] for mistake in wrong.json()["errors"]} == {"by", "since", "span"}
    behind = await web.ask("GET", "/v1/reports/queue", params={"since": "20", "until": "10"})
    assert behind.json()["errors"][0]["field"] == "until"
    few = await web.ask("GET", "/v1/reports/queue", params={"since": str(START), "limit": "1"})
    assert (len(few.json()["rows"]), few.json()["more"]) == (1, True)


async def test_times_that_no_calendar_has_and_keys_like_formulas_do_no_harm(web: Api) -> None:
    for path, query in (
        ("queue", {"until": "nan"}), ("queue", {"since": "inf"}), ("queue.csv", {"until": "1e308"}),
        ("queue", {"until": "-1"}), ("calls", {"after": str(2**63)}),
    ):  # fmt: skip
        assert (await web.ask("GET", f"/v1/reports/{path}", params=query)).status_code == 422, query
    cells: list[CellRow] = [("quarter", START, "area", "=cmd|' /C calc'!A0", "acme", {"offered": 1})]
    await Reports(web.node.storage, "one").store(Step(1, 1, cells))
    table = (await web.ask("GET", "/v1/reports/area.csv", params={"since": str(START)})).text
    assert next(csv.DictReader(io.StringIO(table)))["area"] == "'=cmd|' /C calc'!A0"


async def test_a_rebuild_is_for_admins_and_counts_anew(web: Api) -> None:
    await fill(web)
    assert (await web.ask("POST", "/v1/reports/rebuild", key="operator")).status_code == 403
    async with running(web.node.statistics):  # type: ignore[arg-type]
        answer = await web.ask("POST", "/v1/reports/rebuild")
        assert (answer.status_code, answer.json()) == (202, {"since": 0.0})
        assert (await web.ask("GET", "/v1/reports/queue", params={"since": str(START)})).json()["rows"] == []
        state = (await web.ask("GET", "/v1/reports")).json()
        assert state == {"counted": 0, "last": 0, "rebuilding": False, "zone": "UTC"}
    assert (await web.ask("GET", "/v1/audit", params={"kind": "reports"})).json()["entries"][0]["action"] == "rebuild"


async def test_a_wrong_rule_is_refused_and_the_old_one_stays(web: Api) -> None:
    """R2-06, R2-08: every mistake at once, with its field."""
    async with web.client() as client:
        assert (await client.put("/v1/filters/tests", json={"action": "drop", "caller": "1390*"})).status_code == 200
        refused = await client.put("/v1/filters/tests", json={"action": "drop", "caller": "abc", "queue": "nowhere"})
        assert refused.status_code == 409
        assert sorted(one["field"] for one in refused.json()["errors"]) == ["caller", "queue"]
        assert (await client.get("/v1/filters/tests")).json()["caller"] == "1390*"
        hook = {"url": "https://crm.example/x", "secret": "hunter2"}
        assert (await client.put("/v1/webhooks/crm", json=hook)).json()["secret"] == "***"
        assert (await client.put("/v1/webhooks/crm", json={"url": "crm.example"})).status_code in (409, 422)
        assert web.node.plan().webhooks["crm"].secret == "hunter2"
