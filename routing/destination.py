"""Which agent a call goes to: its token's, else the tenant's, else the access number's, else a default route's."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from routing.directory import Directory
from routing.identify import Identified


class Via(StrEnum):
    """What named the agent; the CDR's `route`."""

    TOKEN = "token"
    TENANT = "tenant"
    ACCESS_NUMBER = "access-number"
    ACCESS_ROUTE = "access-route"
    "The access number's own default route."
    DEFAULT_ROUTE = "default-route"
    "The node's."


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the call goes, and why there."""

    agent: str
    "Extension of an agent that is in the directory and enabled."
    via: Via
    route: str = ""
    "Name of the default route that was taken."
    passed: tuple[str, ...] = ()
    "Ways that came first and led nowhere: `token 4711`."


def destination(
    identified: Identified,
    token_extension: str | None,
    directory: Directory,
    default_route: str | None,
) -> Destination | None:
    """The first way that leads to an agent who can be called; None when there is none.

    A call whose correlation failed, or its token (`Identified.but`), takes a default route only, the access number's
    before the node's (R1-05): nothing that a tenant or a token says counts for it.
    """
    passed: list[str] = []
    for via, extension, route in _ways(identified, token_extension, directory, default_route):
        agent = directory.agent(extension)
        if agent is not None:
            return Destination(agent.extension, via, route, tuple(passed))
        passed.append(f"{via} {route or extension}")
    return None


def _ways(
    identified: Identified,
    token_extension: str | None,
    directory: Directory,
    default_route: str | None,
) -> Iterator[tuple[Via, str | None, str]]:
    access, tenant = identified.access, identified.tenant
    if not identified.failed:
        if token_extension:
            yield Via.TOKEN, token_extension, ""
        if tenant is not None and tenant.default_extension:
            yield Via.TENANT, tenant.default_extension, ""
        if access is not None and access.entry is not None and access.entry.kind == "agent":
            yield Via.ACCESS_NUMBER, access.entry.target, ""
    for via, name in ((Via.ACCESS_ROUTE, access.default_route if access else None), (Via.DEFAULT_ROUTE, default_route)):
        if name:
            route = directory.routes.get(name)
            yield via, route.extension if route is not None else None, name
