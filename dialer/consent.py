"""Whether a person has agreed to be called, as far as a law asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.forbidden import Reason

if TYPE_CHECKING:
    from dialer.contact import Consent
    from dialer.profiles import LawProfile


def is_needed(profile: LawProfile, *, recorded: bool) -> bool:
    """Whether a call needs consent; `recorded`: nobody but a recording talks."""
    return profile.consent == "always" or (profile.consent == "recorded" and recorded)


def consent_problem(consent: Consent | None, profile: LawProfile, now: float) -> Reason | None:
    """What a consent that is needed lacks at `now` (epoch seconds); None: it holds.

    One that is dated in the future was not given yet. A consent that is taken back is an entry of the do-not-call list.
    """
    if consent is None or consent.at > now:
        return Reason.CONSENT
    if consent.until is not None and consent.until <= now:
        return Reason.CONSENT_ENDED
    if profile.consent_proof and not (consent.source and consent.proof):
        return Reason.CONSENT
    return None
