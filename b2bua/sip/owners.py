"""Whose phone calls, as far as the phone's own rules about encryption go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

from b2bua.sip.phones import caller_in, user_of
from b2bua.sip.resolver import host_of

if TYPE_CHECKING:
    from b2bua.sip.message import Message
    from routing.directory import Agent, Directory


class Owners:
    """Agents whose phones have rules of their own."""

    def __init__(self, directory: Callable[[], Directory], addresses: Callable[[], Mapping[str, str]]) -> None:
        """`addresses`: of fixed contacts that are written with a name, by extension, as they were last looked up."""
        self._directory, self._addresses = directory, addresses
        self._known: tuple[object, dict[str, list[Agent]]] = (None, {})

    def of(self, shown: str, listener: str, source: str, message: Message) -> Agent | None:
        """The agent whose password was `shown`, or else who calls from where his contact is, under his extension or his
        contact's user; None for anybody else, and where he has no rules."""
        ruled = self._ruled()
        if not ruled:
            return None
        if shown:
            return next((one for one in ruled.get(shown, ()) if one.extension == shown), None)
        named = ruled.get(caller_in(message), ())
        return next((one for one in named if one.listener == listener and self._is_at(one, source)), None)

    def _ruled(self) -> dict[str, list[Agent]]:
        """By extension and by contact's user."""
        directory = self._directory()
        if self._known[0] is not directory:
            found: dict[str, list[Agent]] = {}
            for agent in directory.agents.values():
                if agent.enabled and (agent.srtp is not None or agent.srtp_keys):
                    for name in {agent.extension, user_of(agent.contact)} - {""}:
                        found.setdefault(name, []).append(agent)
            self._known = directory, found
        return self._known[1]

    def _is_at(self, agent: Agent, source: str) -> bool:
        known = self._addresses().get(agent.extension) or (host_of(agent.contact) if agent.contact else "")
        return _same(known, source)


def _same(one: str, other: str) -> bool:
    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False
