"""Which headers of an INVITE are passed on, and under which name: nothing is, unless an operator says so.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_NEVER = (
    "accept accept-encoding accept-language alert-info allow allow-events authentication-info "
    "authorization call-id call-info contact content-disposition content-encoding content-language "
    "content-length content-type cseq date error-info event expires from identity in-reply-to join max- "
    "forwards mime-version min-expires min-se p-asserted-identity p-preferred-identity path privacy "
    "proxy-authenticate proxy-authorization proxy-require rack reason record-route refer-to referred-by "
    "remote-party-id replaces require retry-after route rseq security-client security-server security- "
    "verify server service-route session-expires subscription-state supported target-dialog to "
    "unsupported user-agent via warning www-authenticate "
)
NEVER = frozenset(_NEVER.split())
"Those that belong to one dialog, to us, or to who may see whom: we write them ourselves, or nobody does."
OURS = "x-tandem-"
"Nobody outside may speak to our agents' programs in our name."
MOST_HEADERS = 16
LONGEST_VALUE = 1024
"Characters; longer ones are left out, a value that is cut is another value."


@dataclass(frozen=True, slots=True)
class HeaderProfile:
    """Names are in lower case; one that ends with * stands for all that begin so."""

    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    "Of those that are allowed."
    rename: Mapping[str, str] = field(default_factory=dict)
    "From the name in lower case to that under which it goes on."

    def passes(self, name: str) -> bool:
        """Whether a header of this name (lower case) goes on."""
        return not never(name) and _named(name, self.allow) and not _named(name, self.deny)

    def passed_on(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """What goes on of an INVITE's headers (lower-case name, value), in order."""
        if not self.allow:
            return ()
        found = []
        for name, value in headers:
            name = name.lower()
            if self.passes(name) and len(value) <= LONGEST_VALUE and value.isprintable():
                found.append((self.rename.get(name) or shown(name), value))
        return tuple(found[:MOST_HEADERS])


def never(name: str) -> bool:
    """Whether a header of this name (lower case) is never passed on, whatever a profile says."""
    return name in NEVER or name.startswith(OURS)


def shown(name: str) -> str:
    """`x-customer-id` as it is usually written."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _named(name: str, patterns: frozenset[str]) -> bool:
    return name in patterns or any(pattern.endswith("*") and name.startswith(pattern[:-1]) for pattern in patterns)
