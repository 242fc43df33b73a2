"""The decision about an inbound call: which access number, which tenant, which sequence number, or why not (R1-03..05).

Everything about the token itself comes after this, from its table.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from routing.address import anonymous, printable
from routing.arrival import Arrival
from routing.correlation import Candidate, Source, TrunkProfile, candidates
from routing.digits import BadDigits, BadNumber, DigitPlan, Nature, read_number, readings
from routing.directory import AccessNumber, Correlation, Directory, Tenant
from routing.outcome import Outcome

_NOWHERE, _SPLIT, _KNOWN_ID, _KNOWN, _HERE = range(5)
"How far a candidate got: no split; split to nobody's ID; no split, but an ID in front; an ID; an ID of this trunk."


@dataclass(frozen=True, slots=True)
class Identified:
    """What is known of a call once its numbers are read."""

    outcome: Outcome
    called: str
    "Digits of the called number, or what stood there when it is none."
    caller: str = ""
    "Who calls in the network's word: the effective caller of a call without a row."
    access: AccessNumber | None = None
    tenant: Tenant | None = None
    "Whose call it is; nobody's after a failure."
    access_id: str = ""
    sequence: str = ""
    source: Source | None = None
    "Where the number stood that won, or that failed last."
    original_called: str = ""
    "Digits of that number, as read; see `shown_digits` for screens and records."
    masked: bool = False
    "The number came with a wish for privacy: `original_called`, `access_id` and `sequence` may be used but not shown."
    detail: str = ""
    "What was wrong, for the log; holds no number."

    @property
    def correlated(self) -> bool:
        """There is a tenant and a sequence number; the token itself comes next."""
        return self.outcome is Outcome.CORRELATED

    @property
    def failed(self) -> bool:
        return self.outcome.failed

    @property
    def shown_digits(self) -> str:
        """The original called number as people may see it."""
        return "x" * len(self.original_called) if self.masked else self.original_called

    def but(self, outcome: Outcome, detail: str = "") -> "Identified":
        """The same call after a later failure (its token, the look-up): no tenant's any more."""
        return replace(self, outcome=outcome, tenant=None if outcome.failed else self.tenant, detail=detail)


class _Attempt(NamedTuple):
    """How far one candidate got."""

    got: int
    "Of several failures the one that got furthest is told, of equals the first: the trunk's order knows best."
    outcome: Outcome
    candidate: Candidate
    detail: str = ""
    tenant: Tenant | None = None
    access_id: str = ""
    sequence: str = ""
    digits: str = ""


def identify(arrival: Arrival, profile: TrunkProfile, directory: Directory) -> Identified:
    """Decide whose call this is.  Never raises; costs no more than the entries it has to read."""
    caller = effective_caller(None, arrival, profile)
    try:
        called, nature = read_number(arrival.called)
    except BadNumber as e:
        return Identified(Outcome.UNKNOWN_CALLED, printable(arrival.called), caller, detail=str(e))
    dialling = profile.dialling
    access = directory.access_number(profile.name, called, nature, dialling)
    if access is None:
        return Identified(Outcome.UNKNOWN_CALLED, called, caller)
    if access.correlation == Correlation.OFF:
        return Identified(Outcome.OFF, called, caller, access, _default_tenant(access, directory))

    own = readings(called, nature, dialling)
    best: _Attempt | None = None
    for candidate in candidates(arrival, profile):
        attempt = _try(candidate, profile, directory, own)
        if attempt is not None and (best is None or attempt.got > best.got):
            best = attempt
            if best.got == _HERE:
                break
    if best is None:
        if access.correlation == Correlation.REQUIRED:
            return Identified(Outcome.MISSING, called, caller, access)
        return Identified(Outcome.ABSENT, called, caller, access, _default_tenant(access, directory))

    outcome, tenant, detail = best.outcome, best.tenant, best.detail
    if tenant is not None:
        if not tenant.enabled:
            outcome, tenant = Outcome.TENANT_DISABLED, None
        elif not directory.bills(tenant, network_caller(arrival, profile), dialling):
            outcome, tenant, detail = Outcome.WRONG_BILLING, None, "the caller is no billing number of the tenant"
    candidate = best.candidate
    return Identified(
        outcome,
        called,
        caller,
        access,
        tenant,
        best.access_id,
        best.sequence,
        candidate.source,
        best.digits or candidate.digits,
        candidate.masked,
        detail,
    )


def network_caller(arrival: Arrival, profile: TrunkProfile) -> str:
    """Who calls, in the network's own word where the trunk can be trusted for one, else as From says."""
    if profile.trust_asserted and arrival.asserted and not anonymous(arrival.asserted):
        return arrival.asserted
    return arrival.caller


def effective_caller(token_caller: str | None, arrival: Arrival, profile: TrunkProfile) -> str:
    """The number all later decisions use: the row's caller, else the network's, never the billing number when the row
    knows better (R1-07).  Separators and parameters are taken off a number; `+` stays."""
    caller = token_caller.strip() if token_caller else ""
    caller = caller or network_caller(arrival, profile)
    try:
        digits, nature = read_number(caller)
    except BadNumber:
        return printable(caller)
    return "+" + digits if nature is Nature.INTERNATIONAL else digits


def _default_tenant(access: AccessNumber, directory: Directory) -> Tenant | None:
    tenant = directory.tenants.get(access.default_tenant) if access.default_tenant else None
    return tenant if tenant is not None and tenant.enabled else None


def _try(candidate: Candidate, profile: TrunkProfile, directory: Directory, own: tuple[str, ...]) -> _Attempt | None:
    """The best reading of one candidate.  None for the called number itself, which History-Info lists as a target too:
    it says nothing about who called."""
    if not candidate.digits:
        return _Attempt(_NOWHERE, Outcome.MALFORMED, candidate, candidate.broken)
    best: _Attempt | None = None
    for digits in readings(candidate.digits, candidate.nature, profile.dialling):
        if digits in own:
            return None
        attempt = _read(digits, candidate, profile, directory)
        if attempt.got == _HERE:
            return attempt
        if best is None or attempt.got > best.got:
            best = attempt
    return best


def _read(digits: str, candidate: Candidate, profile: TrunkProfile, directory: Directory) -> _Attempt:
    plan = profile.plan
    try:
        access_id, sequence = plan.split(digits)
    except BadDigits as e:
        return _unsplit(digits, e.short, str(e), candidate, plan, directory)
    tenant = directory.tenant_of(access_id)
    if tenant is None:
        if plan.access_id_width is None:  # a cut number of a longer ID splits too, to an ID that nobody has
            cut = _unsplit(digits, False, "no such access ID", candidate, plan, directory)
            if cut.outcome is Outcome.TOO_SHORT:
                return cut
        return _Attempt(_SPLIT, Outcome.UNKNOWN_ACCESS_ID, candidate, "", None, access_id, sequence, digits)
    if profile.name not in tenant.trunks:
        return _Attempt(_KNOWN, Outcome.WRONG_TRUNK, candidate, "", None, access_id, sequence, digits)
    return _Attempt(_HERE, Outcome.CORRELATED, candidate, "", tenant, access_id, sequence, digits)


def _unsplit(
    digits: str, short: bool, why: str, candidate: Candidate, plan: DigitPlan, directory: Directory
) -> _Attempt:
    """What digits are that do not split: too few of them, where an ID they begin with tells how many there should be,
    or wrong ones."""
    beginning = directory.access_ids_beginning(digits[len(plan.prefix) :]) if digits.startswith(plan.prefix) else []
    short = short or any(plan.short_of(digits, access_id) for access_id in beginning)
    got = _KNOWN_ID if beginning else _NOWHERE
    return _Attempt(got, Outcome.TOO_SHORT if short else Outcome.MALFORMED, candidate, why, digits=digits)
