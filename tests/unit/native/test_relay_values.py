"""What leaves a leg and what is counted on it, as decisions without sockets (native/egress.c, native/reception.c)."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.native.stack import Stack

MS = 1000
FRAME = 160

Event = tuple[int, str, int, int, int, int, bool]


@pytest.fixture(scope="module")
def native(stack: Stack) -> SimpleNamespace:
    """The functions of the build under test."""

    def egress(*events: Event) -> list[tuple[int, int, bool] | None]:
        found = stack.do("sound", call="egress_try", arguments=[8000, list(events)])
        return [one if one is None else tuple(one) for one in found]

    def reception(*events: tuple[int, int, int, int]) -> list[object]:
        return list(stack.do("sound", call="reception_try", arguments=[8000, list(events)]))

    return SimpleNamespace(egress=egress, reception=reception)


def talk(
    n: int, *, origin: int = 1, ssrc: int = 5, first: int = 0, timestamp: int = 0, since: int = 0, step: int = FRAME
) -> list[Event]:
    """So many packets, 20 ms apart."""
    return [
        (since + i * 20 * MS, "send", origin, ssrc, (first + i) % 65536, (timestamp + i * step) % 2**32, False)
        for i in range(n)
    ]


def test_the_first_packet_is_marked_and_begins_our_numbers(native: SimpleNamespace) -> None:
    assert native.egress(*talk(3, first=65534, timestamp=2**32 - 160)) == [
        (1000, 50000, True),
        (1001, 50160, False),
        (1002, 50320, False),
    ]


def test_another_origin_goes_on_where_the_clock_is(native: SimpleNamespace) -> None:
    """IVR, then talk: the next number, the time that has passed, the marker (RFC 3550 5.1)."""
    sent = native.egress(*talk(2), *talk(2, origin=2, first=9000, timestamp=77, since=520 * MS))
    assert sent[2:] == [(1002, 50160 + 4000, True), (1003, 50160 + 4000 + 160, False)]


def test_another_origin_at_once_does_not_lie_on_the_last_packet(native: SimpleNamespace) -> None:
    sent = native.egress(*talk(2), *talk(1, origin=2, since=21 * MS))
    assert sent[2] == (1002, 50320, True)


def test_a_longer_frame_is_known_from_the_packets_before(native: SimpleNamespace) -> None:
    sent = native.egress(*talk(3, step=480), *talk(1, origin=2, since=41 * MS))
    assert sent[3][1] - sent[2][1] == 480


def test_the_time_of_a_key_or_a_silence_is_no_packet_time(native: SimpleNamespace) -> None:
    """Neither is that between two origins: who comes next, at once, is one packet behind, not a fifth of a second."""
    key: list[Event] = [(61 * MS, "withhold", 1, 5, 3 + i, 480, False) for i in range(5)]
    after = talk(1, first=8, timestamp=480 + 1600, since=260 * MS)
    silence = talk(1, first=9, timestamp=480 + 1600 + 800, since=360 * MS)
    sent = native.egress(*talk(3), *key, *after, *silence, *talk(1, origin=2, since=361 * MS))
    assert sent[8] == (1003, 50000 + 2080, False)
    assert sent[9] == (1004, 50000 + 2880, False)
    assert sent[10] == (1005, 50000 + 2880 + 160, True)


def test_a_gap_stays_a_gap_and_late_ones_find_it(native: SimpleNamespace) -> None:
    one, two, three, four = talk(4)
    sent = native.egress(one, two, four, three)
    assert [packet[0] for packet in sent] == [1000, 1001, 1003, 1002]
    assert sent[3][1] == 50320


def test_what_is_too_late_is_not_sent(native: SimpleNamespace) -> None:
    """Packets from before the switch have no place in the stream that began with it."""
    old = talk(3, first=100)
    sent = native.egress(old[1], old[2], old[0], old[2])
    assert [packet and packet[0] for packet in sent] == [1000, 1001, None, None]


def test_a_leap_of_numbers_is_another_stream(native: SimpleNamespace) -> None:
    sent = native.egress(*talk(2), *talk(2, first=30000, timestamp=9, since=40 * MS))
    assert [(packet[0], packet[2]) for packet in sent] == [(1000, True), (1001, False), (1002, True), (1003, False)]


def test_keys_go_between(native: SimpleNamespace) -> None:
    """An event keeps the time of its beginning; sound goes on behind it without a gap."""
    first, second, third = talk(3)
    key = [(25 * MS, "insert", 3, 9, n, 4242, n == 0) for n in range(3)]
    sent = native.egress(first, second, *key, third)
    assert [packet[0] for packet in sent] == [1000, 1001, 1002, 1003, 1004, 1005]
    assert {packet[1] for packet in sent[2:5]} == {50160 + 40}
    assert sent[5][1] == 50320


def test_what_is_withheld_leaves_no_gap(native: SimpleNamespace) -> None:
    first, second, third, fourth = talk(4)
    held = (second[0], "withhold", *second[2:])
    sent = native.egress(first, held, third, second, fourth)
    assert [packet and packet[0] for packet in sent] == [1000, None, 1001, None, 1002]
    assert sent[2][1] == 50320


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["send", "send", "send", "insert", "withhold"]),
            st.integers(1, 3),
            st.integers(1, 2),
            st.integers(-3, 5) | st.integers(0, 65535),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_no_number_is_ever_used_twice(native: SimpleNamespace, steps: list[tuple[str, int, int, int, bool]]) -> None:
    """Whatever comes from whomever: SRTP must never see a number again (RFC 3711 9.1), nor a far end."""
    events: list[Event] = []
    places: dict[int, int] = {}
    for i, (kind, origin, ssrc, by, marker) in enumerate(steps):
        places[origin] = (places.get(origin, 0) + by) % 65536
        events.append((i * 20 * MS, kind, origin, ssrc, places[origin], places[origin] * FRAME, marker))
    numbers = [packet[0] for packet in native.egress(*events) if packet]
    newest = 999
    used: set[int] = set()
    for number in numbers:
        place = newest + (number - newest + 0x8000) % 0x10000 - 0x8000
        assert place not in used
        used.add(place)
        newest = max(newest, place)


# --- what is heard ---


def came(*numbers: int, ssrc: int = 5) -> list[tuple[int, int, int, int]]:
    """Packets with these numbers, 20 ms apart, each with the time that its number asks for."""
    return [(1_000_000 + i * 20 * MS, ssrc, n % 65536, n * FRAME % 2**32) for i, n in enumerate(numbers)]


def test_everything_in_order_over_the_counters_end(native: SimpleNamespace) -> None:
    heard, lost, runs, late, again, jitter, verdicts = native.reception(*came(*range(65500, 65700)))
    assert (heard, lost, runs, late, again, jitter) == (200, 0, 0, 0, 0, 0)
    assert verdicts == "n" * 200


def test_losses_alone_and_in_runs(native: SimpleNamespace) -> None:
    """Burst: losses in runs of two or more, whether certain already (behind the window) or not yet."""
    for tail in (3, 200):
        numbers = [n for n in range(20 + tail) if n not in (4, 7, 8, 12, 13, 14)]
        heard, lost, runs, *_ = native.reception(*came(*numbers))
        assert (heard, lost, runs) == (14 + tail, 6, 5)


def test_late_and_repeated(native: SimpleNamespace) -> None:
    heard, lost, runs, late, again, _, verdicts = native.reception(*came(1, 2, 5, 3, 4, 4, 6))
    assert (heard, lost, runs, late, again) == (6, 0, 0, 2, 1)
    assert verdicts == "nnnllrn"


def test_one_far_away_is_no_new_stream_and_two_are(native: SimpleNamespace) -> None:
    """RFC 3550 A.1."""
    assert native.reception(*came(1, 2, 40000, 3, 4))[-1] == "nnonn"
    assert native.reception(*came(1, 2, 40000, 40001, 40002))[-1] == "nnonn"


def test_another_sender_is_counted_on(native: SimpleNamespace) -> None:
    heard, lost, *_ = native.reception(*came(1, 2, 4), *came(900, 901, 905, ssrc=6))
    assert (heard, lost) == (6, 1 + 3)


def test_jitter_is_that_of_the_rfc(native: SimpleNamespace) -> None:
    """A packet in two comes 10 ms late: the mean deviation nears 10 ms (RFC 3550 6.4.1)."""
    packets = [(at + (i % 2) * 10 * MS, *rest) for i, (at, *rest) in enumerate(came(*range(400)))]
    assert 9_000 <= native.reception(*packets)[5] <= 10_100


@given(st.lists(st.integers(0, 90), min_size=1, max_size=90, unique=True))
def test_lost_is_what_is_missing(native: SimpleNamespace, numbers: list[int]) -> None:
    heard, lost, runs, _late, _again, _jitter, verdicts = native.reception(*came(0, *[n + 1 for n in numbers]))
    taken = {0} | {n + 1 for n, verdict in zip(numbers, verdicts[1:], strict=True) if verdict in "nl"}
    assert heard == len(taken)
    assert lost == max(taken) + 1 - len(taken)
    missing = sorted(set(range(max(taken))) - taken)
    in_runs = {n for one, two in pairwise(missing) if two - one == 1 for n in (one, two)}
    assert runs == len(in_runs)
