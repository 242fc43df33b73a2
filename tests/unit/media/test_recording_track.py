"""One leg's sound on the time line: jitter, order, loss, repetition, counters that go round, keys, clocks, pauses."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media.recording.conceal import conceal
from media.recording.packets import Packet, by_tag, record
from media.recording.track import Loss, Track
from media.recording.upsample import Doubler
from tests.peers.sound import Pcm, decode, encode, loudness, share, tone

RATE, SIZE = 8000, 160
HZ = 440.0
BEGIN = 5_000_000
MS = 1000
HOLD = 400 * MS


def talk(
    count: int,
    *,
    first: int = 0,
    sequence: int = 0,
    timestamp: int = 0,
    ssrc: int = 7,
    hz: float = HZ,
    codec: str = "PCMA",
    begin: int = BEGIN,
) -> list[Packet]:
    """So many packets of a tone, each at its time; `first`: number of the first one."""
    return [
        Packet(
            ssrc,
            (timestamp + n * SIZE) & 0xFFFFFFFF,
            (sequence + n) & 0xFFFF,
            8 if codec == "PCMA" else 0,
            begin + n * 20 * MS,
            encode(tone(hz, n * SIZE, SIZE), codec),
        )
        for n in range(first, first + count)
    ]


def played(packets: Sequence[Packet], track: Track | None = None, seconds: float | None = None) -> Pcm:
    """What a track makes of packets that are taken a few times a second, up to their end and `HOLD`."""
    track = track or Track(BEGIN, RATE)
    waiting = sorted(packets, key=lambda packet: packet.arrival)
    end = BEGIN + round(seconds * 1e6) if seconds is not None else waiting[-1].arrival + 20 * MS
    taken, now = [], BEGIN
    while now - HOLD < end:
        now += 250 * MS
        came = [packet for packet in waiting if packet.arrival <= now]
        del waiting[: len(came)]
        track.feed(came)
        taken.append(track.take(track.position(min(now - HOLD, end))))
    return np.concatenate(taken)


def original(packets: Sequence[Packet]) -> Pcm:
    """The sound of packets one behind the other."""
    return decode(b"".join(packet.payload for packet in packets), "PCMA" if packets[0].payload_type == 8 else "PCMU")


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_packets_in_order_are_what_was_said(codec: str) -> None:
    packets = talk(100, codec=codec)
    track = Track(BEGIN, RATE)
    assert np.array_equal(played(packets, track), original(packets))
    assert (track.counted.packets, track.counted.lost, track.counted.streams) == (100, 0, 1)


@given(
    st.lists(st.integers(0, 90), min_size=80, max_size=80),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
)
@example([0] * 80, 0xFFF0, 0xFFFFFF00)
def test_jitter_and_order_change_nothing(delays: list[int], sequence: int, timestamp: int) -> None:
    """Each packet up to 90 ms late, so up to four overtaken, over the end of both counters."""
    packets = talk(80, sequence=sequence, timestamp=timestamp)
    late = [
        packet._replace(arrival=packet.arrival + (delay * MS if n else 0))
        for n, (packet, delay) in enumerate(zip(packets, delays, strict=True))
    ]
    track = Track(BEGIN, RATE)
    assert np.array_equal(played(late, track, 1.6), original(packets))
    assert (track.counted.lost, track.counted.late, track.counted.duplicates) == (0, 0, 0)


@given(st.sets(st.integers(1, 78)), st.sets(st.integers(0, 79)), st.integers(0, 0xFFFF))
def test_what_is_lost_is_counted_and_marked_and_what_comes_twice_changes_nothing(
    lost: set[int], twice: set[int], sequence: int
) -> None:
    """Any packets but the first and the last are missing, any others come again 30 ms later."""
    packets = talk(80, sequence=sequence)
    came = [packet for n, packet in enumerate(packets) if n not in lost]
    again = [packets[n]._replace(arrival=packets[n].arrival + 30 * MS) for n in twice - lost]
    track = Track(BEGIN, RATE)
    sound, whole = played([*came, *again], track, 1.6), original(packets)
    assert len(sound) == len(whole)
    for n in range(80):
        if n not in lost:
            assert np.array_equal(sound[n * SIZE : (n + 1) * SIZE], whole[n * SIZE : (n + 1) * SIZE])
    assert (track.counted.lost, track.counted.duplicates) == (len(lost), len(twice - lost))
    marked = {n for loss in track.losses for n in range(loss.at // SIZE, (loss.at + loss.samples) // SIZE)}
    assert marked == lost


def test_a_lost_packet_is_filled_with_the_sound_before_it() -> None:
    packets = talk(50)
    del packets[30]
    track = Track(BEGIN, RATE)
    sound = played(packets, track)
    hole = sound[30 * SIZE : 31 * SIZE]
    assert loudness(hole) > 0.5 * loudness(sound[: 30 * SIZE])
    assert share(sound[24 * SIZE : 36 * SIZE], HZ) > 0.9
    assert track.losses == [Loss(30 * SIZE, 1, SIZE)]


def test_a_long_loss_fades_into_silence_and_the_time_line_holds() -> None:
    packets = talk(20) + talk(30, first=70)
    track = Track(BEGIN, RATE)
    sound = played(packets, track)
    assert len(sound) == 100 * SIZE
    assert loudness(sound[24 * SIZE : 70 * SIZE]) == 0
    assert np.array_equal(sound[70 * SIZE :], original(packets[20:]))
    assert track.losses == [Loss(20 * SIZE, 50, 50 * SIZE)]


def test_a_talker_who_sends_nothing_while_he_is_silent_has_lost_nothing() -> None:
    """Sequence numbers go on, time stamps leave the pause open (RFC 3551 4.1)."""
    packets = talk(20) + [packet._replace(sequence=packet.sequence - 40) for packet in talk(30, first=60)]
    track = Track(BEGIN, RATE)
    sound = played(packets, track)
    assert (track.counted.lost, track.losses) == (0, [])
    assert loudness(sound[20 * SIZE : 60 * SIZE]) == 0
    assert np.array_equal(sound[60 * SIZE :], original(packets[20:]))


@pytest.mark.parametrize("told", [True, False], ids=["keys are tapped", "keys are not tapped"])
def test_a_key_is_no_loss(told: bool) -> None:
    """RFC 4733: 15 packets of a key of 240 ms all have the time stamp of its begin, and numbers of their own."""
    before, after = talk(20), [packet._replace(sequence=packet.sequence + 3) for packet in talk(20, first=32)]
    key = [Packet(7, 20 * SIZE, 20 + n, 101, BEGIN + (20 + min(n, 12)) * 20 * MS, bytes(4)) for n in range(15)]
    track = Track(BEGIN, RATE)
    sound = played([*before, *(key if told else []), *after], track)
    assert (track.counted.lost, track.losses, track.counted.unreadable) == (0, [], 15 if told else 0)
    assert loudness(sound[20 * SIZE : 32 * SIZE]) == 0
    assert np.array_equal(sound[32 * SIZE :], original(after))


def test_another_stream_begins_where_it_arrives() -> None:
    """A phone that takes another SSRC, sequence and time, 400 ms later."""
    other = talk(20, first=40, ssrc=9, sequence=30_000, timestamp=123_456_789, hz=1000.0)
    track = Track(BEGIN, RATE)
    sound = played([*talk(20), *other], track)
    assert (track.counted.lost, track.counted.streams) == (0, 2)
    assert share(sound[40 * SIZE :], 1000.0) > 0.9
    assert loudness(sound[20 * SIZE : 40 * SIZE]) == 0


def test_a_stream_whose_time_stood_still_goes_on_where_it_arrives() -> None:
    """A far end that holds and counts on, in numbers and time, where it stopped two seconds ago."""
    later = [packet._replace(arrival=packet.arrival + 2_000_000) for packet in talk(20, first=20)]
    track = Track(BEGIN, RATE)
    sound = played([*talk(20), *later], track)
    assert loudness(sound[20 * SIZE : 119 * SIZE]) == 0
    assert np.array_equal(sound[120 * SIZE : 139 * SIZE], original(later)[: 19 * SIZE])


def test_a_stream_whose_time_runs_ahead_is_placed_anew() -> None:
    jumped = [packet._replace(timestamp=packet.timestamp + 80_000) for packet in talk(20, first=20)]
    track = Track(BEGIN, RATE)
    assert np.array_equal(played([*talk(20), *jumped], track), original(talk(40)))
    assert track.counted.streams == 2


@pytest.mark.parametrize("kind", [8, 96], ids=["sound", "unreadable"])
def test_what_a_far_end_invents_takes_no_memory(kind: int) -> None:
    """Numbers that are missing come later, with times an hour ahead: what is said stays whole, and nothing of the rest
    waits for its time to come."""
    packets, invented = talk(250), list[Packet]()
    for n, packet in enumerate(packets[5:], 5):
        ahead = (packet.timestamp + 3600 * RATE + n * SIZE) & 0xFFFFFFFF
        for back in range(kind == 8, 4):
            wrong = packet._replace(timestamp=ahead, sequence=(packet.sequence - back) & 0xFFFF, payload_type=kind)
            invented.append(wrong._replace(payload=bytes(1400)))
    track, whole = Track(BEGIN, RATE), original(packets)
    came = [packet for n, packet in enumerate(packets) if n < 10 or n % 3]
    sound = played([*came, *invented], track)
    for n in (9, 11, 248):
        assert np.array_equal(sound[n * SIZE : (n + 1) * SIZE], whole[n * SIZE : (n + 1) * SIZE])
    assert held(track) < 3000


@pytest.mark.parametrize("step", [1, 3600 * RATE], ids=["sources", "sources with times ahead"])
def test_many_sources_in_turn_take_no_memory(step: int) -> None:
    """Each packet of an SSRC of its own: each is placed where it arrives."""
    packets = [packet._replace(ssrc=n, timestamp=n * step & 0xFFFFFFFF) for n, packet in enumerate(talk(500), 1)]
    track = Track(BEGIN, RATE)
    assert np.array_equal(played(packets, track), original(packets))
    assert held(track) < 3000


def held(track: Track) -> int:
    """Octets of what waits for its time to come; each piece is some 100 of them, whatever is in it."""
    return sum(100 + piece.sound.nbytes for piece in track._pieces)


def test_a_network_that_stood_still_costs_what_comes_too_late_and_no_more() -> None:
    """A second of packets in one go: those in time stand where they belong."""
    packets = talk(150)
    stood = [
        packet._replace(arrival=max(packet.arrival, BEGIN + 2_000_000)) if n >= 50 else packet
        for n, packet in enumerate(packets)
    ]
    track = Track(BEGIN, RATE)
    sound = played(stood, track)
    assert np.array_equal(sound[-50 * SIZE :], original(packets)[-50 * SIZE :])
    assert track.counted.late + track.counted.packets == 150
    assert track.counted.streams == 1


@pytest.mark.parametrize("clock", [1.001, 0.999], ids=["slow", "fast"])
def test_a_far_end_with_another_clock_stays_in_step(clock: float) -> None:
    """0.1 % off for two minutes is 120 ms; the file is never more than 50 ms off."""
    packets = [
        packet._replace(arrival=BEGIN + round((packet.arrival - BEGIN) * clock)) for packet in talk(6000, hz=300.0)
    ]
    late = [packet._replace(ssrc=9) for packet in talk(10, hz=1000.0, begin=packets[-1].arrival + 20 * MS)]
    track = Track(BEGIN, RATE)
    sound = played([*packets, *late], track, 121)
    assert track.counted.moved > 0
    end = track.position(late[0].arrival)
    assert share(sound[end - SIZE * 8 : end - 400], 300.0) > 0.8
    assert share(sound[end : end + 10 * SIZE], 1000.0) > 0.9
    assert track.counted.lost == 0


def test_a_gate_closes_and_opens_to_the_sample() -> None:
    packets = talk(100)
    track = Track(BEGIN, RATE, on=False)
    for second, on in ((0.25, True), (0.5, False), (1.5, True)):
        track.gate(BEGIN + round(second * 1e6), on)
    sound, whole = played(packets, track), original(packets)
    for begin, end, on in ((0, 2000, False), (2000, 4000, True), (4000, 12000, False), (12000, 16000, True)):
        assert np.array_equal(sound[begin:end], whole[begin:end] if on else np.zeros(end - begin, np.int16))


def test_nothing_of_a_pause_comes_back_in_what_fills_a_loss_behind_it() -> None:
    packets = talk(60)
    del packets[30:33]
    track = Track(BEGIN, RATE)
    track.gate(BEGIN, False)
    track.gate(BEGIN + 600 * MS, True)
    sound = played(packets, track)
    assert loudness(sound[: 33 * SIZE]) == 0


def test_records_of_several_legs_are_told_apart() -> None:
    """Payloads of any length; one cut short at the end is left out."""
    packets = [replace_payload(packet, n) for n, packet in enumerate(talk(9))]
    block = b"".join(record(n % 3, packet) for n, packet in enumerate(packets))
    assert len(block) % 8 == 0
    assert by_tag(block) == {tag: packets[tag::3] for tag in range(3)}
    assert by_tag(block[:-20]) == {0: packets[0::3], 1: packets[1::3], 2: packets[2:8:3]}
    assert by_tag(b"") == {}


def replace_payload(packet: Packet, size: int) -> Packet:
    """With so many octets."""
    return packet._replace(payload=packet.payload[:size])


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(block: bytes) -> None:
    by_tag(block)


@given(
    st.lists(
        st.builds(
            Packet,
            st.integers(1, 3),
            st.integers(0, 0xFFFFFFFF),
            st.integers(0, 0xFFFF),
            st.sampled_from([0, 8, 13, 96, 101]),
            st.integers(0, 3_000_000).map(lambda at: BEGIN + at),
            st.binary(max_size=400),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_any_packets_leave_a_time_line_of_the_right_length(packets: list[Packet]) -> None:
    """Garbage that the source rules let through: every sample of the time line is there, once."""
    track = Track(BEGIN, RATE)
    assert len(played(packets, track, 3.5)) == round(3.5 * RATE)
    counted = replace(track.counted)
    assert counted.packets + counted.late + counted.duplicates + counted.unreadable == len(packets)


def test_without_a_past_a_loss_is_silence() -> None:
    assert not conceal(np.zeros(388, np.int16), 800, RATE).any()
    assert not conceal(np.ones(10, np.int16), 800, RATE).any()


def test_doubling_keeps_a_tone_and_leaves_no_seam() -> None:
    sound = tone(1000.0, 0, 8000).astype(np.int16)
    doubler = Doubler()
    pieces = [doubler.double(part) for part in np.split(sound, [100, 101, 3000, 3000, 5000])]
    made = np.concatenate(pieces)
    assert len(made) == 16000
    assert share(made, 1000.0, 16000) > 0.999
    assert np.array_equal(made, Doubler().double(sound))
