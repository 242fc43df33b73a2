"""Who answers for a tenant's calls: its services and its organisation, put in order once for each plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from routing.org import Organisation
from routing.plan import Plan
from routing.services import Response, Role, Service


@dataclass(frozen=True, slots=True)
class Responders:
    """What the analysis of a call needs of a plan."""

    plan: Plan
    organisation: Organisation
    services: Mapping[str, Mapping[Role, Service]]
    "By tenant; enabled ones only."

    @classmethod
    def of(cls, plan: Plan) -> "Responders":
        """Those of a plan."""
        services: dict[str, dict[Role, Service]] = {}
        for service in plan.services.values():
            if service.enabled and service.role != "menu":  # those are asked by the menus that name them
                services.setdefault(service.tenant, {})[service.role] = service
        phones = {
            profile.person: profile.extension for profile in plan.agent_profiles.values() if profile.person is not None
        }
        organisation = Organisation.of(plan.persons, plan.teams, plan.absences, plan.shifts, phones)
        return cls(plan, organisation, services)

    def response(self, tenant: str) -> Response:
        """How the tenant's calls are analysed."""
        return self.plan.responses.get(tenant) or Response(tenant)

    def analyses(self, tenant: str, token_names_person: bool) -> bool:
        """Whether there is anything to find out about a call of this tenant."""
        return token_names_person or tenant in self.services or tenant in self.plan.responses


def responders(plan: Callable[[], Plan]) -> Callable[[], Responders]:
    """The responders of the newest plan; made anew only when there is a newer one."""
    made = Responders.of(plan())

    def newest() -> Responders:
        nonlocal made
        if made.plan is not plan():
            made = Responders.of(plan())
        return made

    return newest
