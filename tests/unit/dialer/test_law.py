"""What the law counts, by the definitions of R3."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.command import Record
from dialer.counts import Counts, counts_of
from dialer.law import NAMES, NOTHING, LawCounters, limit_begins
from dialer.outcome import Outcome
from dialer.profiles import US

PERSON = Record(
    "1", Outcome.ANSWERED, 100.0, ringing_at=1.0, answered_at=12.0, live=True, connected_at=13.0, agent="1001"
)
LATE = replace(PERSON, connected_at=15.0, late=True)
ABANDONED = replace(PERSON, outcome=Outcome.ABANDONED, connected_at=None, agent="")
LEFT = replace(PERSON, connected_at=None, agent="", ended_at=13.0)
MACHINE = replace(PERSON, outcome=Outcome.MACHINE, live=False, connected_at=None, agent="")
SILENT = Record("2", Outcome.NO_ANSWER, 20.0, ringing_at=4.0, sip_code=487)


def of(record: Record, *, recorded: bool = False) -> LawCounters:
    return LawCounters.of_record(record, US, recorded=recorded)


@pytest.mark.parametrize(
    ("record", "counted"),
    [
        (PERSON, LawCounters(live=1, connected=1)),
        (LATE, LawCounters(live=1, abandoned=1, late=1, none_idle=1)),
        (ABANDONED, LawCounters(live=1, abandoned=1, none_idle=1)),
        (replace(ABANDONED, agents_idle=True), LawCounters(live=1, abandoned=1)),
        (LEFT, LawCounters(live=1)),
        (replace(PERSON, outcome=Outcome.OPTED_OUT), LawCounters(live=1, connected=1)),
        (MACHINE, LawCounters(machines=1)),
        (replace(MACHINE, connected_at=13.0, machine_as_human=True), LawCounters(machines_given=1)),
        (replace(PERSON, detail={"amd": {"kind": "human"}}), LawCounters(live=1, connected=1, analysed=1)),
        (SILENT, LawCounters(unanswered=1)),
        (replace(SILENT, ended_at=18.9), LawCounters(unanswered=1, short_rings=1)),
        (replace(SILENT, ended_at=19.0), LawCounters(unanswered=1)),
        (replace(SILENT, outcome=Outcome.BUSY, ended_at=4.1), LawCounters(unanswered=1)),
        (Record("3", Outcome.TRUNK_FAULT, 5.0), LawCounters(trunk_faults=1)),
        (Record("4", Outcome.WITHHELD, 5.0), LawCounters(withheld=1)),
        (Record("5", Outcome.UNKNOWN, 5.0), LawCounters(unknown=1)),
    ],
)  # fmt: skip
def test_each_call_counts_under_its_heading(record: Record, counted: LawCounters) -> None:
    """R3: late connects are abandoned; who hangs up before the limit is answered only; machines, faults
    of trunks apart. R3-15: its own figure is of those while nobody was idle."""
    assert of(record) == counted


def test_a_campaign_without_agents_plays_to_people_and_abandons_nobody() -> None:
    played = replace(PERSON, agent="")
    assert of(played, recorded=True) == LawCounters(live=1, recorded=1)
    assert of(played, recorded=True).share("ftc") == 0.0


def test_who_left_early_is_in_the_whole_and_not_in_the_part() -> None:
    total = of(PERSON) + of(LEFT) + of(ABANDONED)
    assert (total.answered_live, total.left_early) == (3, 1)
    assert total.share("ftc") == pytest.approx(1 / 3)
    assert total.share("ofcom") == pytest.approx(1 / 2)


RECORDS = st.sampled_from([PERSON, LATE, ABANDONED, LEFT, MACHINE, SILENT, replace(PERSON, detail={"amd": 1})])


@given(st.lists(RECORDS, max_size=40), st.booleans())
def test_hours_of_the_store_count_as_their_calls_do(records: list[Record], recorded: bool) -> None:
    """What is restored after a restart is what was counted before it."""
    hour = sum(map(counts_of, records), Counts())
    assert LawCounters.of_counts(hour, recorded=recorded) == sum(
        (of(one, recorded=recorded) for one in records), NOTHING
    )


@given(st.lists(RECORDS, max_size=40))
def test_shares_are_shares(records: list[Record]) -> None:
    total = sum(map(of, records), NOTHING)
    for false_positive in (0.0, 0.005, 0.5, 1.0):
        for formula in ("ftc", "ofcom"):
            share = total.share(formula, false_positive)
            assert 0.0 <= share <= 1.0
        assert total.share("ftc", false_positive) >= total.share("ftc")
    plain = total.abandoned / total.live if total.live else 0.0
    assert total.share("ftc") == plain
    assert 0 <= total.left_early <= total.live
    assert total - total == NOTHING


def test_people_taken_for_machines_count_as_abandoned() -> None:
    """R3, what abandoned is: one in a hundred takes a third of a budget of 3 %."""
    day = LawCounters(live=990, connected=980, abandoned=10, analysed=990, machines=500)
    assert day.people_lost(0.01) == pytest.approx(10.0)
    assert day.share("ftc", 0.01) == pytest.approx(20 / 1000)
    assert day.share("ofcom", 0.01) == pytest.approx(20 / 1000)
    assert replace(day, machines=4).people_lost(0.01) == 4.0
    assert replace(day, analysed=0).people_lost(0.01) == 0.0


def test_without_detection_the_machines_among_the_abandoned_are_estimated() -> None:
    """R3-12: Ofcom: by the machines that agents were given."""
    day = LawCounters(live=100, connected=90, abandoned=10, machines_given=10)
    assert day.machine_share == pytest.approx(0.1)
    assert day.share("ofcom") == pytest.approx(9 / 99)
    assert day.share("ftc") == pytest.approx(10 / 100)
    detected = replace(day, machines=1, analysed=100)
    assert detected.share("ofcom") == pytest.approx(10 / 100)


def test_the_second_figure_is_of_those_while_nobody_was_idle() -> None:
    """R3-15: kept beside the law's."""
    day = of(PERSON) + of(ABANDONED) + of(replace(ABANDONED, agents_idle=True))
    assert day.none_idle_share == pytest.approx(1 / 3)
    assert day.share("ftc") == pytest.approx(2 / 3)


def test_inbound_callers_who_give_up_are_in_no_share() -> None:
    day = LawCounters(live=10, connected=10, inbound_abandoned=5)
    assert (day.share("ftc"), day.share("ofcom"), day.none_idle_share) == (0.0, 0.0, 0.0)
    assert "inbound_abandoned" in NAMES


@pytest.mark.parametrize(
    ("start", "greeting", "begins"),
    [
        ("answer", (11.0, 13.0), 10.0),
        ("greeting-start", (11.0, 13.0), 11.0),
        ("greeting-end", (11.0, 13.0), 13.0),
        ("greeting-start", (None, None), 10.0),
        ("greeting-end", (11.0, None), 10.0),
        ("greeting-end", (8.0, 9.0), 10.0),
    ],
)
def test_two_seconds_from_the_answer_or_the_greeting(
    start: str, greeting: tuple[float | None, float | None], begins: float
) -> None:
    """R3-12: US from the completed greeting; unheard greetings begin with the answer."""
    law = replace(US, connect_start=start)  # type: ignore[arg-type]
    assert limit_begins(law, 10.0, *greeting) == begins
