"""What is wrong with a configuration before a call finds out (R1-04, R1-05): everything at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

from routing.correlation import TrunkProfile
from routing.digits import BadNumber, read_number
from routing.directory import ENTRY_KINDS, AccessNumber, Agent, Correlation, Directory, Route, Tenant
from routing.goal import Goal, GoalKind
from routing.plan import Plan, mistakes
from routing.plan_checks import goal_problems, split

MAX_DIGITS_ALLOWED = (15, 16)
"E.164, and what some trunks carry."


class Conflict(NamedTuple):
    """One mistake: where it is, and in words for the person who can mend it."""

    entity: str
    "`tenant acme`, `trunk carrier-a`, `access number 4008100001`, `agent 801`, `route reception`, `queue repairs`..."
    field: str
    message: str


def conflicts(
    tenants: Iterable[Tenant] = (),
    access_numbers: Iterable[AccessNumber] = (),
    agents: Iterable[Agent] = (),
    routes: Iterable[Route] = (),
    plan: Plan | None = None,
    profiles: Iterable[TrunkProfile] = (),
    default_route: str | None = None,
) -> list[Conflict]:
    """Every mistake in these entities and between them, in a stable order; empty when they can go live together."""
    tenants, agents, routes, rows = list(tenants), list(agents), list(routes), list(access_numbers)
    plan = Plan() if plan is None else plan
    trunks = {profile.name: profile for profile in profiles}
    extensions = {agent.extension for agent in agents}
    known_routes = {route.name for route in routes}
    found: list[Conflict] = []
    for profile in trunks.values():
        found += _trunk(profile)
    for tenant in tenants:
        found += _tenant(tenant, trunks, extensions)
    found += _repeated("tenant", "id", [tenant.id for tenant in tenants])
    found += _access_ids(tenants)
    found += _ambiguous(tenants, trunks)
    found += _access_numbers(rows, {tenant.id for tenant in tenants}, extensions, known_routes, trunks)
    found += _entries(rows, plan, extensions)
    for agent in agents:
        found += _digits(f"agent {agent.extension}", "extension", agent.extension)
    found += _repeated("agent", "extension", [agent.extension for agent in agents])
    for route in routes:
        found += _known(f"route {route.name}", "extension", route.extension, "agent", extensions)
    found += _repeated("route", "name", [route.name for route in routes])
    found += _known("node", "default_route", default_route, "route", known_routes)
    directory = Directory(tenants, rows, agents, routes)
    found += [Conflict(f"{one.kind.one} {one.key}", one.field, one.message) for one in mistakes(plan, directory)]
    return found


def _trunk(profile: TrunkProfile) -> Iterator[Conflict]:
    entity, plan, dialling = f"trunk {profile.name}", profile.plan, profile.dialling
    for field, digits in (
        ("prefix", plan.prefix),
        ("country_code", dialling.country_code),
        ("national_prefix", dialling.national_prefix),
        ("international_prefix", dialling.international_prefix),
    ):
        if digits:
            yield from _digits(entity, field, digits)
    if plan.sequence_width < 1:
        yield Conflict(entity, "sequence_width", "must be 1 or more")
    if plan.access_id_width is not None and plan.access_id_width < 1:
        yield Conflict(entity, "access_id_width", "must be 1 or more, or left out where access IDs differ in width")
    if plan.max_digits not in MAX_DIGITS_ALLOWED:
        yield Conflict(entity, "max_digits", "must be 15 or 16")
    total = plan.fixed_width + (plan.access_id_width or 1)
    if total > plan.max_digits:
        yield Conflict(entity, "sequence_width", f"{_shape(profile)} is {total} digits, more than {plan.max_digits}")
    if not profile.sources:
        yield Conflict(entity, "sources", "name at least one, or no call of this trunk can be correlated")
    if len(set(profile.sources)) < len(profile.sources):
        yield Conflict(entity, "sources", "the same source is named twice")


def _shape(profile: TrunkProfile) -> str:
    check = " + check digit" if profile.plan.check_digit != "none" else ""
    return f"prefix + access ID + sequence number{check}"


def _tenant(tenant: Tenant, trunks: Mapping[str, TrunkProfile], extensions: set[str]) -> Iterator[Conflict]:
    entity = f"tenant {tenant.id}"
    yield from _digits(entity, "access_id", tenant.access_id)
    if not tenant.trunks:
        yield Conflict(entity, "trunks", "bind the access ID to the trunks it may arrive on")
    bound = []
    for name in sorted(tenant.trunks):
        profile = trunks.get(name)
        if profile is None:
            yield from _known(entity, "trunks", name, "trunk", trunks)
            continue
        bound.append(profile)
        yield from _fits(entity, tenant.access_id, profile)
    for one, other in pairwise(bound):
        for field in ("sequence_width", "check_digit"):
            if getattr(one.plan, field) != getattr(other.plan, field):
                yield Conflict(
                    entity,
                    "trunks",
                    f"trunks {one.name} and {other.name} differ in {field}: one number could not use both",
                )
    if not tenant.billing_numbers:
        yield Conflict(entity, "billing_numbers", "name at least one, or every call is refused as somebody else's")
    for number in sorted(tenant.billing_numbers):
        try:
            read_number(number)
        except BadNumber as e:
            yield Conflict(entity, "billing_numbers", f"{number!r} is {e}")
    if tenant.token_ttl <= 0:
        yield Conflict(entity, "token_ttl", "must be more than 0 seconds")
    yield from _known(entity, "default_extension", tenant.default_extension, "agent", extensions)


def _fits(entity: str, access_id: str, profile: TrunkProfile) -> Iterator[Conflict]:
    plan = profile.plan
    if plan.access_id_width is not None and len(access_id) != plan.access_id_width:
        yield Conflict(
            entity, "access_id", f"must have {plan.access_id_width} digits on trunk {profile.name}, {access_id} has not"
        )
    elif plan.width(access_id) > plan.max_digits:
        yield Conflict(
            entity,
            "access_id",
            f"{_shape(profile)} is {plan.width(access_id)} digits on trunk {profile.name}, more than {plan.max_digits}",
        )


def _access_ids(tenants: Sequence[Tenant]) -> Iterator[Conflict]:
    """An access ID marks one customer system uniquely: no other is the same, none begins another."""
    owners: dict[str, list[str]] = defaultdict(list)
    for tenant in tenants:
        owners[tenant.access_id].append(tenant.id)
    for access_id, ids in owners.items():
        for other in ids[1:]:
            yield Conflict(f"tenant {other}", "access_id", f"{access_id} is already tenant {ids[0]}'s")
    beginnings: list[str] = []  # sorted, everything an ID begins follows it at once
    for access_id in sorted(owners):
        while beginnings and not access_id.startswith(beginnings[-1]):
            beginnings.pop()
        if beginnings and access_id:
            shorter = beginnings[-1]
            yield Conflict(
                f"tenant {owners[access_id][0]}",
                "access_id",
                f"{access_id} begins with {shorter}, which is tenant {owners[shorter][0]}'s",
            )
        if access_id:
            beginnings.append(access_id)


def _ambiguous(tenants: Sequence[Tenant], trunks: Mapping[str, TrunkProfile]) -> Iterator[Conflict]:
    """Where IDs differ in width, one with a dialling prefix that a carrier adds must not look like another one."""
    for profile in trunks.values():
        if profile.plan.access_id_width is not None:
            continue
        code, dialling = profile.dialling.country_code, profile.dialling
        owners = {
            profile.plan.prefix + tenant.access_id: tenant.id for tenant in tenants if profile.name in tenant.trunks
        }
        added = {dialling.national_prefix, code, dialling.international_prefix + code if code else ""} - {""}
        for start, owner in owners.items():
            for prefix in sorted(added):
                other = owners.get(prefix + start)
                if other is not None:
                    yield Conflict(
                        f"tenant {other}",
                        "access_id",
                        f"on trunk {profile.name} it reads like tenant {owner}'s with {prefix} dialled in front",
                    )


def _access_numbers(
    rows: Sequence[AccessNumber],
    tenants: set[str],
    extensions: set[str],
    routes: set[str],
    trunks: Mapping[str, TrunkProfile],
) -> Iterator[Conflict]:
    ranges: dict[tuple[str, int], list[AccessNumber]] = defaultdict(list)
    singles: dict[tuple[str, str], AccessNumber] = {}
    for row in rows:
        entity = f"access number {row.label}"
        well_formed = not list(_digits(entity, "first", row.first)) and not list(_digits(entity, "last", row.last))
        yield from _digits(entity, "first", row.first)
        if row.last != row.first:
            yield from _digits(entity, "last", row.last)
        if well_formed and len(row.first) != len(row.last):
            yield Conflict(entity, "last", "must have as many digits as the first number")
        elif well_formed and row.first > row.last:
            yield Conflict(entity, "last", "is below the first number")
        elif well_formed:
            for trunk in sorted(row.trunks) or [""]:
                if row.first != row.last:
                    ranges[trunk, len(row.first)].append(row)
                elif (trunk, row.first) in singles:
                    yield Conflict(entity, "first", "is listed twice" + (f" for trunk {trunk}" if trunk else ""))
                else:
                    singles[trunk, row.first] = row
        if row.correlation not in tuple(Correlation):
            yield Conflict(entity, "correlation", "must be required, optional or off")
        yield from _known(entity, "default_tenant", row.default_tenant, "tenant", tenants)
        yield from _known(entity, "default_route", row.default_route, "route", routes)
        for name in sorted(row.trunks):
            yield from _known(entity, "trunks", name, "trunk", trunks)
    for found in ranges.values():
        found.sort(key=lambda row: (row.first, row.last))
        widest = found[0]
        for row in found[1:]:
            if row.first <= widest.last:
                yield Conflict(f"access number {row.label}", "first", f"overlaps with {widest.label}")
            widest = max(widest, row, key=lambda row: row.last)


def _entries(rows: Sequence[AccessNumber], plan: Plan, extensions: set[str]) -> Iterator[Conflict]:
    """Where access numbers lead must exist, and belong to the tenant whose calls they are."""
    for row in rows:
        if row.entry is None:
            continue
        entity = f"access number {row.label}"
        if row.entry.kind not in ENTRY_KINDS:
            kinds = ", ".join(sorted(ENTRY_KINDS))
            yield Conflict(entity, "entry", f"{row.entry.kind} is no entry point here: {kinds}")
            continue
        goal = Goal(cast(GoalKind, row.entry.kind), row.entry.target)
        for sentence in goal_problems(goal, plan, extensions, row.default_tenant, "entry"):
            yield Conflict(entity, *split(sentence))


def _digits(entity: str, field: str, text: str) -> Iterator[Conflict]:
    if not text.isascii() or not text.isdigit():
        yield Conflict(entity, field, f"{text!r} must be digits")


def _known(entity: str, field: str, name: str | None, kind: str, known: Iterable[str]) -> Iterator[Conflict]:
    if name is not None and name not in known:
        yield Conflict(entity, field, f"there is no {kind} {name}")


def _repeated(kind: str, field: str, names: Sequence[str]) -> Iterator[Conflict]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield Conflict(f"{kind} {name}", field, "is used twice")
        seen.add(name)
