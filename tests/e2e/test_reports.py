"""Statistics, the filter list, listeners over HTTP and text messages, with real calls and real HTTP servers."""

import csv
import io
import time
from collections.abc import Iterator
from typing import Any

import pytest

from b2bua.reports.signature import HEADER, verify
from tests.e2e.conftest import StartServer
from tests.e2e.queues import QUEUE, callers, come, log_in, open_number, open_queue, staff, state, waiting
from tests.peers.api import ACCESS_NUMBER
from tests.peers.receiver import Receiver, receiver
from tests.peers.server import Server
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

SECRET = "a secret of ours"
RESULTS = ("answered", "abandoned", "short_abandoned", "overflowed", "timed_out", "callbacks", "moved")


@pytest.fixture
def crm() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def reporting() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def provider() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


async def put(server: Server, kind: str, key: str, **body: Any) -> None:
    await server.api.request("PUT", f"/v1/{kind}/{key}", {"id": key, **body})


async def counts(server: Server, by: str = "queue") -> dict[str, Any]:
    """The one row of a report, once everything is counted."""

    async def counted() -> bool:
        at = await server.api.get("/v1/reports")
        return at["counted"] == at["last"] and not at["rebuilding"]

    await eventually_true(counted, "all events are counted")
    rows = (await server.api.get(f"/v1/reports/{by}", span="whole", since=time.time() - 3600))["rows"]
    return dict(rows[0]) if rows else {}


async def test_calls_become_figures_messages_and_records_for_the_reporting_server(
    start_server: StartServer, phone: Phone, crm: Receiver, reporting: Receiver, provider: Receiver
) -> None:
    """R2-06, R2-08, R0-14: two callers, one served, one of the drop list; every way to the figures says the same, and
    a crash, in which a third caller is lost, and a rebuild change none of them."""
    server = await start_server(
        {"sms": {"url": f"{provider.url}/send?to={{to}}", "body": "{text}", "content_type": "text/plain"}}
    )
    await open_queue(server, service_level=30.0, short_abandon=0.0, wrap_up=0.0)
    await open_number(server)
    await put(server, "filters", "tests", action="drop", caller="1390*")
    await put(server, "webhooks", "crm", url=crm.url, secret=SECRET)
    await put(server, "webhooks", "reporting", url=f"{reporting.url}/calls", sends="calls")
    text = "{queue}: {waiting} waiting"
    await put(server, "sms-rules", "rush", to=["+4917012345"], text=text, queue=QUEUE, measure="waiting", over=1)
    await staff(server, phone, "1001", at_work=False)
    assert (await server.api.get("/v1/webhooks/crm"))["secret"] == "***"
    await eventually_true(lambda: known(server), "the listeners are known")
    listener = await server.listen()

    async with callers("13800000001", "13900000002") as (first, second):
        await come(server, first, "13800000001")
        await come(server, second, "13900000002")
        await waiting(server, 2)
        [sms] = await provider.expect(1)
        assert (sms.path, sms.body) == ("/send?to=%2B4917012345", f"{QUEUE}: 2 waiting".encode())
        await (await second.bye()).expect(200)
        await waiting(server, 1)
        await log_in(server, "1001")
        await phone.answers()
        await state(server, "1001", "talking")
        await (await first.bye()).expect(200)
        await phone.expect("BYE")
    for _ in range(2):
        await listener.expect("call.ended")
    dropped = await listener.expect("call.filtered", keep=False)
    assert dropped["data"]["rule"] == "tests"
    assert listener.of_call(dropped["call"])[-2:] == ["call.filtered", "call.ended"]

    row = await counts(server)
    told = {name: row["counts"][name] for name in ("offered", "answered", "in_time", "abandoned", "handled")}
    assert told == {"offered": 2, "answered": 1, "in_time": 1, "abandoned": 1, "handled": 1}
    assert (row["ratios"]["service_level"], row["ratios"]["service_level_answered"]) == (0.5, 1.0)
    agent = await counts(server, "agent")
    assert (agent["key"], agent["counts"]["answered"]) == ("1001", 1)
    assert agent["counts"]["talking"] > 0

    [report] = await reporting.expect(1)
    data = report.json["data"]
    assert (data["caller"], data["queue"], data["result"], data["extension"], data["called"]) == (
        "13800000001", QUEUE, "answered", "1001", ACCESS_NUMBER,
    )  # fmt: skip
    await eventually(lambda: len(crm.taken) >= len(listener.events), "the listener over HTTP has everything")
    lines = {got.json["number"]: got for got in crm.taken}
    for event in listener.events:
        got = lines[event["number"]]
        assert got.json == event
        assert verify(SECRET, got.body, got.headers[HEADER.lower()], time.time())

    await says_the_same_everywhere(server, row)
    async with callers("13900000003") as (third,):
        await server.api.post("/v1/agents/1001/pause", {"reason": "lunch"})
        await come(server, third, "13900000003")
        await waiting(server, 1)
        died = time.time()
        server.kill9()
        third.call.end()
    await server.restart()
    again = await server.listen(after=listener.events[-1]["number"])
    lost = (await again.expect("call.filtered"))["call"]
    ended = await again.expect("call.ended", call=lost)
    assert again.of_call(lost)[-2:] == ["call.filtered", "call.ended"]
    assert (ended["data"]["cause"], ended["data"]["caller"]) == ("lost", "13900000003")
    crashed = await counts(server)
    assert crashed["counts"]["offered"] == sum(crashed["counts"][name] for name in RESULTS) == 3
    assert crashed["counts"]["wait"] - row["counts"]["wait"] < time.time() - died + 2
    await server.api.post("/v1/agents/1001/logout", None)  # he came back with the server, and his time went on
    agent = await counts(server, "agent")
    assert await server.api.request("POST", "/v1/reports/rebuild") == {"since": 0.0}
    assert (await counts(server))["counts"] == crashed["counts"]
    assert (await counts(server, "agent"))["counts"] == pytest.approx(agent["counts"], abs=0.01)
    # a crash may send a record again, under its own number
    assert {got.json["number"] for got in reporting.taken} == {report.json["number"]}
    assert len(provider.taken) == 1


async def says_the_same_everywhere(server: Server, row: dict[str, Any]) -> None:
    """R2-08: the JSON report, the CSV, the command and the wallboard have the figures of the queue."""
    answer = await server.api.http.get("/v1/reports/queue.csv", params={"span": "whole"})
    (line,) = csv.DictReader(io.StringIO(answer.text))
    assert line["queue"] == row["key"] == QUEUE
    assert {name: float(line[name]) for name in row["counts"]} == row["counts"]
    assert {name: line[name] for name in row["ratios"]} == {
        name: "" if value is None else str(value) for name, value in row["ratios"].items()
    }
    shown = server.tandem("report", "show", "queue", "--since", "1h", "--csv")
    assert await shown.ended(30) == 0, shown.log()
    assert list(csv.DictReader(io.StringIO(shown.log()))) == [line]
    board = await server.api.get("/v1/board")
    (wall,) = board["queues"]
    assert {name: wall[name] for name in ("offered", "answered", "abandoned")} == {
        name: row["counts"][name] for name in ("offered", "answered", "abandoned")
    }
    assert (wall["service_level"], wall["waiting"], board["waiting"]) == (row["ratios"]["service_level"], 0, 0)


async def known(server: Server) -> bool:
    """Whether the server has begun to send to both listeners."""
    page = await server.api.metrics()
    return all(f'tandem_webhook_behind{{webhook="{hook}"}}' in page for hook in ("crm", "reporting"))
