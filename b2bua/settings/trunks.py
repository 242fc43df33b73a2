"""What a trunk is told apart by, how calls go out over it, and what it may do: the part of `[trunks.NAME]` that is not
about the original called number; and groups of trunks, and the name servers that their names are asked from."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from routing.caller_id import CallerPolicy
from routing.failover import may_be_extra
from routing.header_profile import HeaderProfile, never
from routing.number_rules import BadRule, NumberPlan, Region, Rules
from routing.trunk_groups import Member

from .values import Host, HostPort, Port, Section, items, no_repeats, whole

_HEADER = re.compile(r"[a-z][a-z0-9-]{0,62}\*?")
_NUMBER = re.compile(r"[+*#0-9]{1,40}")
_USER = re.compile(r"[^\s@:;<>\"?]{1,64}\*?")
Texts = Annotated[list[str], BeforeValidator(items)]
Lines = Annotated[list[str], BeforeValidator(items), AfterValidator(no_repeats)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Calls = Annotated[int, Field(ge=0, le=3800)]
RefusalCode = Annotated[Literal[503, 480, 486], BeforeValidator(whole)]


def _status(code: int) -> int:
    if not may_be_extra(code):
        raise ValueError(
            f"has {code}: only 4xx and 5xx that say nothing of the number itself (not 404, 410, 484, 486, 487)"
        )
    return code


def _header_names(names: list[str]) -> list[str]:
    lowered = [name.lower() for name in names]
    for name in lowered:
        if not _HEADER.fullmatch(name):
            raise ValueError(f'"{name}" is no name of a header (a * at the end stands for the rest)')
        if never(name.removesuffix("*")) or never(name):
            raise ValueError(f'"{name}" is never passed on: it belongs to one dialog, to us, or to who may see whom')
    return lowered


def _pairs(texts: list[str]) -> list[str]:
    for text in texts:
        left, sign, right = text.partition("=")
        if not sign or not left.strip() or not right.strip():
            raise ValueError(f'"{text}" is no pair: write "this = that"')
    return texts


def _header_pairs(texts: list[str]) -> list[str]:
    for text in _pairs(texts):
        left, _, right = text.partition("=")
        _header_names([left.strip()])
        if not _HEADER.fullmatch(right.strip().lower()) or never(right.strip().lower()):
            raise ValueError(f'"{right.strip()}" is no name that a header may go on under')
    return texts


def _code_pairs(texts: list[str]) -> list[str]:
    for text in _pairs(texts):
        left, _, right = text.partition("=")
        if not re.fullmatch(r"[3-6](?:[0-9]{2}|xx)", left.strip()):
            raise ValueError(f'"{left.strip()}" is no final status: write 404, or 5xx for all of them')
        if not re.fullmatch(r"[4-6][0-9]{2}", right.strip()) or right.strip() in ("401", "407"):
            raise ValueError(f'"{right.strip()}" is no status to answer with: 400 to 699, not 401 nor 407')
    return texts


def _numbers(numbers: list[str]) -> list[str]:
    for number in numbers:
        if not _NUMBER.fullmatch(number):
            raise ValueError(f'"{number}" is no number: digits, +, * and #')
    return numbers


def _number(text: str) -> str:
    return _numbers([text])[0] if text else text


def _tenant_numbers(texts: list[str]) -> list[str]:
    for text in _pairs(texts):
        _numbers([text.partition("=")[2].strip()])
    return texts


def _users(users: list[str]) -> list[str]:
    for user in users:
        if not _USER.fullmatch(user):
            raise ValueError(f'"{user}" is no user of a SIP URI (a * at the end stands for the rest)')
    return users


def _member(text: str) -> Member:
    name, *numbers = text.split()
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() and len(number) < 5 for number in numbers):
        raise ValueError(f'"{text}" is no member: write NAME, NAME PRIORITY or NAME PRIORITY WEIGHT')
    return Member(name, *map(int, numbers))


def _members(texts: list[str]) -> list[str]:
    names = [_member(text).name for text in texts]
    no_repeats(names)
    return texts


HeaderNames = Annotated[list[str], BeforeValidator(items), AfterValidator(_header_names), AfterValidator(no_repeats)]
HeaderPairs = Annotated[list[str], BeforeValidator(items), AfterValidator(_header_pairs)]


class TrunkWays(Section):
    """The part of a trunk that is about calls as such."""

    source_ports: Annotated[list[Port], BeforeValidator(items)] = Field(default=[])
    "Ports that its signalling comes from, where another trunk has the same address."
    request_hosts: Annotated[list[Host], BeforeValidator(items)] = Field(default=[])
    "Hosts that its calls have in their Request-URI, where another trunk has the same address."
    request_users: Annotated[list[str], BeforeValidator(items), AfterValidator(_users)] = Field(default=[])
    "The same for users (`49301234*` for all that begin so); the `user` of an account that registers is one by itself."
    tls_names: Annotated[list[Host], BeforeValidator(items)] = Field(default=[])
    "Names that its certificate must have, one of them at least (a listener with `tls_verify_client`)."
    called_header: Literal["request-uri", "to"] = "request-uri"
    "Where the called number stands in its calls; some carriers leave the account's user in the Request-URI."

    domain: Host | None = None
    "Host in Request-URI, From and To of what we send it; without it, addresses. An account mostly needs it."
    first_response: Seconds = 2.5
    "Seconds it has for any response to an INVITE (100 is one); then the next trunk is tried."
    progress_timeout: Seconds = 15.0
    "Seconds it has for ringing, early media or an answer; then the next trunk is tried."
    answer_timeout: Annotated[float, Field(gt=0, le=180)] | None = None
    "Seconds that a number rings before it is given up; without it, `ring_timeout` of `calls`."
    failover_codes: Annotated[list[Annotated[int, AfterValidator(_status)]], BeforeValidator(items)] = Field(default=[])
    "Further statuses that the next trunk is tried after, beside 408 (before any ringing), 500, 502, 503 and 504."
    retry_after_most: Annotated[float, Field(ge=0, le=3600)] = 60.0
    "Seconds for which a Retry-After of its is believed at most; that address gets no new call meanwhile."
    probe: bool = True
    "Send OPTIONS to `target`. A trunk that has answered once and then does not any more gets no calls."
    probe_interval: Seconds = 10.0
    "Seconds between two of them."
    probe_timeout: Seconds = 2.0
    "Seconds it has for an answer."
    probe_losses: Annotated[int, Field(ge=1, le=100)] = 3
    "Answers missing in a row after which it is out; the first answer brings it back."

    refusal_code: RefusalCode = 503
    "Status of our own refusals to it: its limits, too many calls. With it goes Retry-After, 1 to 5 seconds."
    responses: Annotated[list[str], BeforeValidator(items), AfterValidator(_code_pairs)] = Field(default=[])
    'Statuses told in place of others when a call that it sent us has failed: `["404=480", "5xx=500"]`; the first wins.'
    max_calls: Calls | None = None
    "Calls at once, in both directions together."
    max_calls_in: Calls | None = None
    "Calls at once that come in."
    max_calls_out: Calls | None = None
    "Calls at once that go out."
    cps_in: Annotated[float, Field(gt=0, le=10000)] | None = None
    "Calls a second that may come in."
    cps_out: Annotated[float, Field(gt=0, le=10000)] | None = None
    "Calls a second that may go out; above it the next trunk of the group is taken."
    minutes_per_day: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    "Minutes of talk a day (of `reports.zone`) on calls that go out; running ones go on, new ones take the next trunk."

    user: Annotated[str, Field(max_length=64)] = ""
    "User of our account there: in From and To of a registration, in Contact, and in the digest."
    auth_user: Annotated[str, Field(max_length=64)] = ""
    "User of the digest, where it is another one."
    password: SecretStr | None = None
    "Password of the account. It is used towards the addresses of this trunk only, and only for `realm`."
    realm: Annotated[str, Field(max_length=128)] = ""
    "The realm that the carrier asks for."
    registers: bool = False
    "Register our address there (RFC 3261 section 10)."
    register_expires: Annotated[int, Field(ge=30, le=86400)] = 600
    "Seconds that a registration is asked for."

    called_in: Texts = Field(default=[])
    "Steps that turn the called number of its calls into ours (docs/trunks.md)."
    caller_in: Texts = Field(default=[])
    "The same for the calling number."
    called_out: Texts = Field(default=[])
    "Steps that turn a number we call into its way of writing."
    caller_out: Texts = Field(default=[])
    "The same for the calling number."
    number_examples: Texts = Field(default=[])
    "What the steps must make of numbers: `called_out 030123 -> +4930123`. A wrong one is a mistake."

    caller_id: Annotated[str, AfterValidator(_number)] = ""
    "Number that calls show which may not, or cannot, show one of their own."
    caller_ids: Annotated[list[str], BeforeValidator(items), AfterValidator(_numbers)] = Field(default=[])
    "Beginnings of the numbers that calls over this trunk may show; without any, all may."
    tenant_callers: Annotated[list[str], BeforeValidator(items), AfterValidator(_tenant_numbers)] = Field(default=[])
    'Numbers that tenants show in place of `caller_id`: `["acme=+49301234"]`.'
    send_asserted: bool = True
    "Send P-Asserted-Identity with the number shown; of a caller who wants privacy only with `trust_asserted`."
    remote_party_id: bool = False
    "Read Remote-Party-ID (with `trust_asserted`, where there is no P-Asserted-Identity), and send it."

    headers_in: HeaderNames = Field(default=[])
    "Headers of its INVITEs that go on to agents and other trunks: names, or beginnings with a *."
    headers_in_deny: HeaderNames = Field(default=[])
    "Of those, the ones that do not."
    headers_in_rename: HeaderPairs = Field(default=[])
    'Names under which they go on: `["X-Customer=X-Account"]`.'
    headers_out: HeaderNames = Field(default=[])
    "Headers that came with a call, and may go on with it over this trunk."
    headers_out_deny: HeaderNames = Field(default=[])
    "Of those, the ones that may not."
    headers_out_rename: HeaderPairs = Field(default=[])
    "Names under which they go on."

    @property
    def caller_policy(self) -> CallerPolicy:
        """Whom calls over it may be from; `trusted` and the host are filled in by those who know."""
        return CallerPolicy(
            fixed=self.caller_id,
            allowed=tuple(self.caller_ids),
            tenants=pairs(self.tenant_callers),
            asserted=self.send_asserted,
            remote_party=self.remote_party_id,
            host=self.domain or "",
        )

    @property
    def incoming_headers(self) -> HeaderProfile:
        return _profile(self.headers_in, self.headers_in_deny, self.headers_in_rename)

    @property
    def outgoing_headers(self) -> HeaderProfile:
        return _profile(self.headers_out, self.headers_out_deny, self.headers_out_rename)

    def answer_to(self, code: int) -> int:
        """The status it is told where a call of its has failed with this one."""
        for one, instead in pairs(self.responses).items():
            if one in (str(code), f"{code // 100}xx"):
                return int(instead)
        return code

    def rules(self, region: Region) -> NumberPlan:
        """The steps as values.  Raises BadRule."""
        lists = (self.called_in, self.caller_in, self.called_out, self.caller_out)
        return NumberPlan(*(Rules.parse(steps, region) for steps in lists))

    def rule_mistakes(self, region: Region) -> list[tuple[str, str]]:
        """What is wrong with the steps and their examples: key and sentence."""
        found = []
        for key in ("called_in", "caller_in", "called_out", "caller_out"):
            try:
                Rules.parse(getattr(self, key), region)
            except BadRule as error:
                found.append((key, f"has a step that is none: {error}"))
        if not found:
            plan = self.rules(region)
            found = [("number_examples", why) for text in self.number_examples if (why := plan.example(text))]
        return found


class TrunkGroup(Section):
    """Trunks that calls go out over, as one name: campaigns, routes and phones may name it in place of a trunk."""

    members: Annotated[list[str], BeforeValidator(items), AfterValidator(_members), Field(min_length=1)]
    'Each a trunk with its priority (lower ones first) and its weight among those of one: `["north", "south 2 30"]`.'

    @property
    def parsed(self) -> tuple[Member, ...]:
        """The members as values."""
        return tuple(map(_member, self.members))


class Dns(Section):
    """Name servers that names of trunks and phones are asked from: nothing waits for them while a call is set up."""

    servers: Annotated[list[HostPort], BeforeValidator(items)] = Field(default=[])
    "Addresses, with a port where it is not 53; none: those of the system."
    timeout: Annotated[float, Field(gt=0, le=30)] = 2.0
    "Seconds for one question."
    shortest: Annotated[float, Field(gt=0, le=3600)] = 5.0
    "Seconds that an answer is used at least, whatever its TTL says."


def pairs(texts: list[str]) -> dict[str, str]:
    """`a = b` as a mapping, in order."""
    return {left.strip(): right.strip() for left, _, right in (text.partition("=") for text in texts)}


def _profile(allow: list[str], deny: list[str], rename: list[str]) -> HeaderProfile:
    renamed = {old.lower(): new for old, new in pairs(rename).items()}
    return HeaderProfile(frozenset(allow), frozenset(deny), renamed)
