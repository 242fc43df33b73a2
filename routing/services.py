"""A tenant's response server and look-up services as data: where they are, what they are asked, how long they have.

One row is one service: `member` of tenant acme. A tenant without rows is analysed by what its token says alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from routing.goal import Goal
from routing.plan_checks import goal_problems, within
from routing.url_template import places, text_mistakes, url_mistakes

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.plan import Plan

Role = Literal["response", "marketing", "member", "order", "business-staff", "inbound-staff", "menu"]
"menu: asked by a node of a menu and by nobody else; a tenant may have several."

NAMES = ("call", "tenant", "calling", "called", "caller", "sequence", "member", "person", "persons", "digits")
"""Places of a URL or a field. calling: the caller number on the wire; caller: the effective one; member, person: keys
that an earlier stage found; persons: everybody whose state may decide, with commas; digits: what he dialled last."""

MOST_FIELDS = 20
MIN_BYTES, MAX_BYTES = 64, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Service:
    """One system of a tenant that is asked while a call comes in."""

    id: str
    tenant: str
    role: Role
    url: str
    "Places in braces (`NAMES`) in path and query; of XML-RPC the method is the fragment: `http://crm/rpc#find`."
    kind: Literal["json", "xmlrpc"] = "json"
    method: Literal["GET", "POST"] | None = None
    "Of JSON; None: GET where the URL has a place, else POST."
    fields: Mapping[str, str] = field(default_factory=dict)
    "Member of the question -> its text, with places; empty: every name with its value."
    answer: str = ""
    "Where in the answer that stands which counts, `result.data`; empty: the whole."
    timeout_ms: int = 300
    max_bytes: int = 65536
    secret: str | None = field(default=None, repr=False)
    "`user:password` is sent as Basic, anything else as Bearer; with `secret_header` as it is."
    secret_header: str = ""
    "Header that carries the secret, where it is not Authorization."
    enabled: bool = True

    @property
    def posts(self) -> bool:
        """Whether it is asked with a body."""
        return self.kind == "xmlrpc" or (self.method == "POST" if self.method else not places(self.url))


@dataclass(frozen=True, slots=True)
class Response:
    """How a tenant's calls are analysed."""

    tenant: str
    deadline_ms: int = 800
    "All services of a call together."
    default: Goal | None = None
    "The default queue (R0-11): where a call goes that the analysis names nobody for; None: on, as without analysis."


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is known of a call before anybody is asked."""

    call: str
    tenant: str
    calling: str
    called: str
    caller: str
    sequence: str = ""

    def values(self, member: str = "", person: str = "", persons: tuple[str, ...] = ()) -> dict[str, str]:
        """Every name of `NAMES` with its value."""
        return {
            "call": self.call,
            "tenant": self.tenant,
            "calling": self.calling,
            "called": self.called,
            "caller": self.caller,
            "sequence": self.sequence,
            "member": member,
            "person": person,
            "persons": ",".join(persons),
            "digits": "",
        }


def service_problems(value: Service, plan: Plan, directory: Directory) -> Iterator[str]:
    """Every mistake of a service."""
    yield from (f"url: {mistake}" for mistake in url_mistakes(value.url, NAMES))
    if len(value.fields) > MOST_FIELDS:
        yield f"fields: {MOST_FIELDS} at most"
    for name, text in value.fields.items():
        if not re.fullmatch(r"[0-9A-Za-z_.-]{1,64}", name):
            yield f"fields: {name!r} is no name of a member"
        yield from (f"fields.{name}: {mistake}" for mistake in text_mistakes(text, NAMES))
    if value.answer and not re.fullmatch(r"[0-9A-Za-z_-]{1,64}(\.[0-9A-Za-z_-]{1,64}){0,7}", value.answer):
        yield f"answer: {value.answer!r} is no path like result.data"
    if value.secret_header and not re.fullmatch(r"[0-9A-Za-z-]{1,64}", value.secret_header):
        yield f"secret_header: {value.secret_header!r} is no name of a header"
    if value.kind == "xmlrpc" and value.method == "GET":
        yield "method: XML-RPC is always POST"
    yield from within("timeout_ms", value.timeout_ms, 10, 5000)
    yield from within("max_bytes", value.max_bytes, MIN_BYTES, MAX_BYTES)
    for other in plan.services.values():
        if value.role != "menu" and other.id < value.id and (other.tenant, other.role) == (value.tenant, value.role):
            yield f"role: service {other.id} is the {value.role} service of tenant {value.tenant} already"


def response_problems(value: Response, plan: Plan, directory: Directory) -> Iterator[str]:
    """Every mistake of a tenant's row."""
    yield from within("deadline_ms", value.deadline_ms, 20, 5000)
    if value.default is not None:
        yield from goal_problems(value.default, plan, directory.agents, value.tenant, "default")
