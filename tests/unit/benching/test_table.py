"""Results survive their file, and the table says which goals are met."""

import json
from pathlib import Path

import pytest

from benching import media_report, results, table
from benching.calls import CallRates
from benching.latency import SetupTimes
from benching.leak import Leaks
from benching.machine import Machine
from benching.media import MediaResult, Recording, Searched
from benching.media_load import Load
from benching.profile import Profile
from benching.relay_counters import Counted

MACHINE = Machine("2026-01-31", "a processor", 2, "6.1", "3.11.2", "abc1234")


def searched(
    most: int, cpu: float, kilobytes: float, counted: Counted | None = None, profile: dict[str, float] | None = None
) -> Searched:
    light = Load(100, 0.0, 0.04, 0.2, cpu, {"all": 1000 * kilobytes})
    return Searched(
        light, [Load(most, 0.0005, 0.1, 2.0, 0.9, {"all": 1000 * kilobytes})], most, "loss", counted, profile or {}
    )


def sound() -> MediaResult:
    return MediaResult(
        5.0,
        2400,
        {
            "rtpengine": [searched(1600, 0.06, 70), searched(1700, 0.06, 70)],
            "tandem": [
                searched(2000, 0.04, 60, Counted(1800, 1000, 999, {"relayed": 998, "refused": 1})),
                searched(2200, 0.05, 60, None, {"kernel: sendto": 0.5}),
            ],
        },
        [Recording(100, 0.04, 0.44, 0.0)],
    )


def measured() -> results.Results:
    return results.Results(
        machines={"calls": MACHINE, "media": MACHINE},
        calls={"sippy": CallRates([300, 320, 310], [2.0, 2.2, 2.1]), "tandem": CallRates([420, 410, 400], [1.6])},
        generator=2000,
        cpu_rate=100,
        latency={
            "sippy": SetupTimes([1.0], [3.0], [1.1], [3.1]),
            "tandem": SetupTimes([0.9], [7.0], [1.0], [7.1]),
        },
        latency_rate=50,
        media=sound(),
        leak=Leaks(15_000, 0, 0, 0, 0, 0, 0, 80.0, 200.0, 215.0),
        profile=Profile(100, 1.6, {"PJSIP": 0.4}, {"routing": 0.1}, {}),
    )


def test_results_are_the_same_after_they_were_saved(tmp_path: Path) -> None:
    measured().save(tmp_path)
    assert results.load(tmp_path) == measured()


def test_sound_as_an_older_version_has_left_it_is_forgotten(tmp_path: Path) -> None:
    file = measured().save(tmp_path)
    said = json.loads(file.read_text())
    file.write_text(json.dumps({**said, "media": {"calls": 200, "loads": [], "most": [400]}}))
    kept = results.load(tmp_path)
    assert kept.media is None
    assert kept.calls == measured().calls


def test_a_folder_without_results_gives_empty_ones(tmp_path: Path) -> None:
    assert table.rows(results.load(tmp_path)) == []


def test_the_table_judges_the_goals_by_the_medians() -> None:
    verdicts = {row.measure.strip().partition(",")[0]: row.met for row in table.rows(measured())}
    assert verdicts["calls/s on one core"] is True
    assert [row.met for row in table.rows(measured()) if row.measure.startswith("INVITE to 180, p99")] == [False]


def test_calls_with_sound_are_judged_against_rtpengine_and_against_fixed_limits() -> None:
    rows = {row.measure.strip(): row for row in media_report.rows(sound())}
    assert rows["calls at once on one core"].ratio == pytest.approx(2100 / 1650)
    assert {name for name, row in rows.items() if row.met is False} == {
        "100 calls recorded: CPU % of a core for each call, more"
    }
    assert rows["1800 calls: packets the relay read and lost"].found == {"tandem": "0 of 999"}
    assert rows["packets that never reached it"].found == {"tandem": "1"}
    assert not media_report.all_met(sound())


def test_a_load_passes_by_loss_delay_and_a_generator_that_keeps_up() -> None:
    light = Load(100, 0.0, 0.05, 0.2)
    assert not Load(500, 0.0009, 0.1, 20.1).failing(light)
    assert Load(500, 0.0011, 0.1, 1.0).failing(light) == "loss"
    assert Load(500, 0.0, 0.1, 20.3).failing(light) == "delay"
    assert Load(500, 0.0, 0.1, 1.0, void=True).failing(light) == "generator"


def test_the_page_gets_the_table_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "".join(f"{table.BEGIN.format(n)}\nold\n{table.END.format(n)}\n" for n in ("table", "media", "profile"))
    page.write_text(f"before\n{marks}after\n")
    table.write_page(measured(), page)
    text = page.read_text()
    assert "410 (400-420)" in text
    assert "| PJSIP | 40.0% |" in text
    assert "| calls at once on one core | 2100 (2000-2200) | 1650 (1600-1700) | 1.27 |" in text
    assert "| kernel: sendto | 50.0% |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    with pytest.raises(ValueError, match="are missing"):
        table.write_page(measured(), page)
    assert page.read_text() == "nothing here\n"
