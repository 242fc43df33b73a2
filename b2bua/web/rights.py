"""Who may do what: roles, rights, and the one tenant a key may reach. Pure."""

from dataclasses import dataclass
from enum import Enum, auto

from b2bua.storage.api_keys import Role
from b2bua.web.problems import Problem


class Right(Enum):
    """What an end point asks of a key."""

    CONFIGURE = auto()
    "Change tenants, access numbers, agents, routes."
    SEE_ALL = auto()
    "See agents, access numbers, routes, trunks."
    SEE_TENANT = auto()
    "See tenants: a scoped key sees its own."
    KEYS = auto()
    AUDIT = auto()
    TOKENS = auto()
    CALLS = auto()
    "List, show and hang up live calls."
    START = auto()
    "Start a call: it costs money, so not for tenants."
    ATTEND = auto()
    "See and change the state of agents: log in and out, pause, end a wrap-up.  An agent's key reaches him alone."
    TRANSFER = auto()
    "Send a live call elsewhere: a tenant's key its own calls, an agent's the call he is in."
    MONITOR = auto()
    "Let a supervisor listen to a live call: a tenant's key to its own calls, an agent's himself."
    CDRS = auto()
    RECORD = auto()
    "Start and pause the recording of a live call; an agent's key that of the call he is in."
    RECORDINGS = auto()
    "List, fetch and delete recordings."
    CAMPAIGNS = auto()
    "See campaigns, start and stop them, import their contacts and do-not-call lists; a tenant's key its own."
    EVENTS = auto()
    METRICS = auto()
    TRACE = auto()
    "See the signalling of calls: it names the addresses of trunks and phones."
    OPERATE = auto()
    "Drain a node, and take it into service again."


_TENANT = frozenset(
    {
        Right.SEE_TENANT,
        Right.TOKENS,
        Right.CALLS,
        Right.CDRS,
        Right.EVENTS,
        Right.RECORD,
        Right.RECORDINGS,
        Right.TRANSFER,
        Right.MONITOR,
        Right.CAMPAIGNS,
    }
)

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right),
    Role.OPERATOR: _TENANT | {Right.SEE_ALL, Right.START, Right.METRICS, Right.ATTEND, Right.TRACE, Right.OPERATE},
    Role.TENANT: _TENANT,
    Role.AGENT: frozenset({Right.ATTEND, Right.TRANSFER, Right.RECORD, Right.MONITOR}),
    Role.LISTENER: frozenset({Right.EVENTS}),
    Role.METRICS: frozenset({Right.METRICS}),
}

MAY_BE_SCOPED = frozenset({Role.TENANT, Role.LISTENER})
"Roles whose keys may name a tenant; for `tenant` it must."


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a request comes from, once his key was verified."""

    key: str
    "Id of the key."
    name: str
    role: Role
    tenant: str | None = None
    "The only tenant he reaches; None: all."
    extension: str | None = None
    "The agent he is (role `agent`)."

    @property
    def by(self) -> str:
        """How the audit log names him."""
        return f"key {self.key} ({self.name})"

    def must(self, right: Right) -> None:
        """Problem 403 unless his role has this right."""
        if right not in RIGHTS[self.role]:
            raise Problem(403, "forbidden", f"a key with the role {self.role} may not do this")

    def reaches(self, tenant: str | None) -> bool:
        """Whether he may see what belongs to `tenant`; what belongs to nobody is for those who see all."""
        return self.tenant is None or self.tenant == tenant

    def must_reach(self, tenant: str) -> None:
        """Problem 403 for a tenant that is not his, whether or not it exists."""
        if not self.reaches(tenant):
            raise Problem(403, "forbidden", "this key reaches another tenant only")

    def must_be(self, extension: str) -> None:
        """Problem 403 for the state of another agent, whether or not there is one."""
        if self.role is Role.AGENT and self.extension != extension:
            raise Problem(403, "forbidden", "this key is another agent's")

    def scope(self, tenant: str | None) -> str | None:
        """The tenant to restrict a list to, of the one he asks for and the one he is bound to."""
        if tenant is not None:
            self.must_reach(tenant)
        return tenant if self.tenant is None else self.tenant
