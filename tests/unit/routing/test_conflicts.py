"""A configuration that cannot work is refused, with every mistake named at once."""

from dataclasses import replace

import pytest

from routing.conflicts import Conflict, conflicts
from routing.correlation import Source
from routing.digits import Dialling, DigitPlan
from routing.directory import AccessNumber, EntryPoint, Route, Tenant
from tests.unit.routing.world import ACCESS, ACME, AGENTS, BOLT, OFF, OPTIONAL, OTHER_TRUNK, PROFILE, REQUIRED, ROUTES

ROWS = (REQUIRED, OPTIONAL, OFF)
TRUNKS = (PROFILE, OTHER_TRUNK)


def found(**change: object) -> list[tuple[str, str]]:
    return [(conflict.entity, conflict.field) for conflict in all_of(**change)]


def all_of(**change: object) -> list[Conflict]:
    good = {
        "tenants": (ACME, BOLT),
        "access_numbers": ROWS,
        "agents": AGENTS,
        "routes": ROUTES,
        "profiles": TRUNKS,
        "default_route": "reception",
    }
    return conflicts(**(good | change))  # type: ignore[arg-type]


def test_a_good_configuration_has_no_conflicts() -> None:
    assert all_of() == []
    assert all_of(default_route=None) == []
    assert conflicts() == []


def test_an_access_id_belongs_to_one_tenant() -> None:
    """R1-04: a duplicate is refused at configuration."""
    copy = replace(BOLT, access_id="5100")
    assert all_of(tenants=(ACME, copy)) == [Conflict("tenant bolt", "access_id", "5100 is already tenant acme's")]


def test_no_access_id_begins_another() -> None:
    """R1-04: an ID that is a prefix of another is refused, on whatever trunks they are."""
    plan = DigitPlan("", None, 8)
    trunks = tuple(replace(trunk, plan=plan) for trunk in TRUNKS)
    ids = ["5", "51", "512", "52", "6", "61", "7"]
    tenants = [replace(ACME, id=f"t{access_id}", access_id=access_id) for access_id in ids]
    tenants[4] = replace(tenants[4], trunks=frozenset({"other"}))
    messages = [conflict.message for conflict in all_of(tenants=tenants, access_numbers=(), profiles=trunks)]
    assert messages == [
        "51 begins with 5, which is tenant t5's",
        "512 begins with 51, which is tenant t51's",
        "52 begins with 5, which is tenant t5's",
        "61 begins with 6, which is tenant t6's",
    ]


@pytest.mark.parametrize(
    ("plan", "length"),
    [
        (DigitPlan("95", 4, 10), 16),
        (DigitPlan("95", 4, 9, "luhn"), 16),
        (DigitPlan("", 4, 12), 16),
        (DigitPlan("", None, 12), 16),
        (DigitPlan("", None, 11, "luhn"), 16),
    ],
)
def test_a_number_longer_than_fifteen_digits_is_refused(plan: DigitPlan, length: int) -> None:
    """R1-04: prefix + access ID + sequence + check digit, 16 where a trunk says so."""
    for most, refused in ((15, True), (16, False)):
        trunks = tuple(replace(trunk, plan=replace(plan, max_digits=most)) for trunk in TRUNKS)
        mistakes = all_of(profiles=trunks, tenants=(ACME,), access_numbers=())
        assert bool(mistakes) is refused
        assert all(f"is {length} digits" in mistake.message for mistake in mistakes)


def test_only_fifteen_or_sixteen_digits_can_be_carried() -> None:
    """R1-04"""
    profile = replace(PROFILE, plan=replace(PROFILE.plan, max_digits=17))
    assert found(profiles=(profile, OTHER_TRUNK)) == [("trunk carrier", "max_digits")]


def test_a_trunks_plan_must_make_sense() -> None:
    """R1-04: all mistakes at once."""
    profile = replace(
        PROFILE,
        sources=(Source.DIVERSION, Source.DIVERSION),
        plan=DigitPlan("9x", 0, 0),
        dialling=Dialling("+86", "0a", "0-0"),
    )
    assert found(tenants=(), access_numbers=(), profiles=(profile, replace(OTHER_TRUNK, sources=()))) == [
        ("trunk carrier", "prefix"),
        ("trunk carrier", "country_code"),
        ("trunk carrier", "national_prefix"),
        ("trunk carrier", "international_prefix"),
        ("trunk carrier", "sequence_width"),
        ("trunk carrier", "access_id_width"),
        ("trunk carrier", "sources"),
        ("trunk other", "sources"),
    ]


def test_a_tenants_mistakes_are_all_named() -> None:
    """R1-04"""
    bad = Tenant(
        "acme",
        "",
        "51x",
        frozenset({"carrier", "nowhere"}),
        frozenset({"alice"}),
        token_ttl=0,
        default_extension="999",
    )
    assert found(tenants=(bad, replace(BOLT, trunks=frozenset(), billing_numbers=frozenset()))) == [
        ("tenant acme", "access_id"),
        ("tenant acme", "access_id"),
        ("tenant acme", "trunks"),
        ("tenant acme", "billing_numbers"),
        ("tenant acme", "token_ttl"),
        ("tenant acme", "default_extension"),
        ("tenant bolt", "trunks"),
        ("tenant bolt", "billing_numbers"),
    ]


def test_one_sequence_number_must_fit_every_trunk_of_its_tenant() -> None:
    """R1-04: trunks with conflicting plans."""
    for plan, field in (
        (replace(PROFILE.plan, sequence_width=7), "sequence_width"),
        (replace(PROFILE.plan, check_digit="luhn"), "check_digit"),
    ):
        (mistake,) = all_of(profiles=(PROFILE, replace(OTHER_TRUNK, plan=plan)))
        assert mistake == Conflict(
            "tenant bolt",
            "trunks",
            f"trunks carrier and other differ in {field}: one number could not use both",
        )
    assert all_of(profiles=(PROFILE, replace(OTHER_TRUNK, plan=replace(PROFILE.plan, prefix="9")))) == []


def test_an_access_id_has_the_width_of_its_trunk() -> None:
    """R1-04"""
    (mistake,) = all_of(tenants=(replace(ACME, access_id="510"), BOLT))
    assert mistake.message == "must have 4 digits on trunk carrier, 510 has not"


def test_no_access_id_looks_like_another_with_a_dialling_prefix() -> None:
    """R1-04, R1-05: what a carrier puts in front must not lead to another tenant."""
    trunks = tuple(replace(trunk, plan=DigitPlan("", None, 7)) for trunk in TRUNKS)
    for access_id in ("05200", "865200", "00865200"):
        tenants = (replace(ACME, access_id=access_id), BOLT)
        (mistake,) = all_of(tenants=tenants, profiles=trunks)
        assert mistake.entity == "tenant acme"
        assert mistake.message.startswith("on trunk carrier it reads like tenant bolt's with ")
    assert all_of(tenants=(replace(ACME, access_id="05201"), BOLT), profiles=trunks) == []


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (AccessNumber("40x", "40x"), "first"),
        (AccessNumber("400", "4x9"), "last"),
        (AccessNumber("400", "4999"), "last"),
        (AccessNumber("499", "400"), "last"),
        (AccessNumber("400", "400", "perhaps"), "correlation"),  # type: ignore[arg-type]
        (AccessNumber("400", "400", default_tenant="nobody"), "default_tenant"),
        (AccessNumber("400", "400", default_route="nowhere"), "default_route"),
        (AccessNumber("400", "400", trunks=frozenset({"nowhere"})), "trunks"),
        (AccessNumber("400", "400", entry=EntryPoint("agent", "999")), "entry"),
        (AccessNumber("400", "400", entry=EntryPoint("vdn", "7")), "entry"),
        (AccessNumber("400", "400", entry=EntryPoint("ivr", "7")), "entry"),
        (AccessNumber("400", "400", entry=EntryPoint("queue", "7")), "entry"),
        (AccessNumber(ACCESS, ACCESS), "first"),
        (AccessNumber("4008100150", "4008100250"), "first"),
        (AccessNumber("4008100000", "4008100999"), None),
    ],
)
def test_a_row_of_the_access_number_table_is_checked(row: AccessNumber, field: str | None) -> None:
    """R1-05: entry points that do not exist are refused, and what two rows claim."""
    mistakes = found(access_numbers=(*ROWS, row))
    if field is None:
        assert mistakes == [(f"access number {OPTIONAL.label}", "first")]
    else:
        assert mistakes == [(f"access number {row.label}", field)]


def test_a_range_is_compared_with_every_other() -> None:
    """R1-05"""
    rows = [
        AccessNumber(first, last) for first, last in (("100", "900"), ("200", "210"), ("300", "310"), ("901", "902"))
    ]
    assert found(access_numbers=rows) == [("access number 200-210", "first"), ("access number 300-310", "first")]


def test_rows_of_different_trunks_may_list_the_same_number() -> None:
    """R1-05"""
    rows = [AccessNumber("400", "400", trunks=frozenset({trunk})) for trunk in ("carrier", "other")]
    assert found(access_numbers=[*rows, AccessNumber("400", "400")]) == []
    (mistake,) = all_of(access_numbers=[*rows, rows[0]])
    assert mistake.message == "is listed twice for trunk carrier"


def test_agents_and_routes_are_checked() -> None:
    agents = (*AGENTS, AGENTS[0], replace(AGENTS[0], extension="front desk"))
    routes = (*ROUTES, ROUTES[0], Route("lost", "999"))
    assert found(agents=agents, routes=routes, default_route="nowhere") == [
        ("agent front desk", "extension"),
        ("agent 801", "extension"),
        ("route lost", "extension"),
        ("route night-desk", "name"),
        ("node", "default_route"),
    ]
    assert found(tenants=(ACME, ACME))[0] == ("tenant acme", "id")
