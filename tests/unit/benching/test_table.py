"""Results survive their file, and the table says which goals are met."""

from pathlib import Path

import pytest

from benching import results, table
from benching.calls import CallRates
from benching.latency import SetupTimes
from benching.leak import Leaks
from benching.machine import Machine
from benching.media import Load, MediaResult
from benching.profile import Profile

MACHINE = Machine("2026-01-31", "a processor", 2, "6.1", "3.11.2", "abc1234")


def measured() -> results.Results:
    return results.Results(
        machines={"calls": MACHINE},
        calls={"sippy": CallRates([300, 320, 310], [2.0, 2.2, 2.1]), "tandem": CallRates([420, 410, 400], [1.6])},
        generator=2000,
        cpu_rate=100,
        latency={
            "sippy": SetupTimes([1.0], [3.0], [1.1], [3.1]),
            "tandem": SetupTimes([0.9], [7.0], [1.0], [7.1]),
        },
        latency_rate=50,
        media=MediaResult(200, [Load(200, 0.0005, 20.0, 31.0, 0.3, 250_000, 0, False)], [400]),
        leak=Leaks(15_000, 0, 0, 0, 0, 0, 0, 80.0, 200.0, 215.0),
        profile=Profile(100, 1.6, {"PJSIP": 0.4}, {"routing": 0.1}, {}),
    )


def test_results_are_the_same_after_they_were_saved(tmp_path: Path) -> None:
    measured().save(tmp_path)
    assert results.load(tmp_path) == measured()


def test_a_folder_without_results_gives_empty_ones(tmp_path: Path) -> None:
    assert table.rows(results.load(tmp_path)) == []


def test_the_table_judges_the_goals_by_the_medians() -> None:
    verdicts = {row.measure.strip().partition(",")[0]: row.met for row in table.rows(measured())}
    assert verdicts["calls/s on one core"] is True
    assert verdicts["kB (PSS) for each live call"] is True
    assert [row.met for row in table.rows(measured()) if row.measure.startswith("INVITE to 180, p99")] == [False]


def test_the_page_gets_the_table_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "".join(f"{table.BEGIN.format(n)}\nold\n{table.END.format(n)}\n" for n in ("table", "profile"))
    page.write_text(f"before\n{marks}after\n")
    table.write_page(measured(), page)
    text = page.read_text()
    assert "410 (400-420)" in text
    assert "| PJSIP | 40.0% |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here\n")
    with pytest.raises(ValueError, match="are missing"):
        table.write_page(measured(), page)
    assert page.read_text() == "nothing here\n"
