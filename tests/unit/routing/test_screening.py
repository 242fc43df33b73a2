"""Policies: which numbers may be dialled, caps of calls, minutes and cost a day, hours, and running calls."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.calendar import Calendar
from routing.dialled_number import allowed, dialled_number, named, price_of
from routing.digits import Dialling
from routing.number_rules import Region
from routing.number_rules import Rules as NumberRules
from routing.policy import Policy
from routing.screening import Bounds, Denied, Outside, Permit, Rules, Screen
from routing.spending import Bucket

GERMAN = Dialling("49", "0", "00")
NOON = 1_774_353_600.0
"2026-03-24, 12:00 UTC, a Tuesday."
CALL = Outside("08912345", "north", GERMAN, "acme", "1001", "phone")


def screen(*policies: Policy, bounds: Bounds | None = None, calendars: tuple[Calendar, ...] = ()) -> Screen:
    teams = {"sales": frozenset({"1001", "1002"})}
    rules = Rules.of(policies, teams, {one.id: one for one in calendars})
    return Screen(lambda: rules, lambda: bounds or Bounds())


def why(found: Permit | Denied) -> str:
    return found.why if isinstance(found, Denied) else "ok"


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("+49 89 12345", ("+498912345",)),
        ("00498912345", ("+498912345",)),
        ("08912345", ("+498912345",)),
        ("8912345", ("+498912345",)),
        ("498912345", ("+49498912345", "+498912345")),
        ("*31#08912345", ("*31#08912345",)),
    ],
)
def test_a_number_is_read_in_every_way_a_trunk_may_read_it(text: str, forms: tuple[str, ...]) -> None:
    assert dialled_number(text, GERMAN).forms == forms


def test_without_a_country_a_bare_number_stays_as_it_is() -> None:
    assert dialled_number("12345", Dialling()).forms == ("12345",)
    assert dialled_number("00123456", Dialling()).forms == ("+123456",)


@pytest.mark.parametrize(
    ("text", "patterns", "fits"),
    [
        ("08912345", ["+49"], True),
        ("08912345", ["089"], True),
        ("00498912345", ["0"], False),
        ("0088212345", ["0"], False),
        ("+8821", ["+882"], True),
        ("498912345", ["+4989"], False),
        ("08912345", [r"~\+4989[0-9]{5}"], True),
        ("08912345", [r"~0891"], False),
        ("*31#0088212345", ["+49", "0"], False),
    ],
)
def test_what_a_list_of_numbers_allows(text: str, patterns: list[str], fits: bool) -> None:
    """The international prefix is no number at home that begins with a nought; every reading must be named."""
    assert allowed(dialled_number(text, GERMAN), tuple(patterns)) is fits


@given(st.text("0123456789+*#- ", min_size=1, max_size=24))
def test_no_way_of_writing_a_number_gets_past_a_list_that_forbids_it(text: str) -> None:
    number = dialled_number(text, GERMAN)
    if number.plain and any(form.startswith("+882") for form in number.forms):
        assert named(number, ("+882",))
        assert why(screen(Policy("p", deny=("+882",))).look(replace(CALL, number=text), 0, NOON)) == "denied"


@pytest.mark.parametrize(
    ("steps", "number", "found"),
    [
        (["strip 0", "e164"], "000882123", "denied"),
        (["strip 9"], "90900123", "denied"),
        (["strip 0", "add 00"], "0882123", "denied"),
        (["^0(0.*)$ -> \\1", "digits"], "000882123", "denied"),
        (["strip 0", "e164"], "00892123", "ok"),
        (["digits", "add 90"], "+33882123", "ok"),
        (["national", "add 0900#"], "+4989123", "ok"),
    ],
)
def test_what_the_trunk_makes_of_a_number_is_forbidden_too(steps: list[str], number: str, found: str) -> None:
    """Its own prefixes, taken off or put in front, hide no number and make none forbidden."""
    written = tuple(NumberRules.parse(steps, Region("49", "0", "00")).on_the_way(number))
    policies = Policy("p", deny=("+882", "0900")), Policy("n", numbers=("+882",), calls=0)
    call = replace(CALL, number=number, written=written)
    assert why(screen(policies[0]).look(call, 0, NOON)) == found
    assert why(screen(bounds=Bounds(never=policies[0].deny)).look(call, 0, NOON)) == found.replace("denied", "never")
    assert why(screen(policies[1]).look(call, 0, NOON)) == ("calls" if "882" in number and found != "ok" else "ok")


def test_a_minute_costs_what_the_number_costs_that_the_trunk_makes_of_it() -> None:
    policy = Policy("p", cost=10, prices={"": 0.5, "+49": 0.01, "+882": 6.0})
    for number, written, rate in (
        ("000882123", ("00882123",), 6.0),
        ("0892123", ("89#0892123",), 0.01),
        ("0892123", ("+49892123",), 0.01),
    ):
        permit = screen(policy).look(replace(CALL, number=number, written=written), 0, NOON)
        assert isinstance(permit, Permit)
        assert permit.charges[0].rate == rate / 60
    bare = screen(policy).look(Outside("+4989", "north", written=("4989",)), 0, NOON)
    assert isinstance(bare, Permit)
    assert bare.charges[0].rate == 0.01 / 60, "nobody knows what digits mean without a country"


def test_a_policy_is_about_the_calls_it_names_only() -> None:
    one = Policy("p", tenant="acme", trunks=("north",), teams=("sales",), origins=("phone",), calls=0)
    assert why(screen(one).look(CALL, 0, NOON)) == "calls"
    for other in (
        replace(CALL, tenant="other"),
        replace(CALL, trunk="south"),
        replace(CALL, agent="1003"),
        replace(CALL, agent=""),
        replace(CALL, origin="api"),
    ):
        assert why(screen(one).look(other, 0, NOON)) == "ok"
    assert why(screen(replace(one, enabled=False)).look(CALL, 0, NOON)) == "ok"


def test_every_policy_that_is_about_a_call_must_allow_it() -> None:
    wide, narrow = Policy("a", allow=("+",)), Policy("b", allow=("+4989",))
    assert why(screen(wide, narrow).look(CALL, 0, NOON)) == "ok"
    assert why(screen(wide, narrow).look(replace(CALL, number="03012345"), 0, NOON)) == "not-allowed"


def test_the_node_has_the_first_and_the_last_word() -> None:
    bounds = Bounds(frozenset({"112"}), ("+882",), closed=True)
    found = screen(Policy("all", calls=0, deny=("1",)), bounds=bounds).look(replace(CALL, number="112"), 0, NOON)
    assert isinstance(found, Permit)
    assert found.emergency
    assert why(screen(bounds=bounds).look(replace(CALL, number="0088212345"), 0, NOON)) == "never"
    assert why(screen(bounds=bounds).look(CALL, 0, NOON)) == "not-allowed"
    assert why(screen(Policy("p", allow=("+49",)), bounds=bounds).look(CALL, 0, NOON)) == "ok"


def test_service_codes_are_dialled_only_where_a_policy_names_them() -> None:
    """Behind them may stand any number: `*31#0088...`."""
    assert why(screen().look(replace(CALL, number="*31#089"), 0, NOON)) == "number"
    assert why(screen(Policy("p", allow=("*31#089",))).look(replace(CALL, number="*31#089"), 0, NOON)) == "ok"


def test_closed_hours() -> None:
    office = Calendar("office", hours={"tue": ("08:00-12:00",)})
    rules = screen(Policy("p", calendar="office"), calendars=(office,))
    assert why(rules.look(CALL, 0, NOON - 60)) == "ok"
    assert why(rules.look(CALL, 0, NOON)) == "hours"
    assert why(screen(Policy("p", calendar="gone")).look(CALL, 0, NOON)) == "hours"


def test_calls_at_once_of_each_agent() -> None:
    one = screen(Policy("p", per="agent", calls=1))
    first = one.admit(CALL, 0, NOON)
    assert isinstance(first, Permit)
    assert why(one.admit(CALL, 1, NOON)) == "calls"
    assert why(one.admit(replace(CALL, agent="1002"), 1, NOON)) == "ok"
    one.over(first, 2, NOON)
    one.over(first, 2, NOON)
    assert why(one.admit(CALL, 3, NOON)) == "ok"


def test_minutes_of_running_talk_count_and_end_it() -> None:
    one = screen(Policy("p", minutes=10, warn_at=0.5), Policy("q", minutes=100, at_limit="warn"))
    first, second = one.admit(CALL, 0, NOON), one.admit(CALL, 0, NOON)
    assert isinstance(first, Permit)
    assert isinstance(second, Permit)
    one.answered(first, 10, NOON)
    assert one.review(309, NOON) == ([], [])
    one.answered(second, 250, NOON)
    alarms, ended = one.review(300, NOON)
    assert [(a.policy.id, a.level, round(a.used, 2)) for a in alarms] == [("p", "near", 5.67)]
    assert not ended
    assert one.review(301, NOON) == ([], []), "an alarm is given once a day"
    one.over(second, 400, NOON)
    alarms, ended = one.review(460, NOON)
    assert [(a.policy.id, a.level) for a in alarms] == [("p", "reached")]
    assert [(p, a.what) for p, a in ended] == [(first, "minutes")]
    assert why(one.admit(CALL, 460, NOON)) == "minutes"
    one.over(first, 470, NOON)
    assert why(one.admit(CALL, 500, NOON + 86400)) == "ok", "the next day begins anew"


def test_what_a_minute_costs_is_told_by_the_longest_prefix() -> None:
    prices = {"": 1.0, "+49": 0.02, "+4989": 0.01}
    assert price_of(dialled_number("08912345", GERMAN), prices) == 0.01
    assert price_of(dialled_number("03012345", GERMAN), prices) == 0.02
    assert price_of(dialled_number("0044201234567", GERMAN), prices) == 1.0
    assert price_of(dialled_number("498912345", GERMAN), prices) == 0.02, "of two readings the dearest"
    one = screen(Policy("p", cost=0.10, prices=prices, per="tenant"))
    permit = one.admit(CALL, 0, NOON)
    assert isinstance(permit, Permit)
    one.answered(permit, 0, NOON)
    assert one.review(599, NOON)[1] == []
    assert one.review(600.1, NOON)[1][0][1].what == "cost"


def test_talk_of_an_earlier_life_counts_as_far_as_it_is_of_today() -> None:
    one = screen(Policy("p", minutes=60))
    midnight = NOON - 12 * 3600
    one.restore(CALL, midnight - 600, midnight + 300, 5, NOON)
    one.restore(CALL, midnight - 900, midnight - 300, 5, NOON)
    assert [(row[0], row[3]) for row in one.used(6, NOON)] == [("p", 5.0)]


def test_a_day_that_begins_during_a_call_counts_what_comes_after() -> None:
    bucket = Bucket("a")
    bucket.began(0.5, 100)
    bucket.roll("b", 160)
    assert bucket.seconds(170) == 10
    assert bucket.cost(170) == 5
    bucket.ended(0.5, 100, 180)
    assert bucket.seconds(1000) == 20
    assert bucket.cost(1000) == 10


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 2)), max_size=20))
def test_sums_are_what_the_calls_come_to(talks: list[tuple[float, float, float]]) -> None:
    bucket, end = Bucket("a"), 2000.0
    for began, _, rate in talks:
        bucket.began(rate, began)
    assert bucket.seconds(end) == pytest.approx(sum(end - began for began, _, _ in talks), abs=1e-6)
    for began, length, rate in talks:
        bucket.ended(rate, began, began + length)
    assert bucket.seconds(end) == pytest.approx(sum(length for _, length, _ in talks), abs=1e-6)
    assert bucket.cost(end) == pytest.approx(sum(length * rate for _, length, rate in talks), abs=1e-6)


def test_counts_that_nobody_needs_are_forgotten() -> None:
    one = screen(Policy("p", per="number", calls=5))
    for n in range(10):
        permit = one.admit(replace(CALL, number=f"0891234{n}"), 0, NOON)
        assert isinstance(permit, Permit)
        one.over(permit, 1, NOON)
    one.sweep()
    assert not one.ledger.buckets
