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
    """R2-06, R2-08, R0-14: two callers, one served, one of the drop list; figures survive a crash and a rebuild."""
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

    table = (await server.api.http.get("/v1/reports/queue.csv", params={"span": "whole"})).text
    (line,) = csv.DictReader(io.StringIO(table))
    assert (line["queue"], line["offered"], line["abandoned"]) == (QUEUE, "2", "1")

    server.kill9()
    await server.restart()
    assert (await counts(server))["counts"] == row["counts"]
    assert await server.api.request("POST", "/v1/reports/rebuild") == {"since": 0.0}
    assert (await counts(server))["counts"] == row["counts"]
    # a crash may send a record again, under its own number
    assert {got.json["number"] for got in reporting.taken} == {report.json["number"]}
    assert len(provider.taken) == 1


async def known(server: Server) -> bool:
    """Whether the server has begun to send to both listeners."""
    page = await server.api.metrics()
    return all(f'tandem_webhook_behind{{webhook="{hook}"}}' in page for hook in ("crm", "reporting"))
