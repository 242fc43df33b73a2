"""When a leg counts as dead, and when it only pauses (media silence of the bridge)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.silence import Counted, SilenceWatch, Verdict, comfort_noise

SPEECH = 160
"Octets of 20 ms of G.711."


class Leg:
    """A stream that counts, looked at once a second."""

    def __init__(self, timeout: float = 10.0) -> None:
        self.watch = SilenceWatch(timeout, 0.0)
        self.now = 0.0
        self.packets = self.octets = 0
        self.age: float | None = None

    def second(self, packets: int = 0, octets: int = 0, reports: int = 0, *, expected: bool = True) -> Verdict:
        self.now += 1.0
        self.packets += packets
        self.octets += octets
        self.age = 0.5 if reports else None if self.age is None else self.age + 1.0
        return self.watch.look(self.now, Counted(self.packets, self.octets, self.age), expected=expected)

    def talks(self) -> Verdict:
        return self.second(50, 50 * SPEECH)

    def seconds_until_dead(self, most: int = 100) -> int:
        return next((n for n in range(1, most) if self.second() is Verdict.DEAD), 0)


def test_a_leg_that_sends_is_alive() -> None:
    leg = Leg()
    assert {leg.talks() for _ in range(60)} == {Verdict.ALIVE}


def test_a_leg_that_stops_is_dead_after_the_time_out() -> None:
    leg = Leg()
    leg.talks()
    assert leg.second() is Verdict.QUIET
    assert leg.seconds_until_dead() == 9


def test_a_leg_that_never_sent_is_dead_after_the_time_out() -> None:
    assert Leg().seconds_until_dead() == 10


def test_one_packet_starts_the_time_anew() -> None:
    leg = Leg()
    for _ in range(9):
        leg.second()
    assert leg.second(1, SPEECH) is Verdict.ALIVE
    assert leg.seconds_until_dead() == 10


def test_hold_stops_the_clock_and_keeps_what_it_showed() -> None:
    leg = Leg()
    leg.talks()
    for _ in range(6):
        leg.second()
    assert {leg.second(expected=False) for _ in range(1000)} == {Verdict.PAUSED}
    assert leg.seconds_until_dead() == 4


def test_music_that_a_holding_phone_sends_is_a_sign_of_life() -> None:
    leg = Leg()
    assert leg.second(50, 50 * SPEECH, expected=False) is Verdict.ALIVE


def test_reports_by_rtcp_are_a_sign_of_life() -> None:
    leg = Leg()
    leg.talks()
    for _ in range(10):
        assert [leg.second() for _ in range(4)] == [Verdict.QUIET] * 4
        assert leg.second(reports=1) is Verdict.ALIVE
    assert leg.seconds_until_dead() == 10


def test_after_comfort_noise_silence_is_what_was_announced() -> None:
    leg = Leg()
    leg.talks()
    assert leg.second(21, 20 * SPEECH + 1) is Verdict.ALIVE
    assert {leg.second() for _ in range(100)} == {Verdict.PAUSED}
    leg.talks()
    assert leg.seconds_until_dead() == 10


def test_keys_pressed_are_not_taken_for_comfort_noise() -> None:
    leg = Leg()
    leg.talks()
    leg.second(50, 40 * SPEECH + 10 * 4)
    assert leg.seconds_until_dead() == 10


def test_a_stream_that_starts_again_counts_from_nothing() -> None:
    leg = Leg()
    leg.second(500, 500 * SPEECH, 5)
    leg.packets, leg.octets = 0, 0
    assert leg.second(3, 3 * SPEECH) is Verdict.ALIVE
    assert leg.seconds_until_dead() == 10


def test_without_a_time_out_nothing_is_ever_dead() -> None:
    leg = Leg(timeout=0)
    assert leg.seconds_until_dead(5000) == 0


def test_a_clock_that_stands_or_steps_back_ends_nothing() -> None:
    watch = SilenceWatch(10.0, 100.0)
    assert [watch.look(now, Counted(0), expected=True) for now in (100.0, 50.0, 50.0)] == [Verdict.QUIET] * 3


def test_rare_looks_judge_by_the_time_that_passed() -> None:
    watch = SilenceWatch(10.0, 0.0)
    assert watch.look(5.0, Counted(0), expected=True) is Verdict.QUIET
    assert watch.look(10.0, Counted(0), expected=True) is Verdict.DEAD


@pytest.mark.parametrize(
    ("packets", "octets", "noise"),
    [
        (50, 8000, False),
        (51, 8001, True),
        (51, 8011, True),
        (2, 2, True),
        (1, 1, True),
        (0, 0, False),
        (6, 24, False),
        (3, 0, False),
    ],
)
def test_comfort_noise_is_told_by_odd_octets(packets: int, octets: int, noise: bool) -> None:
    assert comfort_noise(packets, octets) is noise


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9000), st.integers(0, 2), st.booleans()), max_size=60))
def test_a_leg_is_dead_only_when_it_was_silent_for_the_whole_time(
    seconds: list[tuple[int, int, int, bool]],
) -> None:
    leg, silent = Leg(5), 0
    for packets, octets, reports, expected in seconds:
        verdict = leg.second(packets, octets if packets else 0, reports, expected=expected)
        if packets or reports:
            silent = 0
        elif expected and verdict is not Verdict.PAUSED:
            silent += 1
        assert (verdict is Verdict.DEAD) == (
            silent >= 5 and verdict is not Verdict.PAUSED and not packets and not reports
        )
