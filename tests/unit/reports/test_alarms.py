"""When a text message is due, on a clock of the test's own (R2-08)."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from b2bua.reports.alarms import Watch, look, times
from routing.notices import SmsRule

RUSH = SmsRule("rush", ("12345",), "{waiting}", measure="waiting", over=5.0, lasting=30.0, again_after=600.0)
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 30, tzinfo=BERLIN).timestamp()
"The day after the clocks went forward."


def sent(rule: SmsRule, values: dict[float, float | None], start: float = 0.0) -> list[float]:
    """At which seconds of a day messages go out; a value holds until the next one."""
    watch, value = Watch(start), None
    found: list[float] = []
    for second in range(int(max(values)) + 1):
        value = values.get(second, value)
        watch, due = look(rule, value, watch, start + second)
        if due:
            found.append(second)
    return found


def test_a_threshold_must_stay_passed_for_its_time() -> None:
    """R2-08: and then speaks again only after the pause."""
    assert sent(RUSH, {0: 5, 10: 6, 39: 5, 50: 6, 79: 6}) == []
    assert sent(RUSH, {0: 5, 10: 6, 700: 6}) == [40, 640]


def test_a_figure_that_swings_does_not_send_a_message_each_time() -> None:
    rule = replace(RUSH, lasting=0.0)
    swing: dict[float, float | None] = {float(second): (6.0 if second % 10 < 5 else 5.0) for second in range(181)}
    assert sent(rule, swing) == [0, 60, 120, 180]


def test_once_means_once_until_it_was_all_right_again() -> None:
    rule = replace(RUSH, lasting=0.0, again_after=0.0)
    assert sent(rule, {0: 9, 500: 9}) == [0]
    assert sent(rule, {0: 9, 100: 1, 200: 9, 300: 9}) == [0, 200]


def test_under_and_nothing_to_measure() -> None:
    rule = SmsRule("level", ("12345",), "x", measure="service-level", under=0.8)
    assert sent(rule, {0: None, 10: 0.8, 20: 0.79, 30: 0.79}) == [20]


@pytest.mark.parametrize(("days", "due"), [((), True), (("mon",), True), (("tue", "wed"), False)])
def test_a_time_of_day_comes_once_on_its_days(days: tuple[str, ...], due: bool) -> None:
    """R2-08: in the rule's zone."""
    rule = SmsRule("report", ("12345",), "x", at=("08:00", "18:30"), days=days, zone="Europe/Berlin")
    watch, found = Watch(MONDAY), []
    for minute in range(0, 24 * 60, 2):
        watch, now_due = look(rule, None, watch, MONDAY + minute * 60 + 1)
        if now_due:
            found.append(minute // 30)
    assert found == ([16, 37] if due else [])


def test_a_time_that_passed_while_the_server_was_away_is_made_up_for_soon_or_never() -> None:
    rule = SmsRule("report", ("12345",), "x", at=("08:00",), zone="Europe/Berlin")
    eight = MONDAY + 8 * 3600
    assert look(rule, None, Watch(eight - 300), eight + 600)[1]
    assert not look(rule, None, Watch(eight - 300), eight + 3600)[1]
    assert not look(rule, None, Watch(eight), eight + 1)[1]
    assert times(rule, eight) == [eight - 86400, eight]
