"""Who takes a person's call: presence x absence x rule to a person; never one who is absent, never for ever."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.attendance import Away, away
from routing.org import RULES, Absence, Organisation, Person, Rule, Shift, Team
from routing.substitute import MAX_DEPTH, Choice, Passed, Presence, See, Seen, could_take, who_takes

NOW = datetime.fromisoformat("2026-03-04T10:00:00+00:00").timestamp()  # a Wednesday
TEAMS = {"travel": Team("travel", lead="lead"), "office": Team("office", lead="boss")}


def people(*rows: Person) -> dict[str, Person]:
    return {row.id: row for row in rows}


CLERK = Person("clerk-12", tenant="acme", extension="1012", team="travel", deputies=("deputy",))
DEPUTY = Person("deputy", tenant="acme", extension="1013", team="office", deputies=("second",))
SECOND = Person("second", tenant="acme", extension="1014", team="office")
MATE = Person("mate", tenant="acme", extension="1015", team="travel")
LEAD = Person("lead", tenant="acme", extension="1016", team="travel", superior="boss")
BOSS = Person("boss", tenant="acme", extension="1017", team="office")
ALL = people(CLERK, DEPUTY, SECOND, MATE, LEAD, BOSS)


def organisation(
    persons: Mapping[str, Person] = ALL, absences: Sequence[Absence] = (), shifts: Sequence[Shift] = ()
) -> Organisation:
    return Organisation.of(
        persons, TEAMS, {row.id: row for row in absences}, {row.id: row for row in shifts}, {"phoneless": "1099"}
    )


def seen(**states: Presence) -> See:
    """Everybody online but these, `clerk_12=Presence.BUSY`."""
    by_key = {key.replace("_", "-"): state for key, state in states.items()}
    return lambda person, extension: Seen(by_key.get(person.id, Presence.ONLINE))


def leave(*persons: str, deputy: str | None = None) -> list[Absence]:
    return [Absence(f"a-{person}", person, "2026-03-01", "2026-03-08", deputy=deputy) for person in persons]


OFF = Presence.OFFLINE


@pytest.mark.parametrize(
    ("states", "absent", "rules", "taker", "reason"),
    [
        ({}, (), RULES, "clerk-12", "himself"),
        ({"clerk_12": OFF}, (), RULES, "deputy", "deputy"),
        ({"clerk_12": Presence.BUSY}, (), RULES, "deputy", "deputy"),
        ({}, ("clerk-12",), RULES, "deputy", "deputy"),
        ({}, ("clerk-12", "deputy"), RULES, "second", "deputy"),
        ({"second": OFF}, ("clerk-12", "deputy"), RULES, "lead", "team"),
        ({"second": OFF, "lead": OFF}, ("clerk-12", "deputy"), RULES, "mate", "team"),
        ({"second": OFF, "lead": OFF, "mate": OFF}, ("clerk-12", "deputy"), RULES, "boss", "superior"),
        ({}, ("clerk-12",), ("team",), "lead", "team"),
        ({}, ("clerk-12",), ("superior",), "lead", "superior"),
        ({"lead": OFF}, ("clerk-12",), ("superior",), "mate", "team"),
        ({"lead": OFF, "mate": OFF}, ("clerk-12",), ("superior",), "boss", "superior"),
        ({}, ("clerk-12",), ("superior", "deputy"), "lead", "superior"),
        ({"deputy": OFF, "second": OFF}, ("clerk-12",), ("deputy",), None, "nobody"),
        ({}, ("clerk-12",), (), None, "nobody"),
        ({}, tuple(ALL), RULES, None, "nobody"),
    ],
)  # fmt: skip
def test_absence_by_rule_leads_to_a_person(
    states: dict[str, Presence], absent: tuple[str, ...], rules: tuple[Rule, ...], taker: str | None, reason: str
) -> None:
    """R0-09, R0-10, R0-11: online: himself; else deputy, team, superior, as his rules say; nobody: an empty answer."""
    clerk = Person("clerk-12", tenant="acme", extension="1012", team="travel", deputies=("deputy",), rules=rules)
    choice = who_takes(organisation({**ALL, "clerk-12": clerk}, leave(*absent)), "clerk-12", NOW, seen(**states))
    assert (choice.person, choice.reason) == (taker, reason)
    assert choice.extension == (ALL[taker].extension if taker else None)


def test_the_choice_says_who_was_passed_over_and_why() -> None:
    choice = who_takes(organisation(absences=leave("clerk-12")), "clerk-12", NOW, seen(deputy=Presence.BUSY))
    assert choice == Choice("1014", "second", "deputy", (Passed("clerk-12", "leave"), Passed("deputy", "busy")))


def test_an_absence_may_name_its_own_deputy() -> None:
    """R0-10: set rules."""
    away_with_mate = organisation(absences=leave("clerk-12", deputy="mate"))
    assert who_takes(away_with_mate, "clerk-12", NOW, seen()).person == "mate"
    assert who_takes(away_with_mate, "clerk-12", NOW, seen(mate=OFF)).person == "deputy"


def test_an_inbound_clerk_is_chosen_by_the_same_rules() -> None:
    """R0-12: call takers."""
    taker = Person("taker", kind="inbound", extension="2001", deputies=("other",))
    other = Person("other", kind="inbound", extension="2002")
    assert who_takes(organisation(people(taker, other)), "taker", NOW, seen(taker=OFF)).extension == "2002"


def test_a_busy_person_may_be_worth_waiting_for() -> None:
    keep = Person("keep", extension="1", when_busy="keep", deputies=("mate",))
    assert who_takes(organisation({**ALL, "keep": keep}), "keep", NOW, seen(keep=Presence.BUSY)).person == "keep"


def test_a_person_without_a_phone_is_found_by_his_agents_profile_or_passed() -> None:
    phoneless = Person("phoneless")
    assert who_takes(organisation(people(phoneless)), "phoneless", NOW, seen()).extension == "1099"
    assert who_takes(organisation(people(Person("x"))), "x", NOW, seen()).passed == (Passed("x", "no-phone"),)


def test_an_unknown_person_is_nobody() -> None:
    assert who_takes(organisation(), "stranger", NOW, seen()) == Choice(None, None, "unknown-person")


def test_another_tenants_person_is_never_a_substitute() -> None:
    other = Person("deputy", tenant="beta", extension="1013")
    persons = {**ALL, "deputy": other, "lead": LEAD}
    assert who_takes(organisation(persons, leave("clerk-12")), "clerk-12", NOW, seen()).person == "lead"


def test_a_chain_ends_at_the_depth_limit() -> None:
    chain = people(*(Person(f"p{n}", extension=str(n), deputies=(f"p{n + 1}",)) for n in range(20)))
    choice = who_takes(organisation(chain), "p0", NOW, lambda person, _: Seen(OFF))
    assert len(choice.passed) == MAX_DEPTH + 1


def test_those_whose_state_may_decide_are_known_beforehand() -> None:
    assert could_take(organisation(absences=leave("clerk-12")), "clerk-12", NOW) == [
        "deputy", "second", "lead", "mate", "boss",
    ]  # fmt: skip


PERSONS = [f"p{n}" for n in range(8)]
some = st.lists(st.sampled_from(PERSONS), max_size=3).map(tuple)


@given(st.data())
def test_nobody_absent_is_ever_chosen_however_the_tree_is_tied(data: st.DataObject) -> None:
    """R0-10: circles and all, the search ends, and whoever it names is there and online."""
    persons = people(
        *(
            Person(
                key,
                extension=key,
                team=data.draw(st.sampled_from(["travel", None])),
                superior=data.draw(st.sampled_from([*PERSONS, None])),
                deputies=data.draw(some),
            )
            for key in PERSONS
        )
    )
    absent = set(data.draw(some))
    states = {key: data.draw(st.sampled_from(Presence)) for key in PERSONS}
    choice = who_takes(
        organisation(persons, leave(*absent)), "p0", NOW, lambda person, extension: Seen(states[person.id])
    )
    if choice.person is not None:
        assert choice.person not in absent
        assert states[choice.person] is Presence.ONLINE
    assert len({passed.person for passed in choice.passed}) == len(choice.passed)


DAY = Shift("d", "clerk-12", ("mon", "tue", "wed", "thu", "fri"), "08:00", "16:00", hand_over=15, relief="late")
LATE = Shift("l", "clerk-12", ("wed",), "16:00", "20:00", relief="night")
NIGHT = Shift("n", "clerk-12", ("tue",), "22:00", "06:00", hand_over=30, relief="early")


@pytest.mark.parametrize(
    ("at", "shifts", "expected"),
    [
        ("10:00", (DAY,), None),
        ("07:59", (DAY,), Away("off-shift", "late")),
        ("15:44", (DAY,), None),
        ("15:45", (DAY,), Away("hand-over", "late")),
        ("16:00", (DAY,), Away("off-shift", "late")),
        ("15:50", (DAY, LATE), Away("hand-over", "late")),
        ("16:00", (DAY, LATE), None),
        ("20:01", (DAY, LATE), Away("off-shift", "night")),
        ("05:29", (NIGHT,), None),
        ("05:30", (NIGHT,), Away("hand-over", "early")),
        ("06:00", (NIGHT,), Away("off-shift", "early")),
    ],
)
def test_shifts_with_hand_over(at: str, shifts: tuple[Shift, ...], expected: Away | None) -> None:
    """R0-10: in the last minutes of a shift, and after it, the relief takes the calls; a night goes over midnight."""
    now = datetime.fromisoformat(f"2026-03-04T{at}:00+00:00").timestamp()
    assert away(organisation(shifts=shifts), "clerk-12", now) == expected


def test_a_date_is_a_whole_day_in_its_zone() -> None:
    row = Absence("a", "clerk-12", "2026-03-04", "2026-03-04", zone="Asia/Shanghai")
    for text, gone in (("03T15:59:59", False), ("03T16:00:00", True), ("04T15:59:59", True), ("04T16:00:00", False)):
        now = datetime.fromisoformat(f"2026-03-{text}+00:00").timestamp()
        assert (away(organisation(absences=[row]), "clerk-12", now) is not None) == gone


def test_a_row_that_cannot_be_read_makes_its_person_absent() -> None:
    row = Absence("a", "clerk-12", "soon", "later")
    assert away(organisation(absences=[row]), "clerk-12", NOW) == Away("unreadable")
