"""Whom we ring, and with what INVITE: an agent's phone on the inside, or a number through a trunk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from b2bua.sip.engine import LegProfile, Outgoing
from b2bua.sip.engine.profiles import phone_profile, trunk_profile
from b2bua.sip.resolver import host_of
from routing.caller_id import ANONYMOUS

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from b2bua.settings import Settings
    from b2bua.sip.bindings import Binding
    from routing.directory import Agent

UNSAFE = re.compile(r"[^0-9A-Za-z+*#_.!~-]")
NAME_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\<>]')
LONGEST_USER = 64
ALLOW = ("Allow", "PRACK, INVITE, ACK, BYE, CANCEL, UPDATE, INFO, OPTIONS, REFER")
"What an agent's phone may ask for: without REFER in it some show no key for transfers."


@dataclass(frozen=True, slots=True)
class Callee:
    """One party to ring."""

    label: str
    "Extension or number: what the record calls it."
    target: str
    "Request-URI."
    listener: str
    profile: LegProfile
    offer: bool = True
    "False: the INVITE carries no SDP."
    trunk: str | None = None
    "Trunk or group of trunks; set for a number: then nothing of ours goes with the INVITE."
    name: str = ""
    groups: tuple[tuple[Callee, ...], ...] = ()
    "Several phones of one agent: those of a group ring together, the next group when all of one have failed."


def agent_callee(agent: Agent, settings: Settings, phones: Sequence[Binding] = ()) -> Callee:
    """An agent at his fixed contact, or at the phones that he has registered, best first; without any `target` is
    empty, and he cannot be reached."""
    if agent.contact:
        return _at(agent, agent.contact, agent.listener, settings)
    there = [one for one in phones if one.reachable] or list(phones)
    found = [(one.q, _at(agent, phone_target(one), one.source.listener, settings)) for one in there]
    if not found:
        return Callee(agent.extension, "", agent.listener, LegProfile(), name=agent.name)
    first = found[0][1]
    if len(found) == 1:
        return first
    ranks = sorted({q for q, _ in found}, reverse=True)
    return replace(first, groups=tuple(tuple(one for q, one in found if q == rank) for rank in ranks))


def phone_target(phone: Binding) -> str:
    """The URI of a registered phone; the proxies on the way to it stand behind the question mark, and become Route."""
    headers = "&".join(f"Route={quote(hop, safe='')}" for hop in phone.route)
    return f"{phone.target}?{headers}" if headers else phone.target


def _at(agent: Agent, contact: str, name: str, settings: Settings) -> Callee:
    listener = settings.listeners[name]
    # an offer in a reliable 18x would want its answer in the PRACK, which PJSIP cannot give
    profile = replace(phone_profile(settings, name, agent), rel100="off" if listener.delayed_offer else "optional")
    return Callee(agent.extension, contact, name, profile, not listener.delayed_offer, name=agent.name)


def number_callee(number: str, over: str, settings: Settings) -> Callee | None:
    """A number through a trunk or a group of trunks; None where no calls go out over that name."""
    group = settings.trunk_groups.get(over)
    names = [over] if group is None else [member.name for member in group.parsed]
    known = next((one for one in names if one in settings.trunks and settings.trunks[one].target), None)
    if known is None:
        return None
    t, profile = settings.trunks[known], trunk_profile(settings, known)
    user = UNSAFE.sub("", number)[:LONGEST_USER]
    return Callee(user, f"sip:{user}@{t.target}", t.listener, profile, trunk=over)


def auto_answer(here: str) -> list[tuple[str, str]]:
    """What makes a phone answer by itself: phones know one form or the other."""
    return [
        ("Call-Info", f"<sip:{here}>;answer-after=0"),
        ("Alert-Info", f"<http://{here}>;info=alert-autoanswer;delay=0"),
    ]


def invitation(call: Session, callee: Callee, target: str) -> Outgoing:
    """The INVITE for an agent's phone, whose address is in `target` by now.

    The real caller stands in From and P-Asserted-Identity; of the trunk's headers come those that its settings name.
    """
    here = call.exchange.engine.signalling_address(callee.listener, host_of(target))
    user = "" if call.hidden else UNSAFE.sub("", call.shown_number)[:LONGEST_USER]
    name = "" if call.hidden else NAME_UNSAFE.sub("", call.shown_name)[:LONGEST_USER]
    uri = f"<sip:{user or ANONYMOUS}@{here}>"
    headers = [("P-Asserted-Identity", uri), ("Max-Forwards", str(call.max_forwards)), ALLOW]
    headers += [("X-Tandem-Call-ID", call.id), *call.marks, *call.carried]
    profile = call.exchange.plan().agent_profiles.get(callee.label)
    if profile is not None and profile.connection == "auto-answer":
        headers += auto_answer(here)
    return Outgoing(
        target=target,
        listener=callee.listener,
        from_uri=f'"{name}" {uri}' if name else uri,
        to=target.partition("?")[0],
        headers=tuple(headers),
        profile=callee.profile,
        offer=callee.offer,
    )
