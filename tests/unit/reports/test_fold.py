"""Events folded into statistics, against figures counted by hand and against ground truth of random days."""

import json
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bua.reports.fold import Cell, Finished, Fold
from b2bua.reports.open_call import OpenCall
from b2bua.reports.spans import Days, pieces
from b2bua.reports.tally import Counts, add, complete, ratios

NINE = 1_767_258_000.0
"2026-01-01 09:00 UTC."


class Day:
    """A fold, and the events it is told."""

    def __init__(self, **options: Any) -> None:
        self.fold, self.number = Fold(**options), 0
        self.counts: dict[Cell, Counts] = {}
        self.finished: list[Finished] = []

    def tell(self, at: float, call: str | None, type: str, **data: object) -> None:
        self.number += 1
        self.fold.on(self.number, NINE + at, call, type, data)

    def call(self, id: str, at: float = 0.0, *, tenant: str = "acme", queue: str = "repairs", **more: object) -> None:
        """A call that waits in a queue."""
        self.tell(at, id, "call.received", calling="138001", called="8000", trunk="carrier")
        data = {"queue": queue, "area": "north", "vdn": "2001", "priority": "urgent", "tenant": tenant}
        self.tell(at, id, "call.queued", **(data | more))

    def take(self) -> None:
        counts, finished = self.fold.take()
        for cell, more in counts.items():
            add(self.counts.setdefault(cell, {}), more)
        self.finished += finished

    def row(self, by: str, key: str, tenant: str = "acme", start: float = NINE, span: Any = "quarter") -> Counts:
        self.take()
        return self.counts.get(Cell(span, start, by, key, tenant), {})


def answered(day: Day, id: str, at: float, wait: float, talk: float, extension: str = "1001") -> None:
    """The call is taken, and over, and the agent wraps up for 10 s."""
    tenant, queue = "acme", "repairs"
    day.call(id, at)
    up, down = at + wait, at + wait + talk
    day.tell(up - 1, id, "call.offered", extension=extension, queue=queue, tenant=tenant)
    day.tell(up, id, "call.dequeued", queue=queue, wait=wait, result="answered", extension=extension, tenant=tenant)
    day.tell(up, id, "call.answered", extension=extension, queue=queue, tenant=tenant)
    day.tell(up, id, "call.connected", extension=extension, queue=queue, tenant=tenant)
    day.tell(down, id, "call.wrapped", extension=extension, queue=queue, talk=talk, tenant=tenant)
    day.tell(down, id, "call.ended", cause="normal", talk=talk, duration=wait + talk, tenant=tenant)


def left(day: Day, id: str, at: float, wait: float, result: str) -> None:
    """The call leaves the queue unserved."""
    day.call(id, at)
    day.tell(at + wait, id, "call.dequeued", queue="repairs", wait=wait, result=result, tenant="acme")
    day.tell(at + wait, id, "call.ended", cause="cancelled", talk=0.0, duration=wait, tenant="acme")


def test_a_day_counted_by_hand() -> None:
    """R2-08: two answered (one of them late), one given up, one short, one overflowed: both service levels."""
    day = Day(level=lambda queue: 20.0)
    answered(day, "a", 0, 10, 100)
    answered(day, "b", 5, 30, 50)
    left(day, "c", 10, 40, "abandoned")
    left(day, "d", 20, 2, "short-abandoned")
    left(day, "e", 30, 60, "overflow")
    row = day.row("queue", "repairs")
    assert row == {
        "offered": 5, "answered": 2, "in_time": 1, "abandoned": 1, "short_abandoned": 1, "overflowed": 1,
        "wait": 142, "wait_answered": 40, "wait_abandoned": 42, "wait_longest": 60, "handled": 2, "talk": 150,
    }  # fmt: skip
    assert ratios(row) == {
        "service_level": 0.25, "service_level_answered": 0.5, "abandoned_share": 0.25, "mean_wait_answered": 20.0,
        "mean_wait_abandoned": 21.0, "mean_talk": 75.0, "occupancy": None,
    }  # fmt: skip
    for by, key in (("area", "north"), ("vdn", "2001"), ("class", "urgent")):
        assert day.row(by, key) == row
    of_calls = {"calls": 5, "calls_answered": 2, "call_talk": 150}
    assert day.row("tenant", "acme") == row | of_calls
    assert day.row("total", "") == row | of_calls
    assert day.row("agent", "1001") == {"offered": 2, "answered": 2, "handled": 2, "talk": 150}
    assert day.row("queue", "repairs", start=NINE - 9 * 3600, span="day") == row
    assert sorted(one.call for one in day.finished) == ["a", "b", "c", "d", "e"]


def test_results_belong_to_the_quarter_in_which_the_call_came() -> None:
    day = Day()
    answered(day, "late", 890, 30, 600)
    assert day.row("queue", "repairs")["answered"] == 1
    assert day.row("queue", "repairs", start=NINE + 900) == {}


def test_the_time_of_an_agent_is_cut_at_the_quarters() -> None:
    day = Day()

    def state(at: float, before: str, after: str, queue: str = "") -> None:
        day.tell(at, None, "agent.state", extension="1001", before=before, after=after, queue=queue)

    state(0, "logged-out", "available")
    state(600, "available", "ringing", "repairs")
    state(610, "ringing", "talking", "repairs")
    state(1210, "talking", "wrap-up", "repairs")
    day.fold.advance(NINE + 1215)
    state(1220, "wrap-up", "paused")
    state(1800, "paused", "logged-out")
    first, second = day.row("agent", "1001", ""), day.row("agent", "1001", "", NINE + 900)
    assert first == {"available": 600, "ringing": 10, "talking": 290}
    assert second == {"talking": 310, "wrap_up": 10, "paused": 580}
    assert ratios(first)["occupancy"] == pytest.approx(0.3333)
    assert day.row("queue", "repairs", "", NINE + 900) == {"wrap_up": 10}
    assert day.fold.agents == {}


def test_time_in_which_the_server_was_away_is_nobodys() -> None:
    """After a restart the agent's state is not the one we remember: what was between is not known."""
    day = Day()
    day.tell(0, None, "agent.state", extension="1001", before="logged-out", after="available")
    day.tell(500, None, "agent.state", extension="1001", before="logged-out", after="available")
    day.tell(560, None, "agent.state", extension="1001", before="available", after="paused")
    assert day.row("agent", "1001", "") == {"available": 60}


def test_a_clock_that_leaps_by_years_is_nobodys_time_either() -> None:
    """A machine whose clock begins in 1970 is set right while agents are at work: no quarter for each of 55 years."""
    day, leap = Day(), 55 * 365 * 86_400
    day.tell(0, None, "agent.state", extension="1001", before="logged-out", after="available")
    day.tell(leap, None, "agent.state", extension="1001", before="available", after="paused")
    day.tell(leap + 60, None, "agent.state", extension="1001", before="paused", after="available")
    assert day.row("agent", "1001", "", start=NINE + leap) == {"paused": 60}
    assert len(day.counts) < 10


def test_what_a_crash_ended_ended_when_the_server_died_however_late_that_is_told() -> None:
    """A caller who waited, one who talked, and their agent: the hour until the next start is nobody's."""
    day = Day()
    day.tell(0, None, "agent.state", extension="1001", before="logged-out", after="available")
    day.fold.advance(NINE + 30)
    day.call("waits", 40)
    day.call("talks", 40)
    day.tell(45, "talks", "call.dequeued", queue="repairs", wait=5, result="answered", tenant="acme")
    day.tell(45, "talks", "call.connected", extension="1001", queue="repairs", tenant="acme")
    day.tell(3600, None, "server.started", alive_until=NINE + 60)
    for call in ("waits", "talks"):
        day.tell(3600, call, "call.ended", cause="lost", ended_by="crash", duration=20.0, talk=15.0, tenant="acme")
    day.tell(3601, None, "agent.state", extension="1001", before="logged-out", after="available")
    day.fold.advance(NINE + 3611)
    row = day.row("queue", "repairs")
    assert (row["abandoned"], row["wait_abandoned"], row["wait_longest"], row["talk"]) == (1, 20, 20, 15)
    assert {one.body["ended_at"] for one in day.finished} == {NINE + 60}
    assert day.row("agent", "1001", "")["available"] == 60
    assert day.row("agent", "1001", "", NINE + 3600)["available"] == 10


def test_a_transfer_that_nobody_took_is_one_and_not_two() -> None:
    day = Day()
    answered(day, "a", 0, 10, 100)
    day.call("b", 200)
    day.tell(205, "b", "call.transferred", kind="agent", to="1002", by="1001", tenant="acme", **{"from": "1001"})
    day.tell(225, "b", "call.transferred", kind="agent", to="1001", by="transfer failed: busy", tenant="acme")
    assert day.row("queue", "repairs")["transfers"] == 1


def test_a_caller_whose_agent_is_lost_is_offered_again() -> None:
    day = Day()
    day.call("a")
    day.tell(5, "a", "call.dequeued", queue="repairs", wait=5, result="answered", tenant="acme")
    day.tell(5, "a", "call.connected", extension="1001", queue="repairs", tenant="acme")
    day.tell(15, "a", "call.wrapped", extension="1001", queue="repairs", talk=10, tenant="acme")
    day.tell(15, "a", "call.requeued", queue="repairs", why="agent-lost", tenant="acme")
    assert day.fold.waiting() == {"repairs": [NINE + 15]}
    day.tell(17, "a", "call.dequeued", queue="repairs", wait=2, result="answered", tenant="acme")
    day.tell(17, "a", "call.connected", extension="1002", queue="repairs", tenant="acme")
    day.tell(37, "a", "call.ended", cause="normal", talk=32, tenant="acme")
    row = day.row("queue", "repairs")
    assert (row["offered"], row["answered"], row["requeued"], row["handled"], row["talk"]) == (2, 2, 1, 2, 30)
    assert (day.finished[0].body["agents"], day.finished[0].body["extension"]) == (2, "1002")


def test_a_call_without_a_queue_counts_for_tenant_and_agent() -> None:
    day = Day()
    day.tell(0, "a", "call.received", calling="1", called="2", trunk="carrier")
    day.tell(1, "a", "screen.pop", tenant="acme", caller="138001", extension="1001")
    day.tell(1, "a", "call.offered", tenant="acme", extension="1001")
    day.tell(4, "a", "call.answered", tenant="acme", extension="1001")
    day.tell(9, "a", "call.transferred", tenant="acme", kind="agent", to="1002", by="1001")
    day.tell(64, "a", "call.ended", tenant="acme", cause="normal", talk=60.0, duration=64.0)
    tenant = day.row("tenant", "acme")
    assert tenant == {"calls": 1, "calls_answered": 1, "call_talk": 60, "handled": 1, "talk": 60, "transfers": 1}
    assert day.row("agent", "1001") == {"offered": 1, "answered": 1, "handled": 1, "talk": 60, "transfers": 1}
    assert day.finished[0].body["caller"] == "138001"


def test_the_verdict_of_the_filter_list_goes_with_the_call() -> None:
    """R2-06."""
    day = Day()
    for call, keep in (("a", True), ("b", False)):
        day.call(call)
        day.tell(3, call, "call.filtered", rule="tests", keep=keep, tenant="acme")
        day.tell(3, call, "call.ended", cause="cancelled", tenant="acme")
    day.take()
    assert [(one.call, one.keep, one.body["rule"]) for one in day.finished] == [
        ("a", True, "tests"),
        ("b", False, "tests"),
    ]


def test_what_comes_behind_the_end_of_a_call_opens_no_other() -> None:
    day = Day()
    left(day, "a", 0, 1, "abandoned")
    day.tell(5, "a", "call.dtmf", digit="1")
    day.tell(6, "a", "call.ended", cause="normal")
    assert day.fold.calls == {}
    assert day.row("total", "")["calls"] == 1


def test_days_begin_at_midnight_of_the_zone_also_when_the_clock_changes() -> None:
    days = Days(ZoneInfo("Europe/Berlin"))
    spring = 1_774_738_800.0  # 2026-03-29 00:00 in Berlin, a day of 23 hours
    assert days.begin(spring + 22 * 3600 + 3599) == spring
    assert days.begin(spring + 23 * 3600) == spring + 23 * 3600
    assert days.after(spring + 1) == spring + 23 * 3600
    assert days.after(spring) == spring


@given(st.integers(0, 10**6), st.integers(0, 10**5))
def test_pieces_of_a_stretch_add_up_and_stay_in_their_quarters(begin: int, length: int) -> None:
    cut = list(pieces(begin, begin + length))
    assert sum(seconds for _, seconds in cut) == length
    assert all(at // 900 == (at + seconds - 1) // 900 for at, seconds in cut)


RESULT = st.sampled_from(["answered", "abandoned", "short-abandoned", "overflow", "timeout", "callback", "moved", None])
CALL = st.tuples(st.integers(0, 3000), st.integers(0, 90), st.sampled_from(["repairs", "sales"]), RESULT)


@given(st.lists(CALL, max_size=30), st.integers(1, 40))
def test_counts_equal_the_ground_truth_and_a_restart_changes_nothing(
    calls: list[tuple[int, int, str, str | None]], stop_after: int
) -> None:
    """R2-05, R2-08: after any events waiting equals truth, rows add up, and a fold restored half-way goes on alike."""
    events: list[tuple[float, str, str, dict[str, object]]] = []
    for n, (at, wait, queue, result) in enumerate(calls):
        events.append((at, f"c{n}", "call.received", {}))
        events.append((at, f"c{n}", "call.queued", {"queue": queue, "tenant": "acme"}))
        if result is not None:
            events.append((at + wait, f"c{n}", "call.dequeued", {"queue": queue, "wait": wait, "result": result}))
            events.append((at + wait, f"c{n}", "call.ended", {"cause": "normal"}))
    events.sort(key=lambda event: event[0])
    day, waiting = Day(), Counter[str]()
    for number, (moment, call, kind, data) in enumerate(events, 1):
        day.tell(moment, call, kind, **data)
        waiting[str(data.get("queue"))] += {"call.queued": 1, "call.dequeued": -1}.get(kind, 0)
        found = {queue: len(times) for queue, times in day.fold.waiting().items()}
        assert found == {queue: n for queue, n in waiting.items() if n}
        if number == stop_after:
            kept = json.loads(json.dumps({key: open_.kept() for key, open_ in day.fold.calls.items()}))
            day.take()
            day.fold = Fold()
            day.fold.calls = {key: OpenCall.of(one) for key, one in kept.items()}
    day.take()
    sums: dict[str, Counts] = {"repairs": {}, "sales": {}}
    for cell, counts in day.counts.items():
        if cell.by == "queue" and cell.span == "quarter":
            add(sums[cell.key], counts)
    for queue in sums:
        row, mine = complete(sums[queue]), [result for _, _, name, result in calls if name == queue]
        assert row["offered"] == len(mine)
        assert row["answered"] == mine.count("answered")
        ended = ("answered", "abandoned", "short_abandoned", "overflowed", "timed_out", "callbacks", "moved")
        assert row["offered"] == sum(row[name] for name in ended) + mine.count(None)
