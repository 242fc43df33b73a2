"""Transcoding: two people hear each other whatever codec each of them speaks, as loud as they are; lists of codecs,
packet lengths, lost packets, other rates.  The codecs of the far ends are not PJSIP's (tests/peers/coding.py)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import combinations
from pathlib import Path

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import shared_server
from tests.peers import sound
from tests.peers.baresip import Baresip
from tests.peers.coded import CodedRtp, Heard
from tests.peers.peer import Peer
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.server import Server, Template
from tests.peers.uac import Caller
from tests.peers.uas import Phone

ALL = ["G722", "opus", "PCMA", "PCMU", "G729", "GSM"]
CONFIG = {"media": {"codecs": ALL}}
PAIRS = [*combinations(ALL, 2)]
TRIES = 4
AT_ONCE = 5
"Calls: each of their packets is encoded and decoded by programs of ours, too."
TWO = (600.0, 1000.0)
TOLERANCE = {"G729": 2.0, "GSM": 1.5}
"Decibels that a codec may change a tone by; 1 for the others."


@pytest.fixture
async def speaking(pool: list[Server], tmp_path: Path, template: Template) -> AsyncIterator[Server]:
    """A server that speaks all codecs, at 8000 samples a second."""
    async with shared_server(pool, tmp_path, CONFIG, template) as server:
        yield server


class Pair:
    """A call between a trunk and a phone, each with a codec of its own."""

    def __init__(self, caller: Caller, phone: Phone) -> None:
        self.caller, self.phone = caller, phone

    async def expect_both(self, what: str = "") -> None:
        """Each hears the other one's tone, and as loud as it was sent."""
        await asyncio.gather(hears(self.caller, self.phone, what), hears(self.phone, self.caller, what))


def voice(peer: Peer) -> CodedRtp:
    assert isinstance(peer.rtp, CodedRtp)
    return peer.rtp


async def hears(one: Peer, other: Peer, what: str = "", frequency: float | None = None) -> Heard:
    """What is heard of the other one's tone, which is it, and as loud as it was sent.

    A slip that a slow moment of the machine makes is heard as long as the codec takes to find its way again, in one
    that models a voice up to a second: the tone has to be right once in a few tries.
    """
    theirs = voice(other)
    frequency = frequency or theirs.tone
    assert frequency is not None
    most = max(TOLERANCE.get(rtp.coding.name, 1.0) for rtp in (voice(one), theirs))
    for last in (*[False] * (TRIES - 1), True):
        heard = await voice(one).hear()
        share, off = heard.share(frequency), heard.part(frequency) - theirs.sent_level
        right = share > 0.9 and abs(off) <= most
        about = (
            f"{what} {voice(one).coding.name} <- {theirs.coding.name}: {share:.3f} at {frequency:g} Hz, {off:+.2f} dB"
        )
        assert right or not last, about
        if right:
            break
    return heard


@asynccontextmanager
async def call(
    server: Server, number: int, one: CodedRtp, other: CodedRtp, *, ptimes: str = "", offer: list[str] | None = None
) -> AsyncIterator[Pair]:
    """A call from the trunk to agent 20xx; `ptimes` are lines for the SDP of both in place of `a=ptime:20`."""
    async with (
        await Caller.open(f"trunk{number}", sound=False, codecs=offer or [one.coding.name]) as caller,
        await Phone.open(f"{2000 + number}", sound=False, codecs=[other.coding.name]) as phone,
    ):
        caller.rtp, phone.rtp = one, other
        await server.api.add_agent(phone.uri, phone.name)
        entry = {"kind": "agent", "target": phone.name}
        await server.api.add_access_number(f"400820{number:04}", correlation="off", entry=entry)
        sdp = with_ptime(caller.sdp(), ptimes)
        await caller.invite(server.outside, f"400820{number:04}", caller="13800000001", sdp=sdp)
        ring = await phone.rings()
        ring.reply(200, sdp=with_ptime(phone.answer(ring.sdp), ptimes))
        await phone.expect("ACK")
        await caller.answered()
        yield Pair(caller, phone)
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")


def with_ptime(sdp: bytes, lines: str) -> bytes:
    if not lines:
        return sdp
    return sdp.replace(b"a=ptime:20\r\n", b"").replace(b"\r\na=rtpmap", b"\r\n" + lines.encode() + b"\r\na=rtpmap", 1)


async def test_every_codec_with_every_other(speaking: Server) -> None:
    """Transcoding, each codec with each other one, sound checked both ways: the tone, and its level to 1 dB, with
    ffmpeg's G.722 at the far end too (G.729 and GSM, which model a voice: 2)."""

    async def one(number: int, codecs: tuple[str, str]) -> None:
        ends = [await asyncio.to_thread(CodedRtp, codec, tone=tone) for codec, tone in zip(codecs, TWO, strict=True)]
        async with call(speaking, number, *ends) as pair:
            await pair.expect_both()

    pairs = list(enumerate(PAIRS))
    for at in range(0, len(pairs), AT_ONCE):
        await asyncio.gather(*(one(number, codecs) for number, codecs in pairs[at : at + AT_ONCE]))
    cdrs = await speaking.api.cdrs(len(pairs))
    assert {frozenset(part["codec"] for part in cdr["parts"]) for cdr in cdrs} == set(map(frozenset, PAIRS))


async def test_packets_of_any_length(speaking: Server) -> None:
    """ptime: peers send 10 to 60 ms in a packet and get as much; maxptime is kept to, also against ptime."""

    async def one(number: int, ptime: int, lines: str, get: int, codec: str) -> None:
        ends = [CodedRtp(codec, tone=600.0, ptime=ptime), CodedRtp("PCMU", tone=1000.0, ptime=ptime)]
        async with call(speaking, number, *ends, ptimes=lines) as pair:
            await pair.expect_both(lines)
            assert {voice(pair.caller).heard_ptime, voice(pair.phone).heard_ptime} == {get}, lines

    await asyncio.gather(
        one(20, 10, "a=ptime:10", 10, "PCMA"),
        one(21, 30, "a=ptime:30", 30, "G722"),
        one(22, 40, "a=ptime:40\r\na=maxptime:60", 40, "PCMA"),
        one(23, 60, "a=ptime:60", 60, "G729"),
    )
    await asyncio.gather(
        one(24, 20, "a=maxptime:10", 10, "PCMA"),
        one(25, 20, "a=ptime:40\r\na=maxptime:30", 30, "PCMA"),
        one(26, 20, "a=ptime:0", 20, "PCMA"),
        one(27, 20, "a=ptime:2000", 120, "PCMA"),
    )


async def test_five_lost_packets_of_a_hundred_leave_no_holes(speaking: Server) -> None:
    """Loss concealment (ITU-T G.711 Appendix I): the tone goes on, and nowhere is there a hole of digital silence."""
    lossy = CodedRtp("PCMA", tone=500.0)
    lossy.drop = frozenset({7, 29, 41, 63, 88})
    async with call(speaking, 30, lossy, CodedRtp("PCMU", tone=1000.0)) as pair:
        heard = await voice(pair.phone).hear(2.0, skip=0.5)
        assert heard.share(500.0) > 0.9
        assert longest_hole(heard) <= 0.005, f"{longest_hole(heard) * 1000:.0f} ms of silence"
        quiet = [block for block in heard._blocks() if heard.pcm.size and block_level(block) < -20]
        assert not quiet
    [cdr] = await speaking.api.cdrs(1)
    assert cdr["parts"][0]["rx_lost"] >= 4


def longest_hole(heard: Heard) -> float:
    """Seconds of the longest run of samples next to zero."""
    longest = run = 0
    for sample in heard.pcm:
        run = run + 1 if abs(int(sample)) < 16 else 0
        longest = max(longest, run)
    return longest / heard.rate


def block_level(block: sound.Pcm) -> float:
    return Heard(block, sound.RATE).level()


async def test_wide_band_goes_through_at_16_khz_and_does_not_fold_back(start_server: StartServer) -> None:
    """Resampling: at `clock_rate` 16000 5 kHz pass between G.722 and Opus at their level; a G.711 leg hears nothing of
    them, neither there nor at 3 kHz, where 5 kHz fold to (-50 dB)."""
    server = await start_server({"media": {"codecs": ALL, "clock_rate": 16000}})
    async with call(server, 40, CodedRtp("G722", tone=5000.0), CodedRtp("opus", tone=1000.0)) as pair:
        await pair.expect_both("16 kHz")
    async with call(server, 41, CodedRtp("G722", tone=5000.0), CodedRtp("PCMA", tone=1000.0)) as pair:
        heard = await voice(pair.phone).hear()
        assert heard.level() < voice(pair.caller).sent_level - 40, f"{heard.level():.1f} dBm0"
        assert heard.part(3000.0) < voice(pair.caller).sent_level - 50, f"{heard.part(3000.0):.1f} dBm0"
        await hears(pair.caller, pair.phone, "narrow to wide")


async def test_lists_of_trunk_and_listener_go_out_in_their_order(start_server: StartServer) -> None:
    """`codecs` of a trunk and of a listener: each side is offered its own, in its order, and nothing else is taken from
    it; Opus is asked for in mono, with FEC and without DTX (RFC 7587)."""
    server = await start_server(
        {
            "listeners.inside": {"codecs": ["opus", "G722", "PCMA"]},
            "trunks.carrier": {"codecs": ["PCMA", "G729"]},
            "media": {"codecs": ["PCMU"], "clock_rate": 16000},
        }
    )
    async with call(
        server, 50, CodedRtp("PCMA", tone=600.0), CodedRtp("opus", tone=1000.0), offer=["opus", "PCMU", "PCMA"]
    ) as pair:
        ring = pair.phone.got("INVITE")[0]
        named = [name for name in ring.sdp.audio.codecs.values() if name != "TELEPHONE-EVENT"]
        assert named == ["OPUS", "G722", "PCMA"]
        opus = ring.sdp.audio.payload_type("opus")
        [fmtp] = [line for line in ring.sdp.audio.attributes("fmtp") if line.startswith(f"{opus} ")]
        assert {*fmtp.partition(" ")[2].split(";")} == {
            "maxplaybackrate=16000", "sprop-maxcapturerate=16000", "maxaveragebitrate=24000", "useinbandfec=1",
        }  # fmt: skip
        assert f"a=rtpmap:{opus} opus/48000/2" in ring.sdp.text
        answer = pair.caller.calls[0].remote_sdp
        assert answer is not None
        assert [*answer.audio.codecs.values()] == ["PCMA", "TELEPHONE-EVENT"]
        await pair.expect_both()
    async with await Caller.open("stranger", codecs=["PCMU", "G722"]) as caller:
        await caller.invite(server.outside, "4008200050", caller="13800000001")
        refused = await caller.expect(488)
        assert refused.get("Reason") == 'Q.850;cause=65;text="Incompatible media"'


async def test_another_codec_in_mid_call(speaking: Server) -> None:
    """A re-INVITE with another codec is followed, and the sound goes on both ways, now in that one."""
    async with call(speaking, 60, CodedRtp("PCMA", tone=600.0), CodedRtp("PCMA", tone=1000.0)) as pair:
        await pair.expect_both("before")
        for codec in ("G722", "PCMU", "opus"):
            before, after = voice(pair.caller), CodedRtp(codec, tone=600.0)
            pair.caller.rtp = pair.caller.call.rtp = after
            pair.caller.codecs = [codec]
            response = await (await pair.caller.call.reinvite()).expect(200)
            await pair.caller.call.ack(response)
            pair.caller.call.follow()
            before.close()
            await pair.expect_both(f"after {codec}")


async def test_what_peers_do_to_descriptions_and_packets(speaking: Server) -> None:
    """Static payload types without rtpmap, odd fmtp, formats nobody knows; in the sound packets of wrong types, which
    are dropped and counted, and comfort noise, which is not a fault."""
    odd = "a=fmtp:8 x=;;=\r\na=fmtp:77 what\r\na=rtpmap:77 MADEUP/12345/9\r\na=ptime:abc"
    one, other = CodedRtp("PCMA", tone=600.0), CodedRtp("PCMU", tone=1000.0)
    async with (
        await Caller.open("trunk70", sound=False, codecs=["PCMA"]) as caller,
        await Phone.open("2070", sound=False, codecs=["PCMU"]) as phone,
    ):
        caller.rtp, phone.rtp = one, other
        await speaking.api.add_agent(phone.uri, "2070")
        await speaking.api.add_access_number("4008200070", correlation="off", entry={"kind": "agent", "target": "2070"})
        sdp = (
            caller.sdp(events=False).decode().replace("a=rtpmap:8 PCMA/8000", odd).replace("RTP/AVP 8", "RTP/AVP 8 77")
        )
        await caller.invite(speaking.outside, "4008200070", caller="13800000001", sdp=sdp.encode())
        ring = await phone.rings()
        ring.reply(200, sdp=phone.answer(ring.sdp).replace(b"a=rtpmap:0 PCMU/8000\r\n", b""))
        await phone.expect("ACK")
        await caller.answered()
        await Pair(caller, phone).expect_both("odd")
        for payload_type, payload in ((77, b"x" * 160), (3, b"y" * 33), (13, b"\x46"), (18, b"z" * 20), (101, b"1")):
            for _ in range(5):
                one._transmit(payload_type, payload)
        await Pair(caller, phone).expect_both("behind wrong packets")
        assert await speaking.api.counted("tandem_sound_refused_total", reason="payload_type") == 20
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")


@pytest.mark.parametrize("codec", ["opus", "G722"])
async def test_baresip_with_wide_band_codecs(speaking: Server, tmp_path: Path, caller: Caller, codec: str) -> None:
    """Transcoding with a stack that is not ours: baresip hears the trunk's tone and is heard, in Opus and in G.722."""
    async with await Baresip.open(tmp_path, "2080", codecs=[codec]) as phone:
        await speaking.api.add_agent(phone.uri, "2080")
        await speaking.api.add_access_number("4008200080", correlation="off", entry={"kind": "agent", "target": "2080"})
        await caller.invite(speaking.outside, "4008200080", caller="13800000001")
        await caller.answered()
        await caller.hears(phone.tone)
        assert caller.sound.tone
        await phone.hears(caller.sound.tone)
        await (await caller.bye()).expect(200)
        [cdr] = await speaking.api.cdrs(1)
        assert cdr["parts"][1]["codec"].upper() == codec.upper()


@pytest.mark.parametrize("codec", ["OPUS", "G729"])
async def test_a_second_pjsip_and_another_codec(
    speaking: Server, open_pjsip: Callable[..., Awaitable[PjsipPhone]], caller: Caller, codec: str
) -> None:
    """Transcoding with a second stack with its own defaults (Opus at 48 kHz), the trunk being G.711."""
    phone = await open_pjsip("2090", answer=200, codecs=[codec])
    await speaking.api.add_agent(phone.uri, "2090")
    await speaking.api.add_access_number("4008200090", correlation="off", entry={"kind": "agent", "target": "2090"})
    await caller.invite(speaking.outside, "4008200090", caller="13800000001")
    await caller.answered()
    await caller.hears(phone.tone)
    assert caller.sound.tone
    await phone.hears(caller.sound.tone)
    assert (await phone.media())["codec"].upper() == codec
    await (await caller.bye()).expect(200)
    await phone.ended()
