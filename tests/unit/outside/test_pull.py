"""The pull against real servers: good ones over both transports, and everything a tenant's system can do to us."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal

import pytest

from b2bua.outside.breaker import State
from b2bua.outside.names import Names
from b2bua.outside.pull import Limits, Puller, PullFailed, Reason
from routing.directory import Connection
from tests.peers.waiting import PATIENCE, eventually
from tests.unit.outside.certificates import server_context
from tests.unit.outside.systems import System, system


@pytest.fixture
def crm() -> Iterator[System]:
    with system() as running:
        yield running


@pytest.fixture
async def puller() -> AsyncIterator[Puller]:
    async with Puller() as running:
        yield running


def connection(
    url: str, kind: Literal["json", "xmlrpc"] = "json", timeout_ms: int = 5000, secret: str | None = None
) -> Connection:
    return Connection(kind=kind, url=url, mode="pull", timeout_ms=timeout_ms, secret=secret)


async def failure(puller: Puller, where: Connection, access_id: str = "7001", sequence: str = "000042") -> PullFailed:
    with pytest.raises(PullFailed) as caught:
        async with asyncio.timeout(PATIENCE):
            await puller.pull(where, access_id, sequence, "call-1", "4008100001", "02155550000")
    return caught.value


async def fetch(puller: Puller, where: Connection, access_id: str = "7001", sequence: str = "000042") -> object:
    return await puller.pull(where, access_id, sequence, "call-1", "4008100001", "02155550000")


async def test_json_and_xmlrpc_bring_the_row(puller: Puller, crm: System) -> None:
    """R1-06, R1-07: the tenant's own connection is asked, over either transport, with all five numbers."""
    pulled = await puller.pull(
        connection(crm.url + "/row/{access_id}/{sequence}?c={call}&to={called}&from={billing}"),
        "7001", "000042", "call-1", "4008100001", "02155550000",
    )  # fmt: skip
    assert (pulled.caller, pulled.extension, pulled.data) == ("13800138000", "8001", {"order": 7})
    assert crm.seen.paths == ["/row/7001/000042?c=call-1&to=4008100001&from=02155550000"]
    pulled = await puller.pull(
        connection(crm.url + "/rpc#crm.lookup", "xmlrpc"), "7001", "000042", "call-1", "4008100001", "02155550000"
    )
    assert pulled.data == {"method": "crm.lookup", "sequence": "000042"}


async def test_the_secret_goes_out_as_a_header_and_is_nowhere_else(puller: Puller, crm: System) -> None:
    await fetch(puller, connection(crm.url + "/row", secret="hush-hush"))
    assert crm.seen.requests[0][2]["Authorization"] == "Bearer hush-hush"
    fault = await failure(puller, connection(crm.url + "/error", secret="hush-hush"))
    assert "hush" not in f"{fault!r} {fault.__cause__!r} {fault.detail}"


@pytest.mark.parametrize(
    ("habit", "reason"),
    [
        ("error", Reason.STATUS),
        ("unknown", Reason.STATUS),
        ("moved", Reason.STATUS),
        ("garbage", Reason.GARBAGE),
        ("packed", Reason.GARBAGE),
        ("huge", Reason.TOO_LARGE),
        ("endless", Reason.TOO_LARGE),
        ("hang-up", Reason.GARBAGE),
    ],
)
async def test_a_broken_system_is_told_by_one_word(puller: Puller, crm: System, habit: str, reason: Reason) -> None:
    """R1-07: a broken outside system gives a reason, never a row."""
    assert (await failure(puller, connection(f"{crm.url}/{habit}"))).reason is reason


async def test_a_redirect_is_not_followed(puller: Puller, crm: System) -> None:
    fault = await failure(puller, connection(crm.url + "/moved"))
    assert (fault.status, crm.seen.paths) == (302, ["/moved"])


@pytest.mark.parametrize("habit", ["slow", "drip", "drip-headers"])
async def test_one_deadline_covers_connecting_waiting_and_dripping(puller: Puller, crm: System, habit: str) -> None:
    """R1-07: time limit. The system would go on for ever; that the pull ends at all is the proof."""
    assert (await failure(puller, connection(f"{crm.url}/{habit}", timeout_ms=150))).reason is Reason.TIMEOUT


async def test_the_callers_own_deadline_may_be_shorter(puller: Puller, crm: System) -> None:
    with pytest.raises(PullFailed, match="timeout"):
        await puller.pull(connection(crm.url + "/slow", timeout_ms=3_600_000), "7001", "1", "c", "4", "0", within=0.1)


async def test_a_system_that_accepts_and_says_nothing_times_out(puller: Puller) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as mute:
        where = connection(f"http://127.0.0.1:{mute.getsockname()[1]}/", timeout_ms=150)
        assert (await failure(puller, where)).reason is Reason.TIMEOUT


async def test_a_dead_system_refuses(puller: Puller) -> None:
    with contextlib.closing(socket.socket()) as holder:
        holder.bind(("127.0.0.1", 0))
        assert (
            await failure(puller, connection(f"http://127.0.0.1:{holder.getsockname()[1]}/"))
        ).reason is Reason.REFUSED


async def test_something_that_is_not_http_is_garbage(puller: Puller) -> None:
    async def sip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SIP/2.0 200 OK\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(sip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await failure(puller, connection(f"http://127.0.0.1:{port}/"))).reason is Reason.GARBAGE


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 60_000 + b"0\r\n\r\n",
        HEAD + b"a: b\r\n" * 5000 + b"Content-Length: 2\r\n\r\n{}",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 5000 + b"\r\n",
    ],
    ids=["interim", "chunks", "headers", "trailers"],
)
async def test_an_answer_in_thousands_of_pieces_is_garbage(puller: Puller, answer: bytes) -> None:
    """Each piece costs time on the loop that carries the calls, and one second's worth fits into 64 KiB."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(answer)
            await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        told = await failure(puller, connection(f"http://127.0.0.1:{port}/{{sequence}}"))
    assert told.reason is Reason.GARBAGE


async def test_an_xmlrpc_fault_is_a_status_and_no_fault_of_the_system(puller: Puller, crm: System) -> None:
    for _ in range(puller.limits.failures + 1):
        fault = await failure(puller, connection(crm.url + "/rpc", "xmlrpc"), sequence="000404")
    assert (fault.reason, str(fault)) == (Reason.STATUS, "status: fault 404")
    assert puller.breakers() == {"7001": State.CLOSED}


async def test_unknown_numbers_never_open_the_breaker(puller: Puller, crm: System) -> None:
    """Somebody who dials invented numbers must not cut the tenant off from its own system."""
    for _ in range(puller.limits.failures + 1):
        assert (await failure(puller, connection(crm.url + "/unknown"))).reason is Reason.STATUS
    assert puller.breakers() == {"7001": State.CLOSED}


async def test_the_breaker_spares_a_broken_system_and_closes_after_a_good_probe(crm: System) -> None:
    now = [0.0]
    crm.seen.broken = True
    async with Puller(Limits(failures=3, rest=10.0), clock=lambda: now[0]) as puller:
        where = connection(crm.url + "/moody")
        for _ in range(3):
            assert (await failure(puller, where)).reason is Reason.STATUS
        assert (await failure(puller, where)).reason is Reason.BREAKER_OPEN
        assert len(crm.seen.requests) == 3
        crm.seen.broken = False
        now[0] = 10.0
        await fetch(puller, where)
        await fetch(puller, where)
        assert puller.breakers() == {"7001": State.CLOSED}


async def test_one_tenants_broken_system_does_not_touch_another_tenant(crm: System) -> None:
    async with Puller(Limits(failures=1, places=1, waiting=0)) as puller:
        assert (await failure(puller, connection(crm.url + "/error"), "7001")).reason is Reason.STATUS
        assert (await failure(puller, connection(crm.url + "/row"), "7001")).reason is Reason.BREAKER_OPEN
        await fetch(puller, connection(crm.url + "/row"), "7002")


async def test_a_tenant_has_so_many_places_and_no_more(crm: System) -> None:
    async with Puller(Limits(places=2, waiting=1)) as puller:
        where = connection(crm.url + "/slow", timeout_ms=600_000)
        asking = [asyncio.create_task(fetch(puller, where)) for _ in range(3)]
        await eventually(lambda: crm.seen.inside == 2, "two are being served")
        assert (await failure(puller, where)).reason is Reason.BUSY
        crm.seen.release.set()
        await asyncio.gather(*asking)
        assert crm.seen.most_inside == 2


async def test_waiting_for_a_place_ends_in_time(crm: System) -> None:
    async with Puller(Limits(places=1, waiting=1)) as puller:
        first = asyncio.create_task(fetch(puller, connection(crm.url + "/slow", timeout_ms=600_000)))
        await eventually(lambda: crm.seen.inside == 1, "the first is being served")
        assert (await failure(puller, connection(crm.url + "/slow", timeout_ms=100))).reason is Reason.BUSY
        assert puller.breakers() == {"7001": State.CLOSED}
        crm.seen.release.set()
        await first


async def test_a_caller_who_hangs_up_gives_his_place_back(crm: System) -> None:
    async with Puller(Limits(places=1, waiting=0, failures=1)) as puller:
        asking = asyncio.create_task(fetch(puller, connection(crm.url + "/slow", timeout_ms=600_000)))
        await eventually(lambda: crm.seen.inside == 1, "the system was asked")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await fetch(puller, connection(crm.url + "/row"))


async def test_a_connection_is_used_again(puller: Puller, crm: System) -> None:
    for habit in ("row", "unknown", "error", "row"):
        with contextlib.suppress(PullFailed):
            await fetch(puller, connection(f"{crm.url}/{habit}"))
    assert (len(crm.seen.requests), crm.seen.connections) == (4, 1)


async def test_a_kept_connection_that_the_system_has_closed_costs_no_caller(puller: Puller, crm: System) -> None:
    """Servers close idle connections at any moment; the next call must not pay for it."""
    for _ in range(20):
        await fetch(puller, connection(crm.url + "/row"))
        crm.hang_up()
    assert puller.breakers() == {"7001": State.CLOSED}


async def test_an_answer_that_breaks_off_is_not_asked_for_again(puller: Puller, crm: System) -> None:
    await fetch(puller, connection(crm.url + "/row"))
    assert (await failure(puller, connection(crm.url + "/cut-off"))).reason is Reason.GARBAGE
    assert crm.seen.paths == ["/row", "/cut-off"]


async def test_connections_are_bounded_and_idle_ones_make_room(crm: System) -> None:
    with system() as other:
        async with Puller(Limits(connections=1)) as puller:
            await fetch(puller, connection(crm.url + "/row"))
            await fetch(puller, connection(other.url + "/row"), "7002")
            slow = asyncio.create_task(fetch(puller, connection(crm.url + "/slow", timeout_ms=600_000)))
            await eventually(lambda: "/slow" in crm.seen.paths, "the only connection is in use")
            assert (await failure(puller, connection(other.url + "/row"), "7002")).reason is Reason.BUSY
            crm.seen.release.set()
            await slow


async def test_a_secret_that_http_cannot_carry_is_a_refusal_that_does_not_repeat_it(
    puller: Puller, crm: System
) -> None:
    for secret in ("hush\r\nX", "hush\u4e2d"):
        fault = await failure(puller, connection(crm.url + "/row", secret=secret))
        assert (fault.reason, "hush" in str(fault)) == (Reason.REFUSED, False)
    assert crm.seen.requests == []


async def test_tenants_share_no_cookies(puller: Puller, crm: System) -> None:
    await fetch(puller, connection(crm.url + "/cookie"), "7001")
    await fetch(puller, connection(crm.url + "/row"), "7002")
    assert "Cookie" not in crm.seen.requests[1][2]


async def test_a_proxy_in_the_environment_is_not_used(crm: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with Puller() as puller:
        await fetch(puller, connection(crm.url + "/row"))


async def test_tls_is_checked_against_the_name_in_the_url(tmp_path: Path) -> None:
    context, authority = server_context(tmp_path, "crm.test")
    trusting = ssl.create_default_context(cafile=str(authority))
    names = Names(lookup=lambda host: ["127.0.0.1"])
    with system(context) as crm:
        async with Puller(tls=trusting, names=names) as puller:
            await fetch(puller, connection(f"https://crm.test:{crm.port}/row"))
            fault = await failure(puller, connection(f"https://other.test:{crm.port}/row"))
            assert fault.reason is Reason.REFUSED
        async with Puller(names=Names(lookup=lambda host: ["127.0.0.1"])) as strict:
            fault = await failure(strict, connection(f"https://crm.test:{crm.port}/row"))
            assert fault.reason is Reason.REFUSED
        assert crm.seen.paths == ["/row"]


async def test_a_second_address_serves_when_the_first_refuses(crm: System) -> None:
    async with Puller(names=Names(lookup=lambda host: ["127.0.0.3", "127.0.0.1"])) as puller:
        await fetch(puller, connection(f"http://crm.test:{crm.port}/row"))


async def test_each_pull_is_told_to_the_metrics_once(crm: System) -> None:
    told: list[tuple[str, str]] = []
    async with Puller(observe=lambda who, outcome, seconds: told.append((who, outcome))) as puller:
        await fetch(puller, connection(crm.url + "/row"))
        await failure(puller, connection(crm.url + "/garbage"))
    assert told == [("7001", "ok"), ("7001", "garbage")]
