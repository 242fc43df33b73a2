"""A phone or carrier that we ring answers 3xx: its caller goes there where a transfer could go, and else nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.referred import names_of
from b2bua.calls.refusals import AgentFailed
from b2bua.log import logger
from b2bua.sip.refer import host_of_uri
from routing.address import Address, BadAddress, split_list
from routing.transfer_target import target_of

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.goal import Goal
    from routing.refusals import Refused

log = logger("calls")

MOST = 5
"Redirections of one call: phones that point at each other would go on for ever."


def redirected(call: Session, refused: Refused) -> Goal | None:
    """Where the call goes on, because whoever was rung has said so and it is allowed; None where that was a refusal
    like any other."""
    if not isinstance(refused, AgentFailed) or not refused.contacts:
        return None
    exchange = call.exchange
    goal = _goal(call, refused.contacts, refused.source) if exchange.settings.transfers.follow_redirects else None
    if goal is None or goal == call.going or call.journey.redirects >= MOST:
        log.info("a redirection is not followed", call=call.id, why=str(refused), to=goal and str(goal))
        return None
    call.journey.redirects += 1
    by = f"redirected by {call.going.target if call.going is not None else refused.source}"
    exchange.tell("call.transferred", call, {"kind": goal.kind, "to": goal.target, "from": None, "by": by})
    return goal


def _goal(call: Session, contacts: tuple[str, ...], source: str) -> Goal | None:
    """The first place named where a transfer may go; its host has to be ours, or that of whoever sends us there."""
    exchange = call.exchange
    settings = exchange.settings
    hosts = names_of(settings) | {source}
    rules = settings.transfers.rules(settings.feature_codes.outside)
    for element in (element for contact in contacts for element in split_list(contact)):
        try:
            uri = Address.parse(element).parsed_uri()
        except BadAddress:
            continue
        host, user = host_of_uri(uri), uri.user.partition(";")[0]
        goal = target_of(user, exchange.plan(), exchange.directory(), call.record.row.tenant, rules)
        if goal is not None and goal.kind != "park" and not uri.headers and (not host or host in hosts):
            return goal
    return None
