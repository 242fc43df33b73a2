"""Lost packets of a leg whose sound comes from the conference: by numbers and times alone, whatever the codec."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media.recording.missed import Missed, rtp_clock
from media.recording.packets import Packet
from media.recording.track import Loss

BEGIN = 5_000_000
MS = 1000
HOLD = 400 * MS


def stream(
    count: int, clock: int = 48000, ptime: int = 20, *, first: int = 0, sequence: int = 0, timestamp: int = 0
) -> list[Packet]:
    """So many packets of a codec, each at its time."""
    step = clock * ptime // 1000
    return [
        Packet(
            7,
            (timestamp + n * step) & 0xFFFFFFFF,
            (sequence + n) & 0xFFFF,
            96,
            BEGIN + n * ptime * MS,
            bytes(3 + n % 50),
        )
        for n in range(first, first + count)
    ]


def looked_through(packets: Sequence[Packet], clock: int = 48000) -> Missed:
    """As the recorder does it: a few times a second, and by `HOLD` behind."""
    missed, waiting = Missed(BEGIN, clock, 0), sorted(packets, key=lambda packet: packet.arrival)
    now, end = BEGIN, waiting[-1].arrival + 120 * MS
    while now - HOLD < end:
        now += 250 * MS
        came = [packet for packet in waiting if packet.arrival <= now]
        del waiting[: len(came)]
        missed.feed(came)
        missed.track.take(missed.track.position(min(now - HOLD, end)))
    return missed


@given(
    st.sets(st.integers(2, 58)), st.sampled_from([8000, 48000]), st.sampled_from([10, 20, 60]), st.integers(0, 65535)
)
@example({10, 11, 12, 30}, 48000, 20, 65520)
def test_each_lost_packet_is_marked_where_it_was(lost: set[int], clock: int, ptime: int, sequence: int) -> None:
    """Any but the first two and the last, over the end of both counters."""
    packets = stream(60, clock, ptime, sequence=sequence, timestamp=0xFFFFF000)
    missed = looked_through([packet for n, packet in enumerate(packets) if n not in lost], clock)
    step = clock * ptime // 1000
    assert missed.track.counted.lost == len(lost)
    marked = {n for loss in missed.track.losses for n in range(loss.at // step, (loss.at + loss.samples) // step)}
    assert marked == lost


def test_what_comes_late_or_twice_is_not_lost() -> None:
    packets = stream(100)
    moved = [packet._replace(arrival=packet.arrival + 70 * MS * (n % 5 == 0)) for n, packet in enumerate(packets)]
    counted = looked_through([*moved, packets[40]._replace(arrival=packets[40].arrival + 30 * MS)]).track.counted
    assert (counted.lost, counted.duplicates, counted.packets, counted.reordered) == (0, 1, 100, 20)


def test_who_pauses_and_who_presses_keys_has_lost_nothing() -> None:
    """Numbers go on while a codec sends nothing in silence; packets of a key all have the time of its begin."""
    before, after = stream(20), [packet._replace(sequence=packet.sequence - 25) for packet in stream(20, first=60)]
    key = [Packet(7, 20 * 960, 20 + n, 101, BEGIN + (20 + n) * 20 * MS, bytes(4)) for n in range(15)]
    missed = looked_through([*before, *key, *after])
    assert (missed.track.counted.lost, missed.track.losses) == (0, [])


def test_a_length_that_changes_is_learnt() -> None:
    """40 ms from the middle on: one lost there is 40 ms."""
    later = [
        packet._replace(sequence=50 + n, timestamp=50 * 960 + n * 1920, arrival=BEGIN + (1000 + 40 * n) * MS)
        for n, packet in enumerate(stream(20))
    ]
    missed = looked_through([*stream(50), *later[:10], *later[11:]])
    assert missed.track.losses == [Loss(50 * 960 + 10 * 1920, 1, 1920)]


@pytest.mark.parametrize(
    ("codec", "rate", "clock"), [("G722", 16000, 8000), ("opus", 48000, 48000), ("GSM", 8000, 8000)]
)
def test_clocks_are_those_of_rtp(codec: str, rate: int, clock: int) -> None:
    assert rtp_clock(codec, rate) == clock
