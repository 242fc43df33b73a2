"""The floor with a full house: the benchmark's own small run."""

from pathlib import Path

from benching import floor, table
from benching.results import Results, load


def test_no_agent_and_no_caller_is_in_two_offers_and_the_row_says_so(tmp_path: Path) -> None:
    found = floor.measure(runs=1, offers=300)
    assert (found.offers >= 600, found.double) == (True, 0)
    Results(floor=found).save(tmp_path)
    rows = table.rows(load(tmp_path))
    assert [row.measure.partition(":")[0].strip() for row in rows] == [
        "2000 wait, an agent becomes free",
        "1000 agents, a caller comes",
        f"double offers among {found.offers}",
    ]
    assert rows[-1].met
