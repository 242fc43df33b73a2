"""Whose call is it: each case of R1-03 to R1-05, R1-07 and R1-08."""

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.arrival import Arrival, Body
from routing.correlation import Pick, Source
from routing.digits import DigitPlan
from routing.directory import AccessNumber, Correlation, Tenant
from routing.identify import Identified, effective_caller, identify, network_caller
from routing.outcome import Outcome
from tests import isup_build as build
from tests.unit.routing.test_address import SIP_LIKE
from tests.unit.routing.world import ACCESS, ACME, BILLING, BOLT, OFF, OPTIONAL, PROFILE, REQUIRED, arrival, directory

WORLD = directory()
TOKEN = "510000004711"
CHECKS: tuple[Literal["none", "luhn"], ...] = ("none", "luhn")


def ends(*diversions: str, **kwargs: object) -> Identified:
    return identify(arrival(*diversions, **kwargs), PROFILE, WORLD)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "source"),
    [
        (arrival(TOKEN), Source.DIVERSION),
        (arrival(history=(f"<sip:{TOKEN}@h>;index=1, <sip:{ACCESS}@h>;index=1.1;rc=1",)), Source.HISTORY_INFO),
        (arrival(isup=build.diverted_iam(ACCESS, TOKEN, "13700000000")), Source.ISUP_CALLED),
        (arrival(isup=build.diverted_iam(ACCESS, None, TOKEN)), Source.ISUP_REDIRECTING),
    ],
)
def test_the_same_pair_comes_from_every_source(call: Arrival, source: Source) -> None:
    """R1-03: access ID and sequence number, and the CDR can tell where they stood."""
    found = identify(call, PROFILE, WORLD)
    assert found == Identified(Outcome.CORRELATED, ACCESS, BILLING, REQUIRED, ACME, "5100", "00004711", source, TOKEN)
    assert found.correlated
    assert not found.failed


@pytest.mark.parametrize(
    "written",
    [TOKEN, f"+86{TOKEN}", f"0086{TOKEN}", f"0{TOKEN}", f"86{TOKEN}", "5100-0000-4711;npdi;rn=+8610", f"%2B86{TOKEN}"],
)
def test_every_spelling_of_the_number_is_split(written: str) -> None:
    """R1-03: normalisation before the split."""
    assert ends(f"<sip:{written}@h>").sequence == "00004711"


@pytest.mark.parametrize(
    ("nature", "digits"),
    [
        (build.NATIONAL, TOKEN),
        (build.INTERNATIONAL, f"86{TOKEN}"),
        (build.UNKNOWN, f"0{TOKEN}"),
        (build.SUBSCRIBER, TOKEN),
    ],
)
def test_the_nature_of_address_decides_in_isup(nature: int, digits: str) -> None:
    """R1-03"""
    found = ends(isup=build.diverted_iam(ACCESS, digits, nature=nature))
    assert (found.outcome, found.original_called) == (Outcome.CORRELATED, TOKEN)


def test_a_national_number_keeps_its_leading_zero() -> None:
    """R1-03: a number that says it is national has no prefix to take off."""
    found = ends(isup=build.diverted_iam(ACCESS, f"0{TOKEN}", nature=build.NATIONAL))
    assert found.outcome is Outcome.MALFORMED


def test_the_first_entry_that_splits_to_an_id_known_on_this_trunk_wins() -> None:
    """R1-03: all entries of all sources are tried in order."""
    tenant_of = {"510000000001": "acme", "520000000002": "bolt"}
    acme, bolt = tenant_of
    junk = ["13800000000", "599900000003", "4711", "<sip:alice@h>", "<sip:9@h"]
    for pick, first, second in ((Pick.OLDEST, bolt, acme), (Pick.NEWEST, acme, bolt), (Pick.FIRST, acme, bolt)):
        found = identify(arrival(*junk, acme, bolt, *junk), replace(PROFILE, diversion_pick=pick), WORLD)
        assert found.tenant is not None
        assert found.tenant.id == tenant_of[first], (pick, second)
    history = (f"<sip:{bolt}@h>;index=1",)
    assert ends(acme, history=history).source is Source.DIVERSION
    assert ends("4711", history=history).source is Source.HISTORY_INFO


def test_one_broken_entry_spoils_nothing() -> None:
    """R1-03"""
    found = ends(f"<sip:{TOKEN}@h>;reason=unconditional, <sip:5100@h", "sip:", '"open <sip:1@h>')
    assert (found.outcome, found.sequence) == (Outcome.CORRELATED, "00004711")


def test_a_private_number_is_used_but_not_shown() -> None:
    """R1-03: privacy=full is decoded but masked."""
    found = ends(f"<sip:{TOKEN}@h>;privacy=full")
    assert (found.outcome, found.masked, found.sequence) == (Outcome.CORRELATED, True, "00004711")
    assert found.shown_digits == "x" * 12
    assert ends(TOKEN).shown_digits == TOKEN


@pytest.mark.parametrize("row", [REQUIRED, OPTIONAL])
@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        ("<sip:alice@h>", Outcome.MALFORMED),
        ("<sip:*31#@h>", Outcome.MALFORMED),
        ("<sip:5100@h", Outcome.MALFORMED),
        ("5100000047112", Outcome.MALFORMED),
        ("51000000471", Outcome.TOO_SHORT),
        ("1", Outcome.TOO_SHORT),
        ("599900004711", Outcome.UNKNOWN_ACCESS_ID),
        ("530000004711", Outcome.WRONG_TRUNK),
        ("540000004711", Outcome.TENANT_DISABLED),
    ],
)
def test_each_failure_has_its_own_outcome_and_nobodys_data(row: AccessNumber, number: str, outcome: Outcome) -> None:
    """R1-05: malformed, too short, unknown, wrong trunk: each told, where correlation is optional too."""
    elsewhere = replace(ACME, id="cell", access_id="5300", trunks=frozenset({"other"}))
    asleep = replace(ACME, id="dorm", access_id="5400", enabled=False)
    world = directory(tenants=(ACME, BOLT, elsewhere, asleep))
    found = identify(arrival(number, called=row.first), PROFILE, world)
    assert found.outcome is outcome
    assert found.failed
    assert found.tenant is None
    assert found.access == row
    assert found.source is Source.DIVERSION


def test_the_failure_that_got_furthest_is_told() -> None:
    """R1-05: the most telling of what was tried."""
    elsewhere = replace(ACME, id="cell", access_id="5300", trunks=frozenset({"other"}))
    world = directory(tenants=(ACME, elsewhere))
    numbers = ["<sip:alice@h>", "599900004711", "51000000471", "530000004711"]
    digits = ["", *numbers[1:]]
    outcomes = [Outcome.MALFORMED, Outcome.UNKNOWN_ACCESS_ID, Outcome.TOO_SHORT, Outcome.WRONG_TRUNK]
    for most in range(1, len(numbers) + 1):
        for order in (numbers[:most], numbers[:most][::-1]):
            found = identify(arrival(*order), PROFILE, world)
            assert found.outcome is outcomes[most - 1]
            assert found.original_called == digits[most - 1]


def test_of_failures_that_got_equally_far_the_first_is_told() -> None:
    """R1-05: the trunk's order says which entry is the likeliest."""
    for order, outcome in (
        (("4711", "<sip:alice@h>"), Outcome.MALFORMED),
        (("<sip:alice@h>", "4711"), Outcome.TOO_SHORT),
        (("5100000047112", "51000000471"), Outcome.TOO_SHORT),
        (("51000000471", "5100000047112"), Outcome.MALFORMED),
    ):
        assert ends(*order).outcome is outcome


def test_missing_is_a_failure_only_where_correlation_is_required() -> None:
    """R1-05: missing where required; missing where optional or off is no failure."""
    required, optional, off = (ends(called=row.first) for row in (REQUIRED, OPTIONAL, OFF))
    assert (required.outcome, required.failed, required.tenant) == (Outcome.MISSING, True, None)
    assert (optional.outcome, optional.failed, optional.tenant) == (Outcome.ABSENT, False, ACME)
    assert (off.outcome, off.failed, off.tenant) == (Outcome.OFF, False, BOLT)


def test_where_correlation_is_off_nothing_is_read() -> None:
    """R1-05: not even another tenant's valid number."""
    found = ends(TOKEN, called=OFF.first)
    assert (found.outcome, found.tenant, found.sequence) == (Outcome.OFF, BOLT, "")


def test_the_called_number_itself_says_nothing_about_the_caller() -> None:
    """R1-05: RFC 7044 lists the current target too; a call with no other entry is missing its number, not malformed."""
    target = f"<sip:+86{ACCESS}@h>;index=1"
    assert ends(history=(target,)).outcome is Outcome.MISSING
    assert ends(ACCESS, history=(target,)).outcome is Outcome.MISSING
    assert ends(called=OPTIONAL.first, history=(f"<sip:{OPTIONAL.first}@h>;index=1",)).outcome is Outcome.ABSENT


def test_a_default_tenant_that_is_gone_or_asleep_is_nobodys() -> None:
    """R1-05"""
    for tenants in ((BOLT,), (replace(ACME, enabled=False),)):
        found = identify(arrival(called=OPTIONAL.first), PROFILE, directory(tenants=tenants))
        assert (found.outcome, found.tenant) == (Outcome.ABSENT, None)


@pytest.mark.parametrize("called", ["4008100003", "4008100200", "400810010", "alice", "", "*21*4008100001#"])
def test_an_unknown_called_number_is_told(called: str) -> None:
    """R1-05: access-number table"""
    found = ends(TOKEN, called=called)
    assert (found.outcome, found.called, found.tenant, found.access) == (Outcome.UNKNOWN_CALLED, called, None, None)
    assert found.failed


@pytest.mark.parametrize("called", ["4008100100", "4008100150", "4008100199", "+864008100150", "04008100150"])
def test_a_range_covers_its_numbers(called: str) -> None:
    """R1-05: called number or range."""
    assert ends(called=called).access == OPTIONAL


@pytest.mark.parametrize(
    "caller",
    [BILLING, "8659512345678", "059512345678", "59512345678", "0086 595-1234-5678", "+8659512345678;cpc=ordinary"],
)
def test_a_billing_number_is_recognised_in_every_spelling(caller: str) -> None:
    """R1-03, R1-05: caller = a billing number of the tenant (checked)."""
    assert ends(TOKEN, caller=caller).tenant == ACME
    assert ends("520000004711", caller=caller).tenant == BOLT


@pytest.mark.parametrize("caller", ["13900000000", "+8559512345678", "", "anonymous", "595123456780", "alice"])
def test_another_caller_than_the_tenants_is_refused(caller: str) -> None:
    """R1-05: wrong billing number; the tenant stays out of it."""
    found = ends(TOKEN, caller=caller)
    assert (found.outcome, found.tenant) == (Outcome.WRONG_BILLING, None)
    assert (found.access_id, found.sequence, found.source) == ("5100", "00004711", Source.DIVERSION)


def test_a_wrong_billing_number_does_not_try_the_next_entry() -> None:
    """R1-03: the first that splits to a known access ID wins, and then it is checked."""
    assert ends("520000004711", TOKEN, caller="13900000000").outcome is Outcome.WRONG_BILLING
    assert ends(TOKEN, "520000004711", caller="13900000000").tenant == BOLT


def test_a_tenant_without_billing_numbers_has_no_callers() -> None:
    """R1-05"""
    world = directory(tenants=(replace(ACME, billing_numbers=frozenset()),))
    assert identify(arrival(TOKEN), PROFILE, world).outcome is Outcome.WRONG_BILLING
    world = directory(tenants=(replace(ACME, billing_numbers=frozenset({"nonsense", BILLING})),))
    assert identify(arrival(TOKEN), PROFILE, world).outcome is Outcome.CORRELATED


def test_the_asserted_identity_counts_on_trusted_trunks_only() -> None:
    """R1-03: From user; PAI when the trunk is trusted."""
    trusted = replace(PROFILE, trust_asserted=True)
    forged = arrival(TOKEN, caller=BILLING, asserted="+8613700000000")
    honest = arrival(TOKEN, caller="anonymous", asserted=BILLING)
    assert identify(forged, trusted, WORLD).outcome is Outcome.WRONG_BILLING
    assert identify(forged, PROFILE, WORLD).outcome is Outcome.CORRELATED
    assert identify(honest, trusted, WORLD).outcome is Outcome.CORRELATED
    assert identify(honest, PROFILE, WORLD).outcome is Outcome.WRONG_BILLING
    withheld = arrival(TOKEN, caller=BILLING, asserted="anonymous")
    assert network_caller(withheld, trusted) == BILLING


def test_the_access_id_finds_the_tenants_own_connection() -> None:
    """R1-06"""
    for number, tenant in ((TOKEN, ACME), ("520000004711", BOLT)):
        found = ends(number)
        assert found.tenant is not None
        assert found.tenant.connection is tenant.connection


def test_three_callers_of_two_tenants_behind_one_billing_number_are_told_apart() -> None:
    """R1-07: the source design's own example."""
    rows = {
        ("acme", "00000001"): "13800000001",
        ("acme", "00000002"): "13800000002",
        ("bolt", "00000001"): "+86 138-0000-0003",
    }
    shown = []
    for number in ("510000000001", "510000000002", "520000000001"):
        call = arrival(number, caller=BILLING)
        found = identify(call, PROFILE, WORLD)
        assert found.tenant is not None
        shown.append(effective_caller(rows[found.tenant.id, found.sequence], call, PROFILE))
    assert shown == ["13800000001", "13800000002", "+8613800000003"]


@pytest.mark.parametrize(
    ("row", "caller", "asserted", "trusted", "effective"),
    [
        ("13800000001", BILLING, "+86137", True, "13800000001"),
        (" +86 (138) 0000 ", BILLING, None, False, "+861380000"),
        ("member 42", BILLING, None, False, "member 42"),
        (None, BILLING, "+86137", True, "+86137"),
        (None, BILLING, "+86137", False, BILLING),
        ("", "0595-1234;cpc=x", None, True, "05951234"),
        ("  ", BILLING, "anonymous", True, BILLING),
        (None, "alice\x00", None, False, "alice\ufffd"),
    ],
)
def test_the_effective_caller_is_the_rows_else_the_networks(
    row: str | None, caller: str, asserted: str | None, trusted: bool, effective: str
) -> None:
    """R1-07: the row's caller number, else PAI/From."""
    profile = replace(PROFILE, trust_asserted=trusted)
    call = arrival(caller=caller, asserted=asserted)
    assert effective_caller(row, call, profile) == effective
    if not (row and row.strip()):
        assert identify(call, profile, WORLD).caller == effective


def test_any_number_of_users_need_one_called_number() -> None:
    """R1-08: no number range is used up: the called number is the access number alone."""
    found = [ends(f"5100{sequence:08}") for sequence in range(0, 10**8, 99_999)]
    assert {one.called for one in found} == {ACCESS}
    assert len({one.sequence for one in found}) == len(found)
    assert all(one.correlated for one in found)


def test_a_later_failure_takes_the_tenant_away() -> None:
    """R1-05: expired or already used tokens end like every other failure."""
    found = ends(TOKEN).but(Outcome.TOKEN_EXPIRED, "12 s ago")
    assert (found.tenant, found.failed, found.detail, found.sequence) == (None, True, "12 s ago", "00004711")
    assert ends(TOKEN).but(Outcome.CORRELATED).tenant == ACME


def test_ids_of_different_width_are_split_and_a_cut_one_is_too_short() -> None:
    """R1-04, R1-05: prefix-free access IDs."""
    tenants = tuple(replace(ACME, id=access_id, access_id=access_id) for access_id in ("7", "610", "5100"))
    world = directory(tenants=tenants)
    for check in CHECKS:
        plan = DigitPlan("0", None, 6, check)
        profile = replace(PROFILE, plan=plan)
        for access_id in ("7", "610", "5100"):
            number = plan.compose(access_id, "004711")
            found = identify(arrival(number), profile, world)
            assert (found.access_id, found.sequence) == (access_id, "004711")
            assert identify(arrival(number[:-1]), profile, world).outcome is Outcome.TOO_SHORT
        wrong = identify(arrival(plan.compose("8", "004711")), profile, world)
        assert wrong.outcome is Outcome.UNKNOWN_ACCESS_ID


def test_another_tenants_number_is_never_reached_by_taking_prefixes_off() -> None:
    """R1-05: never another tenant's data: the digits as written come first."""
    plan = DigitPlan("", None, 8)
    world = directory(tenants=(replace(ACME, access_id="05"), replace(BOLT, access_id="5")))
    found = identify(arrival("0500004711"), replace(PROFILE, plan=plan), world)
    assert found.tenant is not None
    assert found.tenant.id == "acme"


def test_rows_as_plain_words_work_like_their_enumeration() -> None:
    """R1-05: what comes from a table is text."""
    row = AccessNumber(ACCESS, ACCESS, "off")  # type: ignore[arg-type]
    assert identify(arrival(), PROFILE, directory(rows=(row,))).outcome is Outcome.OFF
    assert Correlation("off") == "off"


NUMBERS = st.sampled_from([TOKEN, ACCESS, "4711", "+86" + TOKEN, "520000004711", "539900000001", "alice", ""])
TEXTS = SIP_LIKE | st.text(max_size=60) | NUMBERS.map(lambda number: f"<sip:{number}@h>;privacy=full")


@given(
    st.lists(st.tuples(st.sampled_from(["diversion", "history-info", "privacy", "from"]), TEXTS), max_size=6),
    st.lists(st.binary(max_size=40), max_size=2),
    NUMBERS | st.text(max_size=30),
    st.text(max_size=30) | st.just(BILLING),
    st.none() | st.text(max_size=30),
    st.booleans(),
    st.sampled_from(list(Pick)),
    st.sampled_from([PROFILE.plan, DigitPlan("", None, 6, "luhn"), DigitPlan("9", 2, 4)]),
)
def test_no_call_makes_the_decision_raise_or_leak(
    headers: list[tuple[str, str]],
    isup: list[bytes],
    called: str,
    caller: str,
    asserted: str | None,
    trusted: bool,
    pick: Pick,
    plan: DigitPlan,
) -> None:
    """R1-05: never a crash, never another tenant's data."""
    call = Arrival(
        "carrier",
        called,
        caller,
        "",
        asserted,
        tuple(headers),
        tuple(Body("application/isup", octets) for octets in isup),
    )
    profile = replace(PROFILE, trust_asserted=trusted, diversion_pick=pick, plan=plan)
    found = identify(call, profile, WORLD)
    assert found.failed == (found.outcome not in (Outcome.CORRELATED, Outcome.OFF, Outcome.ABSENT))
    if found.failed:
        assert found.tenant is None
    if found.correlated:
        assert isinstance(found.tenant, Tenant)
        assert found.access_id == found.tenant.access_id
        assert plan.compose(found.access_id, found.sequence) == found.original_called
    (found.called + found.caller + found.detail).encode("utf8")
