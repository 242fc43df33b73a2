"""Call records over HTTP: filter, page, parts, CSV; a tenant's key sees its own."""

import csv
import io

from b2bua.storage.calls import CallRecord, PartRecord
from b2bua.web.cdrs import CSV_COLUMNS
from tests.unit.web.server import Api

START = 1_735_689_600.0


def record(at: int, tenant: str | None = "acme", **more: object) -> CallRecord:
    made = CallRecord(
        id=f"0190-{at:03}",
        node="one",
        direction="inbound",
        started_at=START + at,
        tenant=tenant,
        trunk="carrier",
        called="4008100001",
        billing_number="02155550000",
        effective_caller=f"1380013{at:04}",
        ended_at=START + at + 10,
        duration=10.0,
        cause="normal",
        sip_code=200,
        detail={"pull": "ok"},
        parts=[PartRecord(0, "caller", START + at, sip_code=200), PartRecord(1, "agent", START + at + 1, mos=4.4)],
    )
    for name, value in more.items():
        setattr(made, name, value)
    return made


async def keep(web: Api, *records: CallRecord) -> None:
    for one in records:
        web.spool.append("call", one.as_record())
    assert await web.spool.drain(10.0)


async def test_a_record_has_the_call_and_its_parts(web: Api) -> None:
    """R1-07: the record keeps both the billing number and the effective caller."""
    await keep(web, record(1))
    shown = (await web.ask("GET", "/v1/cdrs/0190-001", key="operator")).json()
    assert (shown["billing_number"], shown["effective_caller"]) == ("02155550000", "13800130001")
    assert (shown["duration"], shown["detail"]) == (10.0, {"pull": "ok"})
    assert [(part["role"], part["mos"]) for part in shown["parts"]] == [("caller", None), ("agent", 4.4)]


async def test_records_are_filtered_and_paged_newest_first(web: Api) -> None:
    await keep(web, *(record(at, cause="busy" if at % 2 else "normal") for at in range(10)))
    seen, cursor = [], None
    async with web.client("operator") as client:
        while True:
            query = {"limit": "2", "cause": "busy", "since": str(START + 2)} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/v1/cdrs", params=query)).json()
            seen += [one["id"] for one in page["cdrs"]]
            if not (cursor := page["next"]):
                break
        by_caller = (await client.get("/v1/cdrs", params={"caller": "13800130004"})).json()
    assert seen == ["0190-009", "0190-007", "0190-005", "0190-003"]
    assert [one["id"] for one in by_caller["cdrs"]] == ["0190-004"]


async def test_a_cursor_that_is_not_ours_and_a_limit_too_large_are_mistakes(web: Api) -> None:
    wrong = await web.ask("GET", "/v1/cdrs", params={"cursor": "1 OR 1=1"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "cursor")
    many = await web.ask("GET", "/v1/cdrs", params={"limit": "100000", "since": "yesterday"})
    assert {mistake["field"] for mistake in many.json()["errors"]} == {"limit", "since"}


async def test_a_tenant_sees_its_own_records_only(web: Api) -> None:
    await keep(web, record(1), record(2, "beta"), record(3, None))
    assert [one["id"] for one in (await web.ask("GET", "/v1/cdrs", key="acme")).json()["cdrs"]] == ["0190-001"]
    assert "0190-002" not in (await web.ask("GET", "/v1/cdrs.csv", key="acme")).text
    for foreign in ("0190-002", "0190-003", "0190-999"):
        answer = await web.ask("GET", f"/v1/cdrs/{foreign}", key="acme")
        assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no call {foreign}")
    assert (await web.ask("GET", "/v1/cdrs", key="acme", params={"tenant": "beta"})).status_code == 403
    assert len((await web.ask("GET", "/v1/cdrs", key="operator")).json()["cdrs"]) == 3


async def test_all_records_of_a_filter_come_as_csv(web: Api) -> None:
    await keep(web, *(record(at) for at in range(450)), record(999, "beta"))
    answer = await web.ask("GET", "/v1/cdrs.csv", key="operator", params={"tenant": "acme"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 450
    assert list(rows[0]) == CSV_COLUMNS
    assert (rows[0]["id"], rows[0]["started_at"]) == ("0190-449", "2025-01-01T00:07:29.000+00:00")
    assert (rows[0]["answered_at"], rows[0]["sip_code"]) == ("", "200")


async def test_a_number_that_is_a_formula_is_text_in_the_csv(web: Api) -> None:
    """Numbers come from strangers: a spreadsheet must not run them, and a plain +number stays what it is."""
    await keep(web, record(1, billing_number='=cmd|"/c calc"!A1', effective_caller="+8613800138000", called="@SUM(A1)"))
    answer = await web.ask("GET", "/v1/cdrs.csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["billing_number"], row["called"]) == ('\'=cmd|"/c calc"!A1', "'@SUM(A1)")
    assert row["effective_caller"] == "+8613800138000"
