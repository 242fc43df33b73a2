"""What a request must pass: sizes, times, rates; and every refusal is a problem detail (RFC 9457)."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from b2bua.web.limits import Limits
from tests.unit.web.conftest import Lines
from tests.unit.web.server import Api, api


async def test_an_unknown_path_and_an_unknown_method_are_problems(web: Api) -> None:
    missing = await web.ask("GET", "/v1/nothing")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:tandem:problem:not-found")
    wrong = await web.ask("PUT", "/v1/tokens")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "urn:tandem:problem:method-not-allowed")
    assert wrong.headers["allow"] == "GET, POST"
    for answer in (missing, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"type", "title", "status", "detail"} <= set(answer.json())


async def test_paths_are_not_told_to_those_without_a_key(web: Api) -> None:
    assert (await web.ask("GET", "/v1/nothing", key=None)).status_code == 401


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(web: Api) -> None:
    answer = await web.ask("POST", "/v1/tokens", key="acme", content=b"x" * 65_537)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:tandem:problem:too-large")
    fits = {"tokens": [{"data": {"a": "x" * 1000}} for _ in range(100)]}
    assert (await web.ask("POST", "/v1/tokens/bulk", key="acme", json=fits)).status_code == 201


async def test_a_body_that_does_not_say_its_size_is_cut_off(web: Api) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 8192
            yield b" " * 8192

    headers = {"Content-Type": "application/json"}
    # the server may hang up while we are sending, which is as good
    with contextlib.suppress(httpx.TransportError):
        answer = await web.ask("POST", "/v1/tokens", key="acme", content=endless(), headers=headers)
        assert answer.status_code == 413
    assert sent < 100_000_000


async def test_a_body_without_a_key_is_not_even_read(web: Api) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.node.settings.api.port)
    writer.write(b"POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    assert b" 401 " in await reader.readline()
    writer.close()


async def test_a_body_that_drips_is_given_up(tmp_path: Path) -> None:
    async with api(tmp_path, limits=Limits(body_within=0.1)) as web:
        reader, writer = await asyncio.open_connection("127.0.0.1", web.node.settings.api.port)
        writer.write(
            b"POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
            b"Authorization: Bearer " + web.keys["acme"].encode() + b"\r\n\r\n{"
        )
        assert b" 408 " in await reader.readline()
        writer.close()


async def test_nested_json_is_a_problem_and_nothing_worse(web: Api) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"[" * 60_000, b'{"a":' * 10_000, b"9" * 5000, b"\xff\xfe", b'{"tenant": "\xff"}'):
        answer = await web.ask("POST", "/v1/tokens", key="acme", content=body, headers=headers)
        assert answer.status_code in (400, 422), body[:20]
        assert answer.headers["content-type"] == "application/problem+json"


async def test_only_json_is_read(web: Api) -> None:
    """What a form on a foreign page can send is never taken for a request of ours."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await web.ask("POST", "/v1/tokens", key="acme", content=b"{}", headers={"Content-Type": kind})
        assert answer.status_code == 422, kind


async def test_a_key_that_asks_too_often_gets_429_and_others_go_on(tmp_path: Path) -> None:
    async with api(tmp_path, rate=20) as web, web.client("acme") as client:
        answers = [await client.get("/v1/tokens") for _ in range(60)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].json()["type"] == "urn:tandem:problem:too-many-requests"
        assert int(refused[0].headers["retry-after"]) >= 1
        assert (await web.ask("GET", "/v1/tokens", key="beta")).status_code == 200
        assert (await client.get("/healthz")).status_code == 200


async def test_a_database_that_is_gone_is_a_503_that_says_nothing_about_it(web: Api) -> None:
    assert (await web.ask("GET", "/v1/tokens", key="acme")).status_code == 200
    await web.node.storage.close()
    async with web.client("acme") as client:
        for method, path, body in (
            ("GET", "/v1/tokens", None),
            ("POST", "/v1/tokens", {}),
            ("GET", "/v1/cdrs", None),
            ("GET", "/v1/cdrs.csv", None),
        ):
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:tandem:problem:storage-unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            assert "sqlite" not in answer.text.lower()
        assert (await client.get("/v1/calls")).json()["total"] == 1
    ready = await web.ask("GET", "/readyz", key=None)
    assert (ready.status_code, ready.json()["checks"]) == (200, {"storage": "away"})


async def test_a_locked_database_does_not_keep_an_operator_from_ending_a_call(tmp_path: Path) -> None:
    async with api(tmp_path, storage_timeout=1.0) as web:
        assert (await web.ask("GET", "/v1/calls", key="operator")).status_code == 200
        other = sqlite3.connect(tmp_path / "tandem.db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            assert (await web.ask("DELETE", "/v1/calls/0190-a", key="operator")).status_code == 202
            assert [ended for ended, _ in web.calls.ended] == ["0190-a"]
            assert (await web.ask("POST", "/v1/tokens", key="operator", json={"tenant": "acme"})).status_code == 503
        finally:
            other.close()
        issued = await web.ask("POST", "/v1/tokens", key="operator", json={"tenant": "acme"})
        assert issued.status_code == 201


async def test_a_fault_of_ours_is_counted_and_its_answer_tells_nothing(web: Api, logs: Lines) -> None:
    web.calls.calls = None  # type: ignore[assignment]
    answer = await web.ask("GET", "/v1/calls", key="operator")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:tandem:problem:fault")
    assert "NoneType" not in answer.text
    assert web.node.metrics.faults.value("web") == 1
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert (line["path"], type(line["exc_info"])) == ("/v1/calls", AttributeError)


async def test_no_secret_is_logged(web: Api, logs: Lines) -> None:
    connection = {"kind": "json", "url": "https://crm.test/", "secret": "hush-hush"}
    await web.ask("PATCH", "/v1/tenants/acme", json={"connection": connection})
    made = await web.ask("POST", "/v1/api-keys", json={"name": "k", "role": "admin"})
    await web.ask("GET", "/v1/nothing", params={"x": "y"})
    text = repr(logs)
    assert "request" in text
    assert not any(secret in text for secret in ("hush-hush", made.json()["secret"], *web.keys.values()))


async def test_requests_are_counted_by_route_and_never_by_what_was_asked(web: Api) -> None:
    for method in ("GET", "BREW"):
        await web.ask(method, "/v1/tokens/424242", key="acme")
    text = (await web.ask("GET", "/metrics", key="metrics")).text
    assert 'tandem_api_requests_total{method="GET",route="/v1/tokens/{sequence}",status="404"} 1.0' in text
    assert 'method="other"' in text
    assert "424242" not in text


async def test_thousands_of_unknown_members_are_one_mistake(web: Api) -> None:
    """Each was an error of its own, and one body of them held up all calls for a tenth of a second, or for two."""
    many = {f"m{n}": 0 for n in range(5000)}
    answer = await web.ask("POST", "/v1/tokens", key="acme", json=many)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 1)
    answer = await web.ask("POST", "/v1/tokens/bulk", key="acme", json={"tokens": [many, many]})
    assert [one["field"] for one in answer.json()["errors"]] == ["tokens.0", "tokens.1"]
    few = await web.ask("POST", "/v1/tokens", key="acme", json={"caler": "1", "dat": {}})
    assert [one["field"] for one in few.json()["errors"]] == ["caler", "dat"]


async def test_a_bulk_request_of_hundreds_of_thousands_of_values_is_refused_unread(web: Api) -> None:
    body = b'{"tokens":[' + b"{}," * 100_000 + b"{}]}"
    answer = await web.ask("POST", "/v1/tokens/bulk", key="acme", content=body)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:tandem:problem:too-large")
