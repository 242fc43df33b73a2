"""Trunks over TCP and TLS that swallow connections: no answer to a SYN, no word in a handshake, none to an INVITE."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.carriers import CONFIG, QUICK, SECOND, dial, record
from tests.e2e.legs import shared_server
from tests.peers.certificates import Authority
from tests.peers.ports import PORTS
from tests.peers.server import Server, Template
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

DEAF, MUTE = PORTS.keep(1), PORTS.keep(1)
"Ports: of a host that drops SYNs, and of one that accepts connections and never says anything."
HOLES = {"syn-tcp": ("tcp", DEAF), "syn-tls": ("tls", DEAF), "mute-tcp": ("tcp", MUTE), "mute-tls": ("tls", MUTE)}


def config(authority: Authority) -> dict[str, Any]:
    """Four trunks that lead nowhere, each before the second carrier."""
    certificate = authority.issue("tandem")
    files = {"tls_certificate": str(certificate), "tls_key": str(certificate.with_suffix(".key"))}
    changes: dict[str, Any] = {**CONFIG}
    for transport in ("tcp", "tls"):
        here = {"side": "outside", "transport": transport, "address": "127.0.0.1", "port": PORTS.take(2)}
        changes[f"listeners.{transport}"] = here | (files if transport == "tls" else {})
    for number, (name, (transport, port)) in enumerate(HOLES.items()):
        where = {"listener": transport, "addresses": [f"192.0.2.{10 + number}/32"], "target": f"127.0.0.1:{port}"}
        changes[f"trunks.{name}"] = {**QUICK, **where}
        changes[f"trunk_groups.over-{name}"] = {"members": [f"{name} 1", "second 2"]}
    return changes


@pytest.fixture(scope="module")
def holes() -> Iterator[None]:
    """The two hosts."""
    with ExitStack() as stack:
        for port in (DEAF, MUTE):
            host = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            host.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            host.bind(("127.0.0.1", port))
            host.listen(0 if port == DEAF else 20)
            if port == DEAF:  # a full queue: the kernel drops the SYNs of everybody else
                stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        yield


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template, holes: None
) -> AsyncIterator[Server]:
    folder: Path = tmp_path_factory.mktemp("holes")
    async with shared_server(pool, folder, config(Authority(folder / "tls")), template) as server:
        yield server


@pytest.mark.parametrize("hole", HOLES)
async def test_a_connection_that_comes_to_nothing_costs_a_call_the_time_of_its_first_timer(
    server: Server, hole: str
) -> None:
    """Trunk black-holed: fail-over within the time for a 1xx, not the kernel's minutes or PJSIP's 32 s; the same again
    while the connection is still being tried; nothing of it is left behind when the caller has gone."""
    async with await Phone.open("second", port=SECOND, sound=False) as second:
        for _ in range(2):
            number = await dial(server, f"over-{hole}")
            await second.rejects(486, user=number)
            cdr = await record(server, number)
            assert cdr["trunk"] == "second"
            assert cdr["detail"]["trunks_failed"] == [{"trunk": hole, "why": "no-response"}]
    assert await server.api.counted("tandem_trunk_failovers_total", trunk=hole) == 2

    async def empty() -> bool:
        return await server.api.metric("tandem_calls_active") == 0

    await eventually_true(empty, "no call is left")
