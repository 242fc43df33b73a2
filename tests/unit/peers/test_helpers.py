"""The helpers around the server under test: configuration, metrics, event listeners, child processes, certificates."""

import asyncio
import json
import signal
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.api import metric
from tests.peers.certificates import Authority
from tests.peers.configuration import Changes, Config, merged, toml, usual
from tests.peers.listener import Listener
from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.waiting import eventually, eventually_true


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Config, Config]]:
    configs = usual(tmp_path), usual(tmp_path)
    yield configs
    for config in configs:
        PORTS.release(config["media"]["rtp_port_min"])


def test_a_change_is_merged_key_by_key_and_written_as_toml(two: tuple[Config, Config]) -> None:
    base, _ = two
    change: Changes = {
        "calls": {"ring_timeout": 2.5},
        "log": {"level": "debug"},
        "trunks.carrier": None,
        "media": {"codecs": ["PCMU"]},
    }
    read = tomllib.loads(toml(merged(base, change)))
    assert read["calls"] == {"ring_timeout": 2.5}
    assert read["log"] == {"format": "json", "level": "debug"}
    assert "trunks" not in read
    assert read["media"]["codecs"] == ["PCMU"]
    assert read["media"]["rtp_port_min"] == base["media"]["rtp_port_min"]
    assert read["listeners"]["outside"]["port"] != read["listeners"]["inside"]["port"]


def test_two_servers_never_share_ports(two: tuple[Config, Config]) -> None:
    one, other = two
    assert one["media"]["rtp_port_max"] < other["media"]["rtp_port_min"] or (
        other["media"]["rtp_port_max"] < one["media"]["rtp_port_min"]
    )
    assert one["api"]["port"] != other["api"]["port"]


def test_metrics_are_summed_over_the_labels_that_are_not_named() -> None:
    text = '# TYPE c counter\nc_total{a="1",b="x"} 2\nc_total{a="1",b="y"} 3\nc_total{a="2",b="x"} 10\n'
    assert metric(text, "c_total", a="1") == 5
    assert metric(text, "c_total") == 15
    assert metric(text, "d_total") == 0


async def test_a_listener_waits_for_events_and_says_what_came_instead() -> None:
    hellos: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hellos.append(await reader.readline())
        for number, kind in enumerate(("call.received", "call.answered"), 8):
            event = {"node": "n", "number": number, "time": 1.0, "call": "c", "type": kind, "data": {"trunk": "t"}}
            writer.write(json.dumps(event).encode() + b"\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    async with server, await Listener.over_tcp((address[0], address[1]), token="k", after=7) as listener:
        assert (await listener.expect("call.answered", call="c", trunk="t"))["number"] == 9
        assert (await listener.expect("call.received"))["number"] == 8
        assert json.loads(hellos[0]) == {"token": "k", "after": 7}
        assert (listener.last, listener.of_call("c")) == (9, ["call.received", "call.answered"])
        await eventually(lambda: listener.ended, "the end")
        with pytest.raises(AssertionError, match=r"no call\.ended.*closed the connection\n.*8 call\.received"):
            await listener.expect("call.ended")


async def test_a_child_is_ended_with_all_it_started(tmp_path: Path) -> None:
    program = (
        "import subprocess, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    child = Child([sys.executable, "-c", program], folder=tmp_path, log="out")
    grandchild = Path("/proc") / await eventually(lambda: child.log().strip(), "its child")
    assert child.close(patience=0.2) == -signal.SIGKILL
    await eventually(lambda: not grandchild.exists() or "Z" in (grandchild / "stat").read_text(), "both are gone")


async def test_a_child_shows_which_ports_it_holds(tmp_path: Path) -> None:
    program = (
        "import socket, time\n"
        "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('127.0.0.1', 0))\n"
        "t = socket.create_server(('127.0.0.1', 0)); print(u.getsockname()[1], t.getsockname()[1], flush=True)\n"
        "time.sleep(60)\n"
    )
    child = Child([sys.executable, "-c", program], folder=tmp_path, log="out")
    udp, tcp = map(int, (await eventually(lambda: child.log().split(), "ports")))
    assert child.bound(udp)
    assert child.bound(tcp, "tcp")
    assert not child.bound(udp, "tcp")
    child.close()
    assert not child.bound(udp)


async def test_waiting_in_vain_says_for_what() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(AssertionError, match=r"not within 0\.05 s: pigs fly"):
        await eventually(lambda: 0, "pigs fly", within=0.05)
    with pytest.raises(AssertionError, match=r"not within 0\.05 s: pigs fly"):
        await eventually_true(never, "pigs fly", within=0.05)


def test_certificates_come_with_their_keys_and_can_be_expired(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate = authority.issue("server", hosts=("127.0.0.1", "sbc.example"))
    assert certificate.with_suffix(".key").exists()
    assert authority.issue("old", expired=True).read_bytes() != certificate.read_bytes()
