"""What must be true of trunks and their groups between their keys."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING

from .sip import Listener, Trunk

if TYPE_CHECKING:
    from .model import Settings

Finding = tuple[str, str]

MARKS = ("source_ports", "request_hosts", "request_users", "tls_names")
"What tells trunks on one address apart."


def trunk_mistakes(trunk: Trunk, listener: Listener | None) -> Iterator[Finding]:
    """Of one trunk: key and what is wrong."""
    yield from trunk.rule_mistakes(trunk.region)
    yield from _account(trunk)
    if trunk.tls_names and listener is not None and not (listener.transport == "tls" and listener.tls_verify_client):
        yield "tls_names", "needs a listener with transport tls and tls_verify_client: else a name proves nothing"
    if trunk.probe_timeout > trunk.probe_interval:
        yield "probe_timeout", f"must not be longer than probe_interval ({trunk.probe_interval:g})"
    if trunk.progress_timeout < trunk.first_response:
        yield "progress_timeout", f"must not be shorter than first_response ({trunk.first_response:g})"


def _account(trunk: Trunk) -> Iterator[Finding]:
    if trunk.registers and not trunk.user:
        yield "registers", "needs a user"
    if trunk.registers and trunk.target is None:
        yield "registers", "needs a target: the registrar"
    if trunk.password is not None and not (trunk.realm and (trunk.auth_user or trunk.user)):
        yield "password", "needs realm and user: it is given to nobody who asks for another one"
    if (trunk.realm or trunk.auth_user) and trunk.password is None:
        yield "realm" if trunk.realm else "auth_user", "has no effect without a password"
    if trunk.realm == "*":
        yield "realm", "must be the carrier's own: with * the password would answer anybody's question"


def group_mistakes(settings: "Settings") -> Iterator[Finding]:
    """Of the groups: members that are no trunks, names that mean two things."""
    for name, group in settings.trunk_groups.items():
        if name in settings.trunks:
            yield f"trunk_groups.{name}", "is the name of a trunk as well"
        for member in group.parsed:
            trunk = settings.trunks.get(member.name)
            if trunk is None:
                yield f"trunk_groups.{name}.members", f'names "{member.name}", which is no trunk'
            elif trunk.target is None:
                yield f"trunk_groups.{name}.members", f'"{member.name}" takes no calls: set trunks.{member.name}.target'


def same_source(trunks: dict[str, Trunk]) -> Iterator[Finding]:
    """Trunks on one address of one listener that nothing tells apart."""
    taken: list[tuple[str, str]] = []
    for name, trunk in trunks.items():
        for cidr in trunk.networks:
            ours = ip_network(cidr)
            for other_name, other_cidr in taken:
                theirs, other = ip_network(other_cidr), trunks[other_name]
                if other.listener != trunk.listener or ours.version != theirs.version or not ours.overlaps(theirs):
                    continue
                if other_name == name:
                    yield f"trunks.{name}.addresses", f"{cidr} overlaps {other_cidr} on the same listener"
                elif not _told_apart(trunk, other):
                    same = f'{cidr} overlaps {other_cidr} of trunk "{other_name}" on the same listener'
                    yield f"trunks.{name}.addresses", f"{same}, and none of {', '.join(MARKS)} tells them apart"
            taken.append((name, cidr))


def _told_apart(one: Trunk, other: Trunk) -> bool:
    """Where one has a mark that the other has not, whoever has it is looked at first; both must not have the same."""
    marks = [(_marks(one, key), _marks(other, key)) for key in MARKS]
    return any(bool(ours) != bool(theirs) or (ours and theirs and not ours & theirs) for ours, theirs in marks)


def _marks(trunk: Trunk, key: str) -> frozenset[str]:
    values: Sequence[object] = getattr(trunk, key)
    found = frozenset(str(value).lower() for value in values)
    return found | {trunk.user.lower()} if key == "request_users" and trunk.registers and not found else found
