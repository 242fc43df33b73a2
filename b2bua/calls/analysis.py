"""The analysis of an inbound call: the tenant's services are asked in stages under one deadline, and what they say
becomes one answer (R0-03..R0-12).

By number, all at once: response server, marketing, member; by member: orders; by person: the staff services.
A service that fails, hangs or answers garbage costs what it would have said, and no more time than is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from b2bua.calls.session import Moved
from b2bua.calls.transfer import sent
from b2bua.log import logger
from b2bua.outside.asking import PullFailed
from routing.analysis import (
    Decision,
    Findings,
    decide,
    key_of,
    known_persons,
    read_campaigns,
    read_members,
    read_orders,
    read_told,
    screen,
    states_reader,
    to_be_asked,
)
from routing.goal import Goal
from routing.plan_checks import goal_problems
from routing.services import Numbers, Role

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.identify import Identified
    from routing.responders import Responders

log = logger("calls")

T = TypeVar("T")

STAFF: Mapping[str, Role] = {"business": "business-staff", "inbound": "inbound-staff"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the analysis says of a call."""

    goal: Goal | None = None
    "None: it names nobody; the call goes on as without analysis."
    reason: str = ""
    "As in `Decision`; empty: nothing was analysed."
    from_outside: bool = False
    "It came by POST meanwhile (R0-13), and outdoes what the token says."


@dataclass(slots=True)
class Inquiry:
    """The questions of one call to its tenant's services."""

    call: Session
    numbers: Numbers
    responders: Responders
    until: float
    "Loop time at which all of it is over."
    findings: Findings = field(default_factory=Findings)
    stages: list[dict[str, Any]] = field(default_factory=list)
    "What was asked, in the order of the answers: service, outcome, ms."

    async def by_number(self) -> None:
        """Response server, marketing, and the member with his orders, all at once."""
        await asyncio.gather(self._response(), self._marketing(), self._member())

    async def by_person(self, persons: list[str]) -> None:
        """The staff services, about these persons and whoever may stand in for them."""
        wanted: dict[str, dict[str, None]] = {}
        for person in persons:
            found = to_be_asked(self.responders.organisation, person, self.call.exchange.wall())
            for kind, others in found.items():
                wanted.setdefault(kind, {}).update(dict.fromkeys(others))
        await asyncio.gather(*(self._staff(STAFF[kind], tuple(keys)) for kind, keys in wanted.items()))

    async def _response(self) -> None:
        self.findings.told = await self._ask("response", read_told)

    async def _marketing(self) -> None:
        self.findings.campaigns = await self._ask("marketing", read_campaigns) or ()

    async def _member(self) -> None:
        members = await self._ask("member", read_members) or ()
        if not members:
            return
        self.findings.member, self.findings.members = members[0], len(members)
        if (key := key_of(members[0])) is not None:
            self.findings.orders = await self._ask("order", read_orders, member=key) or ()

    async def _staff(self, role: Role, persons: tuple[str, ...]) -> None:
        person = persons[0]
        self.findings.states |= await self._ask(role, states_reader(person), person=person, persons=persons) or {}

    async def _ask(self, role: Role, read: Callable[[Mapping[str, Any]], T], **places: Any) -> T | None:
        """The answer of the tenant's service of this role; None where there is no service, or no answer."""
        call, clock = self.call, self.call.clock
        service = self.responders.services.get(self.numbers.tenant, {}).get(role)
        if service is None:
            return None
        began, outcome = clock(), "ok"
        try:
            return await call.exchange.services.ask(service, self.numbers.values(**places), read, self.until - began)
        except PullFailed as failure:
            outcome = str(failure.reason)
            log.info("a service gave no answer", call=call.id, service=service.id, role=role, why=str(failure))
            return None
        except Exception as error:
            outcome = "fault"
            call.exchange.metrics.faults.inc("analysis")
            log.error("asking a service failed by our own fault", call=call.id, service=service.id, exc_info=error)
            return None
        finally:
            self.stages.append({"service": role, "outcome": outcome, "ms": round((clock() - began) * 1000, 1)})


async def analyse(call: Session, found: Identified) -> Answer:
    """Who takes the call, by what its tenant's systems say of it; what they say joins the data for the screen.

    Never longer than the tenant's deadline. Raises CallerLeft or Ordered where that happened meanwhile.
    """
    exchange, tenant = call.exchange, found.tenant
    if tenant is None or found.failed:
        return Answer()
    responders = exchange.responders()
    if not responders.analyses(tenant.id, "person" in call.data):
        return Answer()
    call.follows = True  # an answer from outside may come at once (R0-13), and is taken in below
    inquiry = inquiry_of(call, tenant.id, responders, "" if found.masked else found.sequence)
    began = call.clock()
    await inquiry.by_number()
    findings, organisation = inquiry.findings, responders.organisation
    persons = [person for person, _ in known_persons(findings, call.data, organisation, tenant.id)]
    await inquiry.by_person(persons)
    try:
        call.catch_up()
    except Moved as moved:
        sent(call, moved)
        return Answer(moved.goal, "outside", True)
    decision = decide(
        findings, call.data, organisation, exchange.wall(), lambda extension: exchange.presence(extension, call.id),
        tenant=tenant.id,
        default=responders.response(tenant.id).default,
        allowed=lambda goal: allowed(call, goal),
    )  # fmt: skip
    call.data |= screen(findings, decision, organisation)
    call.journey.states, call.journey.asked = dict(findings.states), dict.fromkeys(persons, call.clock())
    _write_down(call, inquiry, decision, call.clock() - began)
    return Answer(decision.way, decision.reason)


def inquiry_of(call: Session, tenant: str, responders: Responders, sequence: str = "") -> Inquiry:
    """An inquiry that begins now."""
    row = call.record.row
    numbers = Numbers(call.id, tenant, row.billing_number or "", row.called or "", row.effective_caller or "", sequence)
    return Inquiry(call, numbers, responders, call.clock() + responders.response(tenant).deadline_ms / 1000)


def allowed(call: Session, goal: Goal) -> bool:
    """Whether a goal that an outside system names exists and is this call's tenant's, or everybody's."""
    exchange = call.exchange
    directory, tenant = exchange.directory(), call.record.row.tenant
    if goal.kind == "number" or (goal.kind == "agent" and directory.agent(goal.target) is None):
        return False
    return not any(goal_problems(goal, exchange.plan(), directory.agents, tenant))


def _write_down(call: Session, inquiry: Inquiry, decision: Decision, seconds: float) -> None:
    """The event, the record and the metric."""
    exchange, choice = call.exchange, decision.choice
    goal = str(decision.way) if decision.way is not None else None
    exchange.metrics.analyses.inc(inquiry.numbers.tenant, decision.reason)
    exchange.metrics.analysis_seconds.observe(seconds, inquiry.numbers.tenant)
    call.record.row.detail["analysis"] = {"goal": goal, "reason": decision.reason}
    exchange.tell(
        "call.analysed",
        call,
        {
            "stages": inquiry.stages,
            "ms": round(seconds * 1000, 1),
            "goal": goal,
            "reason": decision.reason,
            "person": decision.asked_for,
            "taker": choice.person if choice is not None else None,
            "extension": choice.extension if choice is not None else None,
            "passed": [{"person": passed.person, "why": passed.why} for passed in decision.passed],
            "members": inquiry.findings.members,
        },
    )
