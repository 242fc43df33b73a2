"""Short days of campaigns with the real pacing: what every mode must keep, and what the commands print."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.campaign import Mode
from dialer.phases import Rules
from dialer.verdict import Cause
from simulating import dialer_report
from simulating.__main__ import app
from simulating.dialer_cases import FREE, PARTS, Case, Goal
from simulating.dialer_day import DialDay, Machines, at, steady
from simulating.dialer_report import Done
from simulating.dialer_result import DayResult, Figures
from simulating.dialer_run import simulate

TEN = DialDay(agents=steady(10), hours=1.5)


def test_progressive_abandons_nobody_and_talks_as_long_as_theory_says() -> None:
    """R3-10: between two talks an agent waits for the calls that fail, one after the other, and for one that rings."""
    found = simulate(replace(TEN, agents=steady(30)), Mode.PROGRESSIVE)
    assert found.abandoned == 0
    waits = 12 + 25 * 0.7 / 0.3 + 0.5
    assert found.talk_share == pytest.approx(120 / (120 + 20 + waits), abs=0.02)
    assert found.dialled / found.answered == pytest.approx(1 / 0.3, rel=0.1)


def test_predictive_talks_far_more_and_stays_under_the_cap() -> None:
    """R3-10, R3-15."""
    progressive = simulate(TEN, Mode.PROGRESSIVE)
    predictive = simulate(TEN, Mode.PREDICTIVE, FREE)
    assert predictive.talk_share > progressive.talk_share + 0.08
    assert predictive.rate <= 0.03
    assert predictive.reasons[Cause.FEW_DATA] > 0
    assert predictive.reasons[Cause.PREDICTIVE] > 0


def test_the_rules_word_by_word_break_the_cap_and_the_guarded_ones_do_not() -> None:
    """R3-14, R3-15: ten agents, one call divided by the share of answers for each idle one."""
    word = simulate(TEN, Mode.RULE_BASED, replace(FREE, ratio=10.0, literal=True))
    guarded = simulate(TEN, Mode.RULE_BASED, replace(FREE, ratio=10.0))
    assert word.rate > 0.06
    assert guarded.rate <= 0.03
    assert guarded.reasons[Cause.CAP] > 0


@pytest.mark.parametrize(
    "changed",
    [
        {"answer": ((0.0, 0.3), (0.4, 0.6), (0.8, 0.3))},
        {"talk": ((0.0, 120.0), (0.5, 240.0))},
        {"agents": ((0.0, 30.0), (0.5, 15.0))},
        {"drift": 0.5},
        {"machines": Machines(0.2, human_as_machine=0.005, machine_as_human=0.1)},
        {"machines": Machines(0.2, detected=False)},
        {"lines": 35},
        {"wrap": 0.0},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_changes_the_day_ends_under_the_cap(changed: dict[str, object]) -> None:
    """R3-15."""
    day = replace(DialDay(agents=steady(30), hours=1.0), **changed)  # type: ignore[arg-type]
    found = simulate(day, Mode.PREDICTIVE, FREE)
    assert found.rate <= 0.03
    assert found.answered > 200
    assert day.lines is None or found.most_lines <= day.lines


def test_a_power_campaign_with_too_high_a_ratio_is_held_at_the_cap() -> None:
    found = simulate(TEN, Mode.POWER, replace(FREE, ratio=6.0))
    assert found.rate <= 0.03
    assert found.reasons[Cause.POWER] > 0


def test_who_leaves_ends_his_call_and_takes_no_other() -> None:
    day = DialDay(agents=((0.0, 20), (0.5, 0), (0.8, 20)), hours=1.0)
    found = simulate(day, Mode.PROGRESSIVE)
    assert found.duty == pytest.approx(20 * 0.7 * 3600)
    assert found.reasons[Cause.NO_AGENT] >= 0.3 * 3600 / day.tick


def test_the_same_seed_gives_the_same_day() -> None:
    day = replace(TEN, hours=0.3)
    assert simulate(day, Mode.PREDICTIVE, Rules(), 7) == simulate(day, Mode.PREDICTIVE, Rules(), 7)
    assert simulate(day, Mode.PREDICTIVE, Rules(), 7) != simulate(day, Mode.PREDICTIVE, Rules(), 8)


def test_levels_change_at_their_hour() -> None:
    level = ((0.0, 1.0), (1.0, 2.0))
    assert [at(level, second) for second in (0.0, 3599.9, 3600.0)] == [1.0, 1.0, 2.0]
    assert DialDay(drift=0.5).share(2 * 3600.0) == pytest.approx(0.45)


def test_every_case_names_its_days_and_no_day_is_no_figure() -> None:
    for cases in PARTS.values():
        assert all(case.days >= 1 and case.name for case in cases())
    with pytest.raises(ValueError, match="no day"):
        Figures.of([])


def test_the_page_gets_a_table_between_its_marks(tmp_path: Path) -> None:
    case = Case("a day", 10, TEN, goal=Goal(0.7))
    days = [
        DayResult("predictive", 1.0, duty=100.0, talk=71.0, dialled=3000, answered=1000, abandoned=lost)
        for lost in (29, 31)
    ]
    assert (Done(case, days[:1]).met, Done(case, days).met) == (True, False)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{dialer_report.BEGIN.format('modes')}\nold\n{dialer_report.END.format('modes')}\nafter\n")
    dialer_report.write_page("modes", [Done(case, days)], page)
    text = page.read_text()
    assert "| a day | 10 | 2 | 2,000 | 71.0% | 71.0% | 3.00% | 3.10% | 3.00 | talk >= 70.0%, <= 3.0% | missed |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    with pytest.raises(ValueError, match="missing"):
        dialer_report.write_page("changes", [], page)


def test_the_command_prints_a_table_and_refuses_unknown_parts() -> None:
    asked = ["dialer", "--agents", "10", "--hours", "0.1", "--days", "1", "--no-picture"]
    done = CliRunner().invoke(app, [*asked, "--mode", "progressive", "--mode", "predictive"])
    assert done.exit_code == 0, done.output
    assert [line.split()[1] for line in done.output.splitlines() if line.startswith("│")] == [
        "progressive",
        "predictive",
    ]
    assert CliRunner().invoke(app, ["dialer", "nothing"]).exit_code == 2
