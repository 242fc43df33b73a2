"""One-way sound, dead media, and what is neither: on a clock of ours."""

from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from media.leg_alarm import ALL, PATIENCE, LegAlarm, Trouble
from media.leg_sound import NOTHING, LegSound

AFTER = 1.0
LOOK = 0.5
SPEECH = 160


@dataclass
class FarEnd:
    """A far end on the clock: what it sends in each step, and what of it we count; looked at every half second."""

    alarm: LegAlarm = field(default_factory=lambda: LegAlarm(0.0))
    now: float = 0.0
    sound: LegSound = NOTHING
    last_rtp: float = -1.0
    last_rtcp: float = -1.0
    announced: bool = False
    believe: bool = True
    seen: list[Trouble] = field(default_factory=list)

    def step(
        self,
        *,
        talks: bool = False,
        noise: bool = False,
        lost: int = 0,
        report: int | None = None,
        mute: bool = False,
        expected: bool = True,
    ) -> Trouble:
        """Half a second: it talks, says comfort noise, reports what it lost (1/256), or reports without us (`mute`)."""
        self.now += LOOK
        packets, octets = (25, 25 * SPEECH) if talks else (1, 1) if noise else (0, 0)
        if packets:
            self.last_rtp = self.now
        if report is not None or mute:
            self.last_rtcp = self.now
        before = self.sound
        self.sound = before._replace(
            packets=before.packets + packets,
            octets=before.octets + octets,
            sent=before.sent + 25,
            lost=before.lost + lost,
            rtp_age_ms=round((self.now - self.last_rtp) * 1000) if self.last_rtp >= 0 else -1,
            rtcp_age_ms=round((self.now - self.last_rtcp) * 1000) if self.last_rtcp >= 0 else -1,
            told_loss=before.told_loss if report is None else report,
        )
        trouble = self.alarm.look(
            self.now, self.sound, expected=expected, after=AFTER, announced=self.announced, believe=self.believe
        )
        self.seen.append(trouble)
        return trouble

    def steps(self, seconds: float, **what: bool) -> set[Trouble]:
        """The same for a while; what was said meanwhile."""
        return {self.step(**what) for _ in range(round(seconds / LOOK))}


def test_a_far_end_that_sends_is_good() -> None:
    assert FarEnd().steps(60, talks=True) == {Trouble.NONE}


def test_nothing_ever_is_one_way_within_two_seconds() -> None:
    far = FarEnd()
    assert [far.step() for _ in range(4)][-1] is Trouble.ONE_WAY
    assert far.now <= 2.0
    assert far.step(talks=True) is Trouble.NONE


def test_sound_that_stops_is_dead_within_two_seconds_and_good_when_it_returns() -> None:
    far = FarEnd()
    far.steps(10, talks=True)
    assert [far.step() for _ in range(4)] == [Trouble.NONE, Trouble.DEAD, Trouble.DEAD, Trouble.DEAD]
    assert far.step(talks=True) is Trouble.NONE
    assert far.alarm.trouble is Trouble.NONE


def test_hold_is_no_trouble_and_the_time_counts_anew_behind_it() -> None:
    far = FarEnd()
    far.steps(5, talks=True)
    assert far.steps(60, expected=False) == {Trouble.NONE}
    assert [far.step() for _ in range(3)] == [Trouble.NONE, Trouble.NONE, Trouble.DEAD]


def test_hold_ends_an_alarm() -> None:
    far = FarEnd()
    far.steps(5, talks=True)
    far.steps(3)
    assert far.step(expected=False) is Trouble.NONE


def test_after_comfort_noise_silence_is_what_was_announced() -> None:
    far = FarEnd()
    far.steps(5, talks=True)
    far.step(noise=True)
    assert far.steps(300) == {Trouble.NONE}
    far.steps(1, talks=True)
    assert Trouble.DEAD in far.steps(2)


def test_who_has_announced_pauses_gets_them_for_a_while() -> None:
    far = FarEnd(announced=True)
    far.steps(5, talks=True)
    assert far.steps(PATIENCE - 1) == {Trouble.NONE}
    assert Trouble.DEAD in far.steps(2)


def test_who_has_announced_pauses_and_never_sent_anything_is_one_way_all_the_same() -> None:
    assert Trouble.ONE_WAY in FarEnd(announced=True).steps(2)


def test_who_pauses_is_dead_when_his_reports_stop_as_well() -> None:
    far = FarEnd(announced=True)
    far.steps(5, talks=True)
    for _ in range(20):
        far.step(report=0)
        assert far.steps(5) == {Trouble.NONE}
    assert Trouble.DEAD in far.steps(PATIENCE)


def test_who_pauses_without_a_word_is_alarmed_once_and_then_known() -> None:
    far = FarEnd()
    far.steps(5, talks=True)
    assert Trouble.DEAD in far.steps(3)
    far.steps(3, talks=True)
    assert far.alarm.pauses
    assert far.steps(PATIENCE - 1) == {Trouble.NONE}
    assert Trouble.DEAD in far.steps(2)
    assert far.alarm.troubled < 5


def test_a_gap_in_which_packets_were_lost_is_no_pause() -> None:
    far = FarEnd()
    far.steps(5, talks=True)
    far.steps(3)
    far.step(talks=True, lost=150)
    assert not far.alarm.pauses
    assert far.alarm.troubled == pytest.approx(2.5)
    assert Trouble.DEAD in far.steps(2)


def test_a_far_end_that_reports_to_have_lost_everything_hears_nothing() -> None:
    far = FarEnd()
    assert far.step(talks=True, report=0) is Trouble.NONE
    assert far.step(talks=True, report=ALL) is Trouble.UNHEARD
    assert far.steps(5, talks=True) == {Trouble.UNHEARD}
    assert far.step(talks=True, report=200) is Trouble.NONE


def test_a_far_end_that_reports_again_and_again_without_us_hears_nothing() -> None:
    far = FarEnd()
    said = []
    for _ in range(5):
        said.append(far.step(talks=True, mute=True))
        far.steps(4.5, talks=True)
    assert said[0] is said[1] is Trouble.NONE
    assert said[-1] is Trouble.UNHEARD
    assert far.step(talks=True, report=0) is Trouble.NONE


def test_a_far_end_without_any_reports_is_not_suspected() -> None:
    assert FarEnd().steps(300, talks=True) == {Trouble.NONE}


def test_reports_that_are_not_to_be_believed_count_for_nothing() -> None:
    far = FarEnd(believe=False)
    far.step(talks=True, report=ALL)
    assert far.steps(30, talks=True, mute=True) == {Trouble.NONE}


def test_a_line_that_counts_anew_is_not_dead() -> None:
    far = FarEnd()
    far.steps(10, talks=True)
    far.sound = NOTHING
    assert far.steps(5, talks=True) == {Trouble.NONE}


def test_a_clock_that_stands_or_steps_back_alarms_nobody() -> None:
    alarm = LegAlarm(100.0)
    looks = [alarm.look(now, NOTHING, expected=True, after=AFTER) for now in (100.0, 50.0, 50.0, 100.5)]
    assert set(looks) == {Trouble.NONE}


@given(st.floats(0, 30), st.floats(0, 1), st.booleans())
def test_looks_as_the_server_makes_them_tell_of_silence_within_two_seconds(
    stops: float, first: float, held: bool
) -> None:
    """All legs each second, those in doubt twice: sound stops, or does not come after a hold."""
    assume(not held or stops > first)
    alarm, sent = LegAlarm(0.0), 0
    for half in range(2 * 34):
        now = first + half / 2
        if half % 2 and not alarm.uneasy:
            continue
        talks = now < stops
        sent += 25
        sound = NOTHING._replace(
            packets=1 + (0 if held else int(50 * min(now, stops))),
            octets=SPEECH,
            sent=sent,
            rtp_age_ms=round(1000 * (now if held else max(0.0, now - stops))),
        )
        trouble = alarm.look(now, sound, expected=not (held and talks), after=AFTER)
        assert trouble is (Trouble.NONE if now < stops + AFTER - 0.001 else trouble)
        assert trouble is (Trouble.DEAD if now >= stops + 2.0 else trouble)


STEPS = st.lists(st.sampled_from(["talk", "silence", "hold"]), max_size=120)


@given(STEPS)
def test_an_alarm_stands_exactly_while_expected_sound_is_missing_for_too_long(steps: list[str]) -> None:
    """Lost packets in each gap: nobody is taken for one who pauses."""
    far, silent, came, before = FarEnd(), 0.0, False, ""
    for what in steps:
        trouble = far.step(talks=what == "talk", lost=1 if what == "talk" else 0, expected=what != "hold")
        silent = silent + LOOK if what == "silence" and before != "hold" else 0.0
        before = what
        came = came or what == "talk"
        wanted = (Trouble.DEAD if came else Trouble.ONE_WAY) if silent >= AFTER else Trouble.NONE
        assert trouble is wanted, (what, silent, far.alarm)


@given(STEPS, st.booleans(), st.booleans())
def test_a_leg_at_rest_is_not_looked_at_sooner_and_one_in_doubt_is(steps: list[str], cn: bool, told: bool) -> None:
    far, before = FarEnd(announced=told), ""
    for what in steps:
        far.step(talks=what == "talk", noise=cn and what == "silence", expected=what != "hold")
        anew = what == "silence" and before == "hold"  # counts from this look on
        quiet = what == "talk" or anew or (cn and what == "silence") or far.seen[-1] is not Trouble.NONE
        assert far.alarm.uneasy is not quiet
        before = what
