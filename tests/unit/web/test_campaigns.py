"""Campaigns over HTTP: written, checked, ordered; tenants see their own; batches, contacts, commands and lists."""

import asyncio
import csv
import io
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from b2bua.settings.sources import Source
from b2bua.storage.dial_store import DialStore
from dialer.command import Command, Record
from dialer.counts import Counts
from dialer.outcome import Outcome
from tests.peers.waiting import eventually
from tests.unit.web.server import Api, api

CAMPAIGN: dict[str, Any] = {
    "id": "spring",
    "tenant": "acme",
    "mode": "broadcast",
    "prompt": "offer",
    "trunks": ["out"],
    "caller_id": "+12125550100",
    "profile": "us",
    "region": "US",
    "seller": "Acme",
    "callback_number": "+12125550100",
    "dispositions": [{"code": "sale", "success": True}, {"code": "later", "then": "call-back", "after": 600}],
}
TEXT = {"Content-Type": "text/csv"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Api]:
    """An API with an outbound trunk, a source, and the campaign of an outline."""
    leads = sqlite3.connect(tmp_path / "leads.db")
    leads.execute("CREATE TABLE leads (phone TEXT, name TEXT, grp TEXT)")
    leads.executemany("INSERT INTO leads VALUES (?, ?, 'b7')", [("212 555 0123", "one"), ("911", "two")])
    leads.commit()
    leads.close()
    query = "SELECT phone AS number, name FROM leads WHERE grp = :batch ORDER BY phone"
    source = Source.model_validate({"url": f"sqlite:///{tmp_path}/leads.db", "query": query, "tenants": ["acme"]})
    async with api(tmp_path, outbound="out", sources={"crm": source}) as running:
        yield running


async def ready(web: Api, path: str, state: str = "ready", key: str = "admin") -> dict[str, Any]:
    """The batch once its import is over."""
    for _ in range(1000):
        found: dict[str, Any] = (await web.ask("GET", path, key=key)).json()
        if found["state"] != "loading":
            assert found["state"] == state, found
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"{path} is still loading")


async def test_a_campaign_is_written_shown_changed_and_removed(web: Api) -> None:
    """R3-11: what is written comes back whole, with its state; every change is in the audit log."""
    made = await web.ask("POST", "/v1/campaigns", json=CAMPAIGN)
    assert (made.status_code, made.headers["Location"]) == (201, "/v1/campaigns/spring")
    assert made.json() | CAMPAIGN == made.json() | {"dispositions": CAMPAIGN["dispositions"]}
    assert made.json()["state"] == "draft"
    assert (await web.ask("POST", "/v1/campaigns", json=CAMPAIGN)).status_code == 409
    changed = await web.ask("PATCH", "/v1/campaigns/spring", json={"name": "Spring", "pacing": {"lines": 7}})
    assert (changed.json()["name"], changed.json()["pacing"]["lines"], changed.json()["attempts"]) == ("Spring", 7, 5)
    assert (await web.ask("PATCH", "/v1/campaigns/spring", json={"state": "running"})).status_code == 422
    put = await web.ask("PUT", "/v1/campaigns/spring", json=CAMPAIGN)
    assert put.json()["name"] == ""
    moved = await web.ask("PUT", "/v1/campaigns/spring", json=CAMPAIGN | {"tenant": "beta"})
    assert "cannot be given to another" in moved.json()["detail"]
    assert (await web.ask("DELETE", "/v1/campaigns/spring")).status_code == 204
    assert (await web.ask("GET", "/v1/campaigns/spring")).status_code == 404
    audit = (await web.ask("GET", "/v1/audit?kind=campaign")).json()["entries"]
    assert [one["action"] for one in audit] == ["delete", "replace", "replace", "create"]


async def test_all_mistakes_come_at_once(web: Api) -> None:
    """R3-11: what cannot be read is 422 with every field, what cannot be right is 409 with every field."""
    unread = await web.ask("POST", "/v1/campaigns", json={"id": "x", "attempts": "many", "colour": 1})
    assert unread.status_code == 422
    assert {one["field"] for one in unread.json()["errors"]} == {"tenant", "attempts", "colour"}
    wrong = CAMPAIGN | {
        "tenant": "nobody",
        "trunks": ["out", "carrier", "none"],
        "caller_id": "0800",
        "profile": "mars",
        "queue": "sales",
        "ring_for": 1,
        "pacing": {"lines": 0},
        "retries": {"answered": {"after": 5}},
    }
    refused = await web.ask("POST", "/v1/campaigns", json=wrong)
    assert refused.status_code == 409
    assert refused.headers["Content-Type"] == "application/problem+json"
    fields = [one["field"] for one in refused.json()["errors"]]
    assert fields == [
        "tenant", "trunks.1", "trunks.2", "caller_id", "profile", "queue", "ring_for", "pacing.lines",
        "retries.answered",
    ]  # fmt: skip


async def test_a_campaign_that_is_not_ready_does_not_start(web: Api) -> None:
    """R3-12: an outline can be kept, but its start is refused with everything that is missing."""
    await web.ask("POST", "/v1/campaigns", json={"id": "empty", "tenant": "acme"})
    mistakes = (await web.ask("GET", "/v1/campaigns/empty/mistakes")).json()["errors"]
    assert [one["field"] for one in mistakes] == ["trunks", "caller_id", "profile", "queue"]
    refused = await web.ask("POST", "/v1/campaigns/empty/start")
    assert (refused.status_code, refused.json()["errors"]) == (409, mistakes)
    assert (await web.ask("GET", "/v1/campaigns/empty")).json()["state"] == "draft"


async def test_orders_move_it_and_tenants_have_their_own(web: Api) -> None:
    """R3-07: status and commands over HTTP; another tenant's campaign is not there."""
    await web.ask("POST", "/v1/campaigns", json=CAMPAIGN)
    for order, state in (("start", "running"), ("pause", "paused"), ("resume", "running"), ("drain", "draining")):
        answer = await web.ask("POST", f"/v1/campaigns/spring/{order}", key="acme", json={"reason": "lunch"})
        assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (200, state, "lunch")
    assert answer.json()["node"] == "one"
    assert (await web.ask("POST", "/v1/campaigns/spring/pause")).status_code == 409
    assert (await web.ask("POST", "/v1/campaigns/spring/stop")).json()["node"] == ""
    assert (await web.ask("GET", "/v1/campaigns/spring", key="beta")).status_code == 404
    assert (await web.ask("POST", "/v1/campaigns/spring/start", key="beta")).status_code == 404
    assert (await web.ask("GET", "/v1/campaigns", key="beta")).json() == {"campaigns": []}
    assert (await web.ask("POST", "/v1/campaigns", key="acme", json=CAMPAIGN)).status_code == 403
    assert len((await web.ask("GET", "/v1/campaigns", key="acme")).json()["campaigns"]) == 1


async def test_a_file_becomes_a_batch_with_every_bad_row_named(web: Api) -> None:
    """R3-02: counts are right, duplicates, bad numbers and do-not-call hits come by row, also as CSV."""
    await web.ask("POST", "/v1/campaigns", json=CAMPAIGN)
    listed = {"numbers": ["212 555 0105"], "region": "US"}
    await web.ask("POST", "/v1/do-not-call/own/numbers?tenant=acme", json=listed)
    rows = ["number,number_2,name,priority", "2125550101,,A,9", "2125550102,2125550103,B,", "2125550101,,C,"]
    rows += ["911,,D,", "2125550105,,E,", "2125550106,,F,12", "2125550107,G", "2125550108,2125550102,=H(),"]
    path = "/v1/campaigns/spring/batches/b1"
    begun = await web.ask("PUT", path, key="acme", content="\n".join(rows), headers=TEXT)
    assert (begun.status_code, begun.json()["state"]) == (202, "loading")
    batch = await ready(web, path)
    counts = {name: batch[name] for name in ("rows", "contacts", "numbers", "duplicates", "invalid", "listed")}
    assert counts == {"rows": 8, "contacts": 3, "numbers": 4, "duplicates": 2, "invalid": 3, "listed": 1}
    problems = (await web.ask("GET", f"{path}/problems?limit=4")).json()
    more = (await web.ask("GET", f"{path}/problems?limit=4&after={problems['next']}")).json()
    told = [(one["row"], one["kind"]) for one in problems["problems"] + more["problems"]]
    assert told == [(3, "duplicate"), (4, "number"), (5, "listed"), (6, "row"), (7, "row"), (8, "duplicate")]
    assert problems["problems"][0]["message"] == "+12125550101 is in row 1 already"
    exported = list(csv.reader(io.StringIO((await web.ask("GET", f"{path}/problems.csv")).text)))
    assert [row[:2] for row in exported[1:]] == [[str(row), kind] for row, kind in told]
    contacts = (await web.ask("GET", "/v1/campaigns/spring/contacts", key="acme")).json()["contacts"]
    assert [(one["row"], one["priority"], len(one["numbers"])) for one in contacts] == [(1, 9, 1), (2, 5, 2), (8, 5, 1)]
    assert contacts[0]["fields"] == {"name": "A"}
    text = (await web.ask("GET", "/v1/campaigns/spring/contacts.csv")).text
    rows_out = list(csv.DictReader(io.StringIO(text)))
    assert (rows_out[0]["number"], rows_out[0]["state"]) == ("+12125550101", "open")
    again = await web.ask("PUT", path, content="number\n2125550199\n", headers=TEXT)
    assert (again.status_code, again.json()["type"]) == (409, "urn:tandem:problem:conflict")
    assert (await web.ask("PUT", path, content="x", headers={"Content-Type": "text/html"})).status_code == 415
    assert (await web.ask("DELETE", path)).json()["state"] == "withdrawn"
    states = {one["state"] for one in (await web.ask("GET", "/v1/campaigns/spring/contacts")).json()["contacts"]}
    assert states == {"closed"}
    json_lines = '{"numbers": [{"number": "2125550101", "kind": "mobile"}], "fields": {"vip": true}}\n[]\n'
    await web.ask("PUT", path, content=json_lines, headers={"Content-Type": "application/x-ndjson"})
    assert (await ready(web, path))["contacts"] == 1


async def test_a_batch_comes_from_the_operators_database(web: Api, tmp_path: Path) -> None:
    """R3-01: all rows of the batch id come; an unknown id is an error that names it; so is a broken source."""
    await web.ask("POST", "/v1/campaigns", json=CAMPAIGN)
    path = "/v1/campaigns/spring/batches"
    assert (await web.ask("POST", f"{path}/b7/fetch", key="acme", json={"source": "crm"})).status_code == 202
    batch = await ready(web, f"{path}/b7")
    assert (batch["rows"], batch["contacts"], batch["invalid"], batch["source"]) == (2, 1, 1, "sql crm")
    await web.ask("POST", f"{path}/b8/fetch", json={"source": "crm"})
    assert (await ready(web, f"{path}/b8", "failed"))["error"] == "source crm knows no batch b8: its query gave no row"
    (tmp_path / "leads.db").unlink()
    await web.ask("POST", f"{path}/b9/fetch", json={"source": "crm"})
    error = (await ready(web, f"{path}/b9", "failed"))["error"]
    assert error.startswith("source crm cannot be read")
    assert (await web.ask("POST", f"{path}/b9/fetch", json={"source": "none"})).status_code == 422
    await web.ask("POST", "/v1/campaigns", json=CAMPAIGN | {"id": "other", "tenant": "beta"})
    assert (await web.ask("POST", "/v1/campaigns/other/batches/b7/fetch", json={"source": "crm"})).status_code == 422


async def test_contacts_come_one_by_one_and_are_changed(web: Api) -> None:
    """R3-02: a few at once over the API, each bad one named; priority, time and state are changed by hand."""
    await web.ask("POST", "/v1/campaigns", json=CAMPAIGN)
    body = {"contacts": [{"number": "2125550101", "name": "A"}, {"number": "12"}, {"number": "2125550101"}]}
    added = await web.ask("POST", "/v1/campaigns/spring/contacts", key="acme", json=body)
    assert added.status_code == 201
    assert [(one["row"], one["kind"]) for one in added.json()["problems"]] == [(2, "number"), (3, "duplicate")]
    (contact,) = (await web.ask("GET", "/v1/campaigns/spring/contacts?number=%2B12125550101")).json()["contacts"]
    path = f"/v1/campaigns/spring/contacts/{contact['id']}"
    changed = await web.ask("PATCH", path, json={"priority": 9, "next_at": 5000.0, "agent": "8001"})
    assert [changed.json()[name] for name in ("priority", "next_at", "agent")] == [9, 5000.0, "8001"]
    held = await web.ask("PATCH", path, json={"state": "held", "agent": None})
    assert [held.json()[name] for name in ("state", "reason", "agent")] == ["held", "by hand", ""]
    assert (await web.ask("PATCH", path, json={"priority": 11})).status_code == 422
    assert (await web.ask("GET", path, key="beta")).status_code == 404
    assert (await web.ask("GET", "/v1/campaigns/spring/contacts/none")).status_code == 404


async def test_commands_are_shown_and_disposed_of(web: Api) -> None:
    """R3-04, R3-09: a command is found by its id with its one record; the agent's word is added to it."""
    await web.ask("POST", "/v1/campaigns", json=CAMPAIGN)
    await web.ask("POST", "/v1/campaigns/spring/contacts", json={"contacts": [{"number": "2125550101"}]})
    await web.ask("POST", "/v1/campaigns/spring/start")
    store, now = DialStore(web.node.storage), 1_800_000_000.0
    (one,) = await store.take("spring", 1, now, node="one")
    await store.write_command(Command("c-1", "spring", "acme", one.id, one.number.number, 1, "one", now, "out"))
    path = "/v1/campaigns/spring/commands/c-1"
    assert (await web.ask("GET", path)).json()["outcome"] is None
    assert (await web.ask("POST", f"{path}/disposition", json={"code": "sale"})).status_code == 409
    assert (await web.ask("PATCH", f"/v1/campaigns/spring/contacts/{one.id}", json={"priority": 1})).status_code == 409
    record = Record("c-1", Outcome.ANSWERED, now, answered_at=now - 60, live=True, agent="8001", call="call-1")
    await store.book(record, now)
    shown = (await web.ask("GET", path, key="acme")).json()
    assert [shown[name] for name in ("outcome", "agent", "call", "trunk")] == ["answered", "8001", "call-1", "out"]
    assert (await web.ask("POST", f"{path}/disposition", json={"code": "none"})).status_code == 422
    step = await web.ask("POST", f"{path}/disposition", json={"code": "later", "call_back_at": now + 5e8})
    assert step.json() == {"at": now + 5e8, "reason": "call-back", "agent": "8001"}
    commands = (await web.ask("GET", "/v1/campaigns/spring/commands?outcome=answered")).json()["commands"]
    assert [command["disposition"] for command in commands] == ["later"]
    exported = list(csv.DictReader(io.StringIO((await web.ask("GET", "/v1/campaigns/spring/commands.csv")).text)))
    assert (exported[0]["id"], exported[0]["ended_at"]) == ("c-1", "2027-01-15T08:00:00.000+00:00")
    hours = (await web.ask("GET", "/v1/campaigns/spring/counters")).json()["hours"]
    assert (hours[0]["live"], hours[0]["attempts"]) == (1, 1)
    snapshot = await web.ask("POST", "/v1/campaigns/spring/snapshots", key="acme")
    assert snapshot.json()["body"]["dispositions"] == {"later": 1}
    kept = (await web.ask("GET", "/v1/campaigns/spring/snapshots")).json()["snapshots"]
    assert kept == [snapshot.json()]


async def test_do_not_call_lists_are_kept_and_imported(web: Api) -> None:
    """Own lists by tenant, at once; imported ones whole, with the day they are of; bad numbers all at once."""
    path = "/v1/do-not-call"
    bad = await web.ask("POST", f"{path}/own/numbers", key="acme", json={"numbers": ["12", "+12125550101", "x"]})
    assert [one["field"] for one in bad.json()["errors"]] == ["numbers.0", "numbers.2"]
    good = {"numbers": ["+12125550101", "+1 212 555 0102"], "reason": "letter"}
    assert (await web.ask("POST", f"{path}/own/numbers", key="acme", json=good)).json() == {"changed": 2}
    assert (await web.ask("POST", f"{path}/own/numbers", key="acme", json=good)).json() == {"changed": 0}
    entries = (await web.ask("GET", f"{path}/own", key="acme")).json()["entries"]
    assert [(one["number"], one["reason"]) for one in entries] == [
        ("+12125550101", "letter"),
        ("+12125550102", "letter"),
    ]
    assert (await web.ask("GET", f"{path}/own", key="beta")).json()["entries"] == []
    gone = {"numbers": ["+12125550102"]}
    assert (await web.ask("POST", f"{path}/own/numbers/remove", key="acme", json=gone)).json() == {"changed": 1}
    assert (await web.ask("POST", f"{path}/own/numbers", json=gone)).status_code == 422, "whose?"
    for content, numbers, force in (("2125550111\n2125550112\n12\n", 2, "&force=true"), ("2125550112\n", 1, "")):
        asked = f"{path}/national?tenant=&region=US&as_of=5{force}"
        begun = await web.ask("PUT", asked, content=f"number\n{content}", headers=TEXT)
        assert begun.status_code == 202, begun.text
        await ready(web, f"{path}/national/import?tenant=")
        (listed,) = (await web.ask("GET", path, key="acme")).json()["lists"]
        assert (listed["list"], listed["tenant"], listed["as_of"], listed["numbers"]) == ("national", "", 5.0, numbers)
    assert [one["number"] for one in (await web.ask("GET", f"{path}/national?tenant=")).json()["entries"]] == [
        "+12125550112"
    ]
    await web.ask("PUT", f"{path}/national?tenant=", content="number\nx\n", headers=TEXT)
    assert "the list stays" in (await ready(web, f"{path}/national/import?tenant=", "failed"))["error"]
    # a fifth may be bad; with more it is the wrong region, and who would be taken off would be called
    whole = "number\n" + "".join(f"{2125550100 + n}\n" for n in range(10))
    asked = f"{path}/national?tenant=&as_of=6"
    await web.ask("PUT", f"{asked}&region=US", content=whole + "12\n13\n", headers=TEXT)
    await ready(web, f"{path}/national/import?tenant=")
    await web.ask("PUT", asked, content=f"{whole}+12125550133\n", headers=TEXT)
    failed = (await ready(web, f"{path}/national/import?tenant=", "failed"))["error"]
    assert failed.startswith("10 of 11 rows have no number that can be read: no number is taken off the list.")
    assert len((await web.ask("GET", f"{path}/national?tenant=")).json()["entries"]) == 11


def test_a_source_shows_no_password() -> None:
    """Secrets of a source are in no text of it."""
    source = Source.model_validate({"url": "postgresql://u:hidden@h/d", "query": "SELECT :batch AS number"})
    assert "hidden" not in repr(source)


async def test_the_evidence_has_every_day_with_its_figures(web: Api) -> None:
    """R3-15 and the law: 1 of 40 answered by people was abandoned, of the day and of the 30 days up to it."""
    await web.ask("POST", "/v1/campaigns", json=CAMPAIGN | {"mode": "progressive", "queue": "", "prompt": ""})
    now, store = time.time(), DialStore(web.node.storage)
    await store.count("spring", now - 3 * 86400, Counts(attempts=60, live=20, connected=20))
    await store.count("spring", now, Counts(attempts=50, live=20, abandoned=1, connected=19))
    answer = await web.ask("GET", "/v1/campaigns/spring/evidence", key="acme")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["answered_live"], row["abandoned"], row["share"]) for row in rows] == [
        ("20", "0", "0.000000"),
        ("20", "1", "0.050000"),
    ]
    assert (rows[1]["share_30_days"], rows[1]["within"], rows[1]["cap"]) == ("0.025000", "yes", "0.030000")
    day = rows[1]["day"]
    page = await web.ask("GET", f"/v1/campaigns/spring/evidence?format=html&first={day}")
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.text.count("<tr") == 2
    assert "script" not in page.text.replace("scripts", "")
    assert (await web.ask("GET", "/v1/campaigns/spring/evidence", key="beta")).status_code == 404
    assert (await web.ask("GET", "/v1/campaigns/spring/evidence?first=soon")).status_code == 422


async def test_the_evidence_of_a_deleted_campaign_is_shown_to_its_tenant(web: Api) -> None:
    """R3-13: counters and snapshots outlive their campaign; its tenant and administrators see them, nobody else."""
    whole = CAMPAIGN | {"mode": "progressive", "queue": "", "prompt": ""}
    await web.ask("POST", "/v1/campaigns", json=whole)
    await DialStore(web.node.storage).count("spring", time.time(), Counts(attempts=50, live=20, abandoned=1))
    assert (await web.ask("DELETE", "/v1/campaigns/spring")).status_code == 204
    path = "/v1/campaigns/spring"
    assert (await web.ask("GET", path, key="acme")).status_code == 404
    for key in ("acme", "admin"):
        (row,) = csv.DictReader(io.StringIO((await web.ask("GET", f"{path}/evidence", key=key)).text))
        assert (row["law"], row["abandoned"], row["share"]) == ("us", "1", "0.050000")
        (hour,) = (await web.ask("GET", f"{path}/counters", key=key)).json()["hours"]
        assert hour["abandoned"] == 1
        (kept,) = (await web.ask("GET", f"{path}/snapshots", key=key)).json()["snapshots"]
        assert kept["body"]["law"][0]["abandoned"] == 1
    for end in ("evidence", "counters", "snapshots"):
        assert (await web.ask("GET", f"{path}/{end}", key="beta")).status_code == 404
        assert (await web.ask("GET", f"/v1/campaigns/never/{end}")).status_code == 404
    stolen = await web.ask("POST", "/v1/campaigns", json=whole | {"tenant": "beta"})
    assert (stolen.status_code, "another tenant" in stolen.json()["detail"]) == (409, True), stolen.text
    assert (await web.ask("POST", "/v1/campaigns", json=whole)).status_code == 201
    (again,) = (await web.ask("GET", f"{path}/snapshots", key="acme")).json()["snapshots"]
    assert again == kept


async def test_a_key_uploads_so_many_files_at_once(web: Api, tmp_path: Path) -> None:
    """Each may be a quarter of a gigabyte: one tenant's key must not fill the disk for all."""
    assert (await web.ask("PUT", "/v1/campaigns/spring", json=CAMPAIGN)).status_code == 200
    more = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"number\n"
        await more.wait()
        yield b"2125550123\n"

    async def upload(batch: str, content: Any = b"number\n2125550124\n") -> int:
        path = f"/v1/campaigns/spring/batches/{batch}"
        return (await web.ask("PUT", path, key="acme", content=content, headers=TEXT)).status_code

    slow = [asyncio.create_task(upload(f"s{n}", slowly())) for n in range(4)]
    await eventually(lambda: len(list((tmp_path / "imports").glob("*.csv"))) == 4, "four uploads under way")
    assert await upload("fifth") == 429
    more.set()
    assert await asyncio.gather(*slow) == [202] * 4
    assert await upload("fifth") == 202
