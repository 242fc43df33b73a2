"""Broken RTP and RTCP, floods into one port: the process lives, and the other calls do not notice."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.attack.barrage import broken, flood
from tests.e2e.bystander import bystander
from tests.e2e.legs import end, hear_each_other, shared_server, talking
from tests.peers.configuration import Changes
from tests.peers.intruder import Intruder
from tests.peers.native_build import BUILD
from tests.peers.sdp import write
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone

TIMES = int(os.environ.get("TANDEM_ATTACK_TIMES", "1"))
"How many times as long as in a usual run of the tests; scripts/attack sets it."
COUNT = 1500 * TIMES
"Broken packets from each source."
SECONDS = 0.3 * TIMES
CONFIG: Changes = {"media": {"relearn_after": 0.5}}


@pytest.fixture
async def server(
    pool: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server that soon takes another stream after a pause."""
    async with shared_server(pool, tmp_path_factory.mktemp("broken"), CONFIG, template) as server:
        loaded = libraries_of(server)
        assert BUILD in loaded, "the server runs on the build that was asked for"
        assert ("libasan" in loaded) == ("LD_PRELOAD" in server.env)
        yield server


def libraries_of(server: Server) -> str:
    """What the kernel has mapped for it."""
    return Path(f"/proc/{server.pid}/maps").read_text()


@pytest.fixture
def stranger() -> Iterator[Intruder]:
    """Somebody who knows the ports, and is not of the call."""
    with ExitStack() as stack:
        intruder = stack.enter_context(Intruder())
        intruder.pause()
        yield intruder


@pytest.mark.parametrize(("way", "codec"), [("relay", "PCMA"), ("conference", "PCMU")])
async def test_broken_packets_of_a_party_and_of_a_stranger_touch_no_other_call(
    server: Server, caller: Caller, phone: Phone, stranger: Intruder, way: str, codec: str
) -> None:
    """Broken RTP and RTCP into a call on either way of sound, 10,000 sound packets a second into one port: the call has
    its sound again behind it, and a call beside it never loses a packet."""
    seed = Random().randrange(10**6)
    print(f"seed {seed}")
    caller.codecs, phone.codecs = ["PCMA"], [codec]
    async with bystander(server) as other:
        await talking(server, caller, phone)
        assert await server.api.metric("tandem_bridges", path=way) >= 1
        legs = [(party, party.call.remote_sdp.address) for party in (caller, phone) if party.call.remote_sdp]
        for number, (party, aim) in enumerate(legs):
            await broken(party.sound, aim, COUNT, Random(seed + number))
            await broken(stranger, aim, COUNT // 3, Random(seed + 10 + number))
            await flood(party.sound, aim, SECONDS)
            await flood(stranger, aim, SECONDS)
        for party, _ in legs:
            party.sound.pause()
        if BUILD:  # slower: what still waits in the sockets' buffers is read first
            await other.caller.sound.expect_packets(100)
        await caller.sound.expect_silence()
        for party, _ in legs:
            party.sound.resume()
        await hear_each_other(caller, phone)
        await end(caller, phone)
    assert await server.api.counted("tandem_sound_refused_total", reason="form") > COUNT / 10
    assert await server.api.counted("tandem_sound_refused_total", reason="address") > COUNT / 10
    assert await server.api.counted("tandem_sound_refused_total", reason="rtcp_form") > COUNT / 100
    assert stranger.got_nothing


async def test_another_address_and_another_codec_again_and_again_touch_no_other_call(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """An SDP that changes address, codec or both in mid call, while sound runs: the call follows each of them, one that
    cannot be served leaves it as it is, and a call beside it never loses a packet."""
    async with bystander(server) as other:
        caller.codecs = phone.codecs = ["PCMA", "PCMU"]
        await talking(server, caller, phone)
        host, port = "127.0.0.1", caller.sound.port
        for version, (codecs, address, at) in enumerate(
            [(["PCMU"], host, port), (["PCMA"], "10.255.255.1", 4000), (["PCMU"], "0.0.0.0", 9), (["PCMA"], host, port)]
            * TIMES,
            start=2,
        ):
            sent = await caller.call.reinvite(sdp=write(address, at, codecs=codecs, version=version))
            await caller.ack(await sent.expect(200), sdp=None)
        refused = await caller.call.reinvite(sdp=write(host, port, codecs=["AMR"], version=99))
        await refused.expect(488)
        caller.codecs = ["PCMA"]
        caller.call.follow()
        await hear_each_other(caller, phone)
        await end(caller, phone)
        await other.goes_on()
