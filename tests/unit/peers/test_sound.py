"""Sound end points against each other, and the measure by which a tone is recognised."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.peers import sound
from tests.peers.rtp import COMFORT_NOISE, Rtp
from tests.peers.rtp_packet import KeyEvent, RtpPacket, read_rtcp, sender_report
from tests.peers.waiting import eventually


@pytest.fixture
def pair() -> Iterator[tuple[Rtp, Rtp]]:
    with Rtp(codec="PCMA") as a, Rtp(codec="PCMU") as b:
        a.send_to(b.address)
        b.send_to(a.address)
        yield a, b


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_g711_keeps_a_tone(codec: str) -> None:
    heard = sound.decode(sound.encode(sound.tone(800, 0, 4000), codec), codec)
    assert sound.share(heard, 800) > 0.999
    assert sound.share(heard, 1100) < 0.001
    assert abs(sound.strongest(heard) - 800) < 3


def test_a_slip_in_the_middle_does_not_hide_a_tone() -> None:
    slipped = np.concatenate([sound.tone(800, 0, 1920), sound.tone(800, 1925, 1920)])
    assert sound.share(slipped, 800) > 0.8


def test_two_tones_share_the_energy_and_silence_has_none() -> None:
    both = sound.tone(500, 0, 3200) + sound.tone(800, 0, 3200)
    assert sound.share(both, 500) == pytest.approx(0.5, abs=0.01)
    assert sound.share(np.zeros(3200), 500) == 0.0


async def test_each_end_hears_the_other_and_not_itself(pair: tuple[Rtp, Rtp]) -> None:
    a, b = pair
    assert a.tone
    assert b.tone
    assert a.tone != b.tone
    assert await b.expect_tone(a.tone) > 0.99
    assert await a.expect_tone(b.tone) > 0.99
    assert a.heard(a.tone) < 0.01
    assert a.lost() == b.lost() == 0
    assert b.streams == [a.ssrc]
    assert b.sources == [a.address]


async def test_keys_are_received_once_each(pair: tuple[Rtp, Rtp]) -> None:
    a, b = pair
    await a.pressed("1990#*D", milliseconds=60)
    await b.expect_digits("1990#*D")


async def test_pauses_and_comfort_noise_are_silence_and_the_tone_comes_back(pair: tuple[Rtp, Rtp]) -> None:
    a, b = pair
    assert a.tone
    await b.expect_tone(a.tone)
    a.pause()
    await b.expect_silence()
    a.comfort_noise(0.05)
    a.resume()
    before = b.packets_received
    await b.expect_packets(3)
    assert b.received[-1].packet.payload_type == COMFORT_NOISE
    assert before
    a.comfort_noise(None)
    await b.expect_tone(a.tone)
    sent = [one.packet for one in b.received if one.packet.payload_type != COMFORT_NOISE]
    assert sent[-1].timestamp - sent[0].timestamp > len(sent) * sound.FRAME  # time went on while nothing was sent


async def test_sender_reports_arrive(pair: tuple[Rtp, Rtp]) -> None:
    a, b = pair
    a.rtcp_period = 0.1
    await eventually(lambda: b.reports, "a report")
    assert b.reports[0].kind == 200
    assert b.reports[0].ssrc == a.ssrc


async def test_a_lost_packet_is_counted() -> None:
    with Rtp() as b:
        for n in (65534, 65535, 1, 2):  # 0 is missing
            b.rtp_socket.sendto(bytes(RtpPacket(8, n, n * 160, 7, b"\xd5" * 160)), b.address)
        await b.expect_packets(4 - b.packets_received)
        assert b.lost() == 1


def test_packets_survive_the_wire() -> None:
    packet = RtpPacket(101, 65535, 4_000_000_000, 0xDEADBEEF, bytes(KeyEvent("#", 800, True)), True)
    assert RtpPacket.parse(bytes(packet)) == packet
    assert KeyEvent.parse(packet.payload) == KeyEvent("#", 800, True)
    extended = b"\x91\x08\x00\x01" + b"\0" * 8 + b"\0\0\0\1" + b"\xbe\xde\0\1" + b"\1\2\3\4" + b"sound"
    assert RtpPacket.parse(extended).payload == b"sound"
    assert [r.kind for r in read_rtcp(sender_report(1, 0.5, 2, 3, 4))] == [200, 202]


@pytest.mark.parametrize("broken", [b"", b"\x80" * 11, b"\x00" * 20])
def test_what_is_no_rtp_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="not RTP"):
        RtpPacket.parse(broken)
