"""One typed client for all services of a tenant: the question in the row's words, both transports, every bad habit."""

import json
import xmlrpc.client
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from b2bua.outside.asking import Asker, PullFailed, Reason
from b2bua.outside.services import Services, request_of
from routing.analysis import read_members
from routing.services import Numbers, Service
from tests.unit.outside.systems import System, system

VALUES = Numbers("call-1", "acme", "02188", "4008", "138 0/1", "0042").values(
    "m-7", "clerk-12", ("clerk-12", "clerk-13")
)


def service(url: str, **more: Any) -> Service:
    return Service("crm", "acme", "member", url, **more)


@pytest.fixture
def crm() -> Iterator[System]:
    with system() as running:
        yield running


async def ask(where: Service, within: float = 5.0) -> Mapping[str, Any]:
    async with Asker() as asker:
        return await Services(asker).ask(where, VALUES, dict, within)


def test_a_url_with_places_is_a_get_and_its_values_are_escaped() -> None:
    request = request_of(service("http://crm/m/{caller}?to={called}"), VALUES)
    assert (request.method, request.url, request.body) == ("GET", "http://crm/m/138%200%2F1?to=4008", None)


def test_a_post_has_the_rows_own_fields_or_all_names() -> None:
    own = request_of(service("http://crm/m", fields={"tel": "+86{caller}", "who": "{person}"}), VALUES)
    assert json.loads(own.body or b"") == {"tel": "+86138 0/1", "who": "clerk-12"}
    assert json.loads(request_of(service("http://crm/m"), VALUES).body or b"") == VALUES
    both = request_of(service("http://crm/{member}", method="POST"), VALUES)
    assert (both.method, both.url) == ("POST", "http://crm/m-7")


def test_xmlrpc_calls_the_method_of_the_fragment_with_one_struct() -> None:
    request = request_of(service("http://crm/rpc#crm.find", kind="xmlrpc", fields={"tel": "{caller}"}), VALUES)
    assert xmlrpc.client.loads(request.body or b"") == (({"tel": "138 0/1"},), "crm.find")
    assert request.url == "http://crm/rpc"
    unnamed = request_of(service("http://crm/rpc", kind="xmlrpc"), VALUES)
    assert xmlrpc.client.loads(unnamed.body or b"")[1] == "tandem.member"


@pytest.mark.parametrize(
    ("more", "header"),
    [
        ({"secret": "hush"}, ("Authorization", "Bearer hush")),
        ({"secret": "a:b"}, ("Authorization", "Basic YTpi")),
        ({"secret": "hush", "secret_header": "X-Key"}, ("X-Key", "hush")),
    ],
)
def test_the_secret_goes_out_as_a_header_and_into_no_repr(more: dict[str, Any], header: tuple[str, str]) -> None:
    request = request_of(service("http://crm/", **more), VALUES)
    assert header in request.headers
    assert "hush" not in f"{request!r} {service('http://crm/', **more)!r}"


async def test_both_transports_bring_the_same_answer(crm: System) -> None:
    """R0-06..R0-08: HTTP/JSON or XML-RPC."""
    plain = await ask(service(crm.url + "/row"))
    rpc = await ask(service(crm.url + "/rpc", kind="xmlrpc"))
    assert {**plain, "data": 0} == {**rpc, "data": 0}
    assert await ask(service(crm.url + "/row", answer="data")) == {"order": 7}
    assert await ask(service(crm.url + "/row", answer="nothing")) == {}


@pytest.mark.parametrize(
    ("habit", "reason"),
    [
        ("error", Reason.STATUS),
        ("unknown", Reason.STATUS),
        ("garbage", Reason.GARBAGE),
        ("huge", Reason.TOO_LARGE),
        ("endless", Reason.TOO_LARGE),
        ("slow", Reason.TIMEOUT),
        ("drip", Reason.TIMEOUT),
        ("drip-headers", Reason.TIMEOUT),
        ("hang-up", Reason.GARBAGE),
    ],
)
async def test_a_broken_service_is_told_by_one_word(crm: System, habit: str, reason: Reason) -> None:
    """R0-05: with a time limit of its own."""
    limit = 150 if reason is Reason.TIMEOUT else 2000
    with pytest.raises(PullFailed) as caught:
        await ask(service(f"{crm.url}/{habit}", timeout_ms=limit))
    assert caught.value.reason is reason


async def test_an_answer_of_another_shape_is_garbage_and_counts_against_the_service(crm: System) -> None:
    seen: list[tuple[str, str]] = []
    async with Asker() as asker:
        client = Services(asker, lambda row, outcome, seconds: seen.append((row.id, outcome)))
        wrong = service(crm.url + "/row", answer="caller")
        for _ in range(asker.limits.failures + 1):
            with pytest.raises(PullFailed):
                await client.ask(wrong, VALUES, read_members, 5.0)
    assert seen == [("crm", "garbage")] * 5 + [("crm", "breaker-open")]


async def test_a_service_that_others_left_no_time_is_not_blamed(crm: System) -> None:
    """R0-05: the member service was slow, so the order service had 20 ms of its 5 s: its breaker stays closed."""
    async with Asker() as asker:
        client = Services(asker)
        orders, hung = service(crm.url + "/slow", timeout_ms=5000), service(crm.url + "/slow", timeout_ms=20)
        for _ in range(asker.limits.failures):
            with pytest.raises(PullFailed, match="timeout"):
                await client.ask(orders, VALUES, dict, 0.02)
        assert asker.breakers()["service crm"] == "closed"
        for _ in range(asker.limits.failures):
            with pytest.raises(PullFailed, match="timeout"):
                await client.ask(hung, VALUES, dict, 5.0)
        assert asker.breakers()["service crm"] == "open"


async def test_with_no_time_left_nobody_is_asked(crm: System) -> None:
    with pytest.raises(PullFailed, match="no time is left"):
        await ask(service(crm.url + "/row"), within=-0.1)
    assert not crm.seen.requests
