"""A decision of the pacing: the benchmark's own small run."""

from pathlib import Path

from benching import pacing, table
from benching.results import Results, load


def test_every_size_is_measured_and_the_rows_say_the_goals(tmp_path: Path) -> None:
    found = pacing.measure(runs=1, decisions=100)
    Results(pacing=found).save(tmp_path)
    assert load(tmp_path).pacing == found
    rows = table.rows(load(tmp_path))
    assert [row.measure.partition(":")[0].strip() for row in rows] == ["200 agents", "2000 agents"] * 2
    assert [row.goal for row in rows] == ["<= 100", "<= 1000", "-", "-"]
