"""Who a call says it is from, towards a trunk: From, P-Asserted-Identity, Remote-Party-ID, Privacy.  Pure.

RFC 3323 and 3325: a caller who wants to stay unknown is unknown in From; the number itself goes only to a trunk inside
our trust domain, with the word that it is not to be shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ANONYMOUS = "anonymous"
NOBODY = "<sip:anonymous@anonymous.invalid>"
"RFC 3323 section 4.1.1.3."
PRIVATE = frozenset({"id", "user", "header", "full"})
"Values of Privacy (and of Remote-Party-ID's privacy) that ask for the number not to be shown."

_UNSAFE = re.compile(r"[^0-9A-Za-z+*#_.!~-]")
_NAME_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\<>\ud800-\udfff]')
LONGEST = 64


@dataclass(frozen=True, slots=True)
class CallerPolicy:
    """What a trunk is told of callers."""

    fixed: str = ""
    "The number to show instead of one that is not allowed; empty: that one itself."
    allowed: tuple[str, ...] = ()
    "Beginnings of the numbers that may be shown; none: every number may."
    tenants: Mapping[str, str] = field(default_factory=dict)
    "A tenant's own number, shown where his call's is not allowed or not known."
    trusted: bool = False
    "The trunk is inside our trust domain (RFC 3325)."
    asserted: bool = True
    "Send P-Asserted-Identity."
    remote_party: bool = False
    "Send Remote-Party-ID as well (older switches)."
    host: str = ""
    "Host of our identity towards the trunk; empty: our own address."

    def number(self, number: str, tenant: str | None) -> str:
        """The number to show for a call that wants to show `number`."""
        known = bool(number) and number != ANONYMOUS
        if known and (not self.allowed or number.startswith(self.allowed)):
            return number
        return self.tenants.get(tenant or "", "") or self.fixed or ("" if self.allowed else number)


@dataclass(frozen=True, slots=True)
class Identity:
    """The headers."""

    from_: str
    headers: tuple[tuple[str, str], ...]


def identity(policy: CallerPolicy, number: str, name: str, here: str, *, private: bool = False) -> Identity:
    """What says who calls; `number` is one that `policy` allows, `here` our host:port as the trunk sees it."""
    host = policy.host or here
    user = _UNSAFE.sub("", number)[:LONGEST]
    uri = f"<sip:{user or ANONYMOUS}@{host}>"
    shown = _NAME_UNSAFE.sub("", name)[:LONGEST]
    named = f'"{shown}" {uri}' if shown else uri
    told = bool(user) and (not private or policy.trusted)
    headers: list[tuple[str, str]] = []
    if told and policy.asserted:
        headers.append(("P-Asserted-Identity", uri))
    if told and policy.remote_party:
        headers.append(("Remote-Party-ID", f"{uri};party=calling;screen=yes;privacy={'full' if private else 'off'}"))
    if private:
        headers.append(("Privacy", "id"))
        return Identity(f'"Anonymous" {NOBODY}', tuple(headers))
    return Identity(named, tuple(headers))


def wants_privacy(values: Iterable[str]) -> bool:
    """Whether the Privacy headers of a message ask for the caller's number not to be shown (RFC 3323 section 4.2)."""
    return any(word.strip().lower() in PRIVATE for value in values for word in value.replace(",", ";").split(";"))
