"""Why a call is turned away when no default route takes it: SIP code, CDR cause and metric label of each reason."""

from typing import ClassVar

from routing.outcome import Outcome


class Refused(Exception):
    """A call we turn away.  The class says what the trunk, the CDR and the graph will see."""

    sip_code: ClassVar[int]
    cause: ClassVar[str]
    "The CDR's word, each class its own."
    label: ClassVar[str]
    "The metric's `kind`: a few families only."


class Uncorrelated(Refused):
    """Correlation failed (R1-05); the cause is the outcome's word."""

    label = "correlation"
    outcome: ClassVar[Outcome]


class UnknownCalledNumber(Uncorrelated):
    sip_code, cause, outcome = 404, "unknown-called-number", Outcome.UNKNOWN_CALLED


class MissingNumber(Uncorrelated):
    sip_code, cause, outcome = 403, "missing", Outcome.MISSING


class MalformedNumber(Uncorrelated):
    sip_code, cause, outcome = 400, "malformed", Outcome.MALFORMED


class ShortNumber(Uncorrelated):
    sip_code, cause, outcome = 484, "too-short", Outcome.TOO_SHORT


class UnknownAccessId(Uncorrelated):
    sip_code, cause, outcome = 404, "unknown-access-id", Outcome.UNKNOWN_ACCESS_ID


class WrongTrunk(Uncorrelated):
    sip_code, cause, outcome = 403, "wrong-trunk", Outcome.WRONG_TRUNK


class TenantDisabled(Uncorrelated):
    sip_code, cause, outcome = 403, "tenant-disabled", Outcome.TENANT_DISABLED


class WrongBillingNumber(Uncorrelated):
    sip_code, cause, outcome = 403, "wrong-billing-number", Outcome.WRONG_BILLING


class UnknownToken(Uncorrelated):
    sip_code, cause, outcome = 404, "token-unknown", Outcome.TOKEN_UNKNOWN


class ExpiredToken(Uncorrelated):
    sip_code, cause, outcome = 410, "token-expired", Outcome.TOKEN_EXPIRED


class UsedToken(Uncorrelated):
    sip_code, cause, outcome = 410, "token-used", Outcome.TOKEN_USED


class BusyToken(Uncorrelated):
    sip_code, cause, outcome = 486, "token-busy", Outcome.TOKEN_BUSY


class RevokedToken(Uncorrelated):
    sip_code, cause, outcome = 410, "token-revoked", Outcome.TOKEN_REVOKED


class StorageUnavailable(Uncorrelated):
    # Not 503: the trunk would take the whole server out of service for one locked table.
    sip_code, cause, outcome = 500, "storage-unavailable", Outcome.STORAGE_UNAVAILABLE


class PullFailed(Uncorrelated):
    sip_code, cause, outcome = 480, "pull-failed", Outcome.PULL_FAILED


class NoDestination(Refused):
    """Nothing failed, but neither token, tenant, access number nor a default route names an agent that exists."""

    sip_code, cause, label = 480, "no-destination", "routing"


_OF_OUTCOME: dict[Outcome, type[Refused]] = {kind.outcome: kind for kind in Uncorrelated.__subclasses__()}


def refusal(outcome: Outcome) -> Refused:
    """What to turn a call away with when `first_goal` found nothing; NoDestination where nothing had failed."""
    return _OF_OUTCOME.get(outcome, NoDestination)(f"nobody to take the call, whose correlation ended {outcome}")
