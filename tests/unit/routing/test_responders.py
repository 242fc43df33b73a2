"""Services and organisation of a plan: put in order once, and anew for a newer plan."""

from routing.org import Absence, Person, Shift
from routing.plan import Plan
from routing.queue import AgentProfile
from routing.responders import Responders, responders
from routing.services import Response, Service

MEMBER = Service("m", "acme", "member", "http://crm/m")


def test_services_are_found_by_tenant_and_role() -> None:
    made = Responders.of(
        Plan.of(MEMBER, Service("off", "acme", "order", "http://crm/o", enabled=False), Response("beta", 100))
    )
    assert made.services == {"acme": {"member": MEMBER}}
    assert [made.analyses(tenant, False) for tenant in ("acme", "beta", "gamma")] == [True, True, False]
    assert made.analyses("gamma", True)
    assert (made.response("beta").deadline_ms, made.response("acme").deadline_ms) == (100, 800)


def test_a_menus_own_service_is_no_reason_to_analyse_a_call() -> None:
    made = Responders.of(Plan.of(Service("bank", "acme", "menu", "http://crm/bank")))
    assert not made.analyses("acme", False)


def test_a_person_is_reached_at_the_agent_whose_profile_names_him() -> None:
    made = Responders.of(
        Plan.of(
            Person("p", team="t"),
            AgentProfile("1001", person="p"),
            Absence("a", "p", "2026-01-01", "2026-01-01"),
            Shift("s", "p", ("mon",), "08:00", "16:00"),
        )
    )
    organisation = made.organisation
    assert organisation.extension(organisation.persons["p"]) == "1001"
    assert (organisation.members, [*organisation.absences], [*organisation.shifts]) == ({"t": ("p",)}, ["p"], ["p"])


def test_they_are_made_anew_only_for_a_newer_plan() -> None:
    plans = [Plan.of(MEMBER)]
    newest = responders(lambda: plans[-1])
    first = newest()
    assert newest() is first
    plans.append(Plan())
    assert newest().services == {}
