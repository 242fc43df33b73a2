"""Where an inbound call goes first: where its token says, else the analysis of its caller, else the tenant, else the
access number, else a default route."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from routing.directory import Directory
from routing.goal import GOAL_KINDS, Goal, GoalKind
from routing.identify import Identified


class Via(StrEnum):
    """What named the goal; the CDR's `route`."""

    TOKEN = "token"
    ANALYSIS = "analysis"
    "What the tenant's systems, or ours in their place, said of the caller."
    TENANT = "tenant"
    ACCESS_NUMBER = "access-number"
    ACCESS_ROUTE = "access-route"
    "The access number's own default route."
    DEFAULT_ROUTE = "default-route"
    "The node's."


@dataclass(frozen=True, slots=True)
class FirstGoal:
    """Where the call goes, and why there."""

    goal: Goal
    "It is there; an agent is enabled as well."
    via: Via
    route: str = ""
    "Name of the default route that was taken."
    passed: tuple[str, ...] = ()
    "Ways that came first and led nowhere: `token 4711`."


def first_goal(
    identified: Identified,
    token_extension: str | None,
    analysed: Goal | None,
    directory: Directory,
    default_route: str | None,
    there: Callable[[Goal], bool] = lambda goal: True,
) -> FirstGoal | None:
    """The first way that leads somewhere, if any.  `there` says whether a goal that is no agent exists.

    A call whose correlation failed, or its token (`Identified.but`), takes a default route only, the access number's
    before the node's (R1-05): nothing that a tenant or a token says counts for it.
    """
    passed: list[str] = []
    for via, goal, name in _ways(identified, token_extension, analysed, directory, default_route):
        if goal is not None and _leads_somewhere(goal, directory, there):
            return FirstGoal(goal, via, name, tuple(passed))
        passed.append(f"{via} {name or (goal.target if goal is not None and goal.kind == 'agent' else goal)}")
    return None


def _leads_somewhere(goal: Goal, directory: Directory, there: Callable[[Goal], bool]) -> bool:
    return directory.agent(goal.target) is not None if goal.kind == "agent" else there(goal)


def _ways(
    identified: Identified,
    token_extension: str | None,
    analysed: Goal | None,
    directory: Directory,
    default_route: str | None,
) -> Iterator[tuple[Via, Goal | None, str]]:
    access, tenant = identified.access, identified.tenant
    if not identified.failed:
        if token_extension:
            yield Via.TOKEN, Goal("agent", token_extension), ""
        if analysed is not None:
            yield Via.ANALYSIS, analysed, ""
        if tenant is not None and tenant.default_extension:
            yield Via.TENANT, Goal("agent", tenant.default_extension), ""
        if access is not None and access.entry is not None and (kind := _kind(access.entry.kind)) is not None:
            yield Via.ACCESS_NUMBER, Goal(kind, access.entry.target), ""
    for via, name in ((Via.ACCESS_ROUTE, access.default_route if access else None), (Via.DEFAULT_ROUTE, default_route)):
        if name:
            route = directory.routes.get(name)
            yield via, Goal("agent", route.extension) if route is not None else None, name


def _kind(word: str) -> GoalKind | None:
    return word if word in GOAL_KINDS else None  # type: ignore[return-value]  # the set is made of the literal's words
