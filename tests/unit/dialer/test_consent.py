"""Whether consent is needed, and whether it holds."""

from dataclasses import replace

import pytest

from dialer.consent import consent_problem, is_needed
from dialer.contact import Consent
from dialer.forbidden import Reason
from dialer.profiles import CN, UK, US, LawProfile
from tests.unit.dialer.law_cases import NOON

GIVEN = Consent(NOON - 100, "form", "scan 12")


@pytest.mark.parametrize(
    ("law", "recorded", "needed"),
    [(US, True, True), (US, False, False), (UK, True, True), (CN, False, True), (LawProfile("x"), True, False)],
)
def test_china_asks_for_it_always_others_for_recorded_messages(law: LawProfile, recorded: bool, needed: bool) -> None:
    """R3-12: MIIT (opt-in), 47 CFR 64.1200(a)(3) (messages)."""
    assert is_needed(law, recorded=recorded) is needed


@pytest.mark.parametrize(
    ("consent", "reason"),
    [
        (None, Reason.CONSENT),
        (GIVEN, None),
        (replace(GIVEN, at=NOON + 1), Reason.CONSENT),
        (replace(GIVEN, until=NOON), Reason.CONSENT_ENDED),
        (replace(GIVEN, until=NOON + 1), None),
        (replace(GIVEN, proof=""), Reason.CONSENT),
        (replace(GIVEN, source=""), Reason.CONSENT),
    ],
)
def test_it_holds_from_when_it_was_given_until_it_ends_and_with_its_proof(
    consent: Consent | None, reason: Reason | None
) -> None:
    assert consent_problem(consent, CN, NOON) is reason


def test_the_proof_is_asked_for_where_the_law_does() -> None:
    assert consent_problem(replace(GIVEN, proof="", source=""), US, NOON) is None
