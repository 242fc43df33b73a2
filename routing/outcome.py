"""How correlation ended: one word each, the same in the CDR, the event, the log and the metric (R1-05)."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a call's original called number."""

    CORRELATED = "correlated"
    OFF = "off"
    "The access number does not ask for correlation."
    ABSENT = "absent"
    "No original called number, and the access number can do without: no failure."

    UNKNOWN_CALLED = "unknown-called-number"
    "The called number is in no row of the access-number table that this trunk may use."
    MISSING = "missing"
    "No original called number, though the access number requires one."
    MALFORMED = "malformed"
    TOO_SHORT = "too-short"
    UNKNOWN_ACCESS_ID = "unknown-access-id"
    WRONG_TRUNK = "wrong-trunk"
    "The access ID is somebody's, who is not bound to this trunk."
    TENANT_DISABLED = "tenant-disabled"
    WRONG_BILLING = "wrong-billing-number"

    TOKEN_UNKNOWN = "token-unknown"
    TOKEN_EXPIRED = "token-expired"
    TOKEN_USED = "token-used"
    TOKEN_BUSY = "token-busy"
    "Claimed by another call that is still ringing."
    TOKEN_REVOKED = "token-revoked"
    STORAGE_UNAVAILABLE = "storage-unavailable"
    "The token table did not answer."
    PULL_FAILED = "pull-failed"
    "The customer system did not answer in time, or not usefully."

    @property
    def failed(self) -> bool:
        """Whether the call must take the default route; a tenant's data is out of its reach then."""
        return self not in _FINE


_FINE = frozenset({Outcome.CORRELATED, Outcome.OFF, Outcome.ABSENT})
