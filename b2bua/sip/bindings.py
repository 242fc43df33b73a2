"""Where an agent's phones are: what a REGISTER asks for, and what becomes of the bindings there are.  Pure.

RFC 3261 section 10, RFC 3327 (Path), RFC 5626 (instance and reg-id).  Times are epoch seconds: bindings outlive a
process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from b2bua.sip.header_values import whole_number
from routing.address import Address, BadAddress, Uri, printable, split_list

if TYPE_CHECKING:
    from b2bua.sip.message import Message

MOST_CONTACTS = 16
"Contacts in one REGISTER."
LONGEST_URI = 512
LONGEST_PATH = 1024
LONGEST_SEQUENCE = 2**31 - 1
FOREVER = 2**32 - 1
STREAMS = ("tcp", "tls")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request came from, and on which of our sockets."""

    listener: str
    transport: str
    "udp, tcp or tls."
    address: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of an extension."""

    extension: str
    uri: str
    "As the phone wrote it."
    expires_at: float
    call_id: str
    cseq: int
    source: Source
    q: float = 1.0
    path: tuple[str, ...] = ()
    "Route values, nearest first."
    instance: str = ""
    reg_id: int = 0
    user_agent: str = ""
    since: float = 0.0
    "When the phone registered first; refreshing does not change it."
    reachable: bool = True
    "False: it has not answered our last OPTIONS."

    @property
    def target(self) -> str:
        """The Request-URI for this phone.

        A phone behind address translation, or on a connection, is where its REGISTER came from, whatever it writes; one
        behind a proxy that has put itself into Path is what it writes.
        """
        uri = self.uri.partition("?")[0]
        if self.path:
            return uri
        scheme, _, rest = uri.partition(":")
        userinfo, at, hostpart = rest.rpartition("@")
        host, *said = hostpart.split(";")
        left = [one for one in said if _parameter(one) != "maddr"]  # it would send our INVITE to any host, found by DNS
        if self.source.transport not in STREAMS and _same_socket(host, self.source):
            return ";".join((f"{scheme}:{userinfo}{at}{host}", *left))
        left = [one for one in left if one and _parameter(one) != "transport"]
        if self.source.transport in STREAMS:
            left.append(f"transport={self.source.transport}")
        # sips would ask for TLS on every hop; this connection is TLS already
        return ";".join((f"sip:{userinfo}{at}{self.source}", *left))

    @property
    def route(self) -> tuple[str, ...]:
        """Route values on the way to it; a name in the first is not looked up: the proxy is where it has sent from."""
        if not self.path:
            return ()
        first = self.path[0][1:-1]
        host = first.partition(":")[2].rpartition("@")[2].partition(";")[0]
        named = not host.startswith("[") and not host.partition(":")[0].replace(".", "").isdigit()
        return (f"<{first};maddr={self.source.address}>" if named else self.path[0], *self.path[1:])

    @property
    def translated(self) -> bool:
        """Its own address is not the one we see."""
        _, _, rest = self.uri.partition("?")[0].partition(":")
        return not self.path and not _same_socket(rest.rpartition("@")[2].partition(";")[0], self.source)


@dataclass(frozen=True, slots=True)
class Asked:
    """One contact of a REGISTER."""

    uri: str
    expires: int | None
    "Its own; None: what the whole request says."
    q: float
    instance: str
    reg_id: int


@dataclass(frozen=True, slots=True)
class Register:
    """A REGISTER, read."""

    extension: str
    "The user of To."
    call_id: str
    cseq: int
    contacts: tuple[Asked, ...]
    star: bool
    "`Contact: *`: all of them."
    expires: int | None
    path: tuple[str, ...]
    user_agent: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the registrar agrees to."""

    min_expires: int = 60
    max_expires: int = 3600
    default_expires: int = 3600
    contacts: int = 5
    "Of one extension; one more replaces the one that would expire first."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to answer, and what there is from now on."""

    code: int
    bindings: tuple[Binding, ...]
    min_expires: int = 0
    "For a 423."


class BadRegister(ValueError):
    """A REGISTER that nobody can serve; the text is the reason phrase."""


def read_register(message: Message) -> Register:
    """Raises BadRegister."""
    to = message.address("to")
    try:
        extension = to.parsed_uri().user if to is not None else ""
    except BadAddress:
        extension = ""
    if not extension or len(extension) > 64 or not extension.isprintable():
        raise BadRegister("Bad To")
    sequence, _, method = (message.header("cseq") or "").partition(" ")
    cseq = whole_number(sequence, LONGEST_SEQUENCE)
    call_id = (message.header("call-id") or "").strip()
    if cseq is None or method.strip() != "REGISTER" or not call_id or len(call_id) > 256:
        raise BadRegister("Bad CSeq or Call-ID")
    elements = [one for value in message.all("contact")[:MOST_CONTACTS] for one in split_list(value)]
    if len(elements) > MOST_CONTACTS:
        raise BadRegister("Too Many Contacts")
    star = "*" in elements
    expires = _seconds(message.header("expires"))
    if star and (len(elements) > 1 or expires != 0):
        raise BadRegister("Bad Contact")
    path = tuple(_hop(one) for value in message.all("path") for one in split_list(value))
    if sum(map(len, path)) > LONGEST_PATH:
        raise BadRegister("Bad Path")
    contacts = () if star else tuple(_asked(one) for one in elements)
    return Register(
        extension, printable(call_id, 256), cseq, contacts, star, expires, path,
        printable(message.header("user-agent") or "", 100),
    )  # fmt: skip


def _asked(text: str) -> Asked:
    try:
        address = Address.parse(text)
        uri = address.parsed_uri()
    except BadAddress:
        raise BadRegister("Bad Contact") from None
    plain = address.uri.isascii() and address.uri.isprintable() and not set(' "<>') & set(address.uri)
    if uri.scheme == "tel" or len(address.uri) > LONGEST_URI or not plain or uri.headers:
        raise BadRegister("Bad Contact")
    said = address.parameters()
    reg_id = whole_number(said.get("reg-id", ""), LONGEST_SEQUENCE) or 0
    return Asked(
        address.uri, _seconds(said.get("expires")), _quality(said.get("q")),
        printable(said.get("+sip.instance", ""), 128).replace('"', "").replace("\\", ""), reg_id,
    )  # fmt: skip


def _hop(text: str) -> str:
    """One value of Path, as the Route value that it becomes."""
    try:
        uri = Address.parse(text).uri
        Uri.parse(uri)
    except BadAddress:
        raise BadRegister("Bad Path") from None
    if not uri.isascii() or not uri.isprintable() or set(' "<>?') & set(uri):
        raise BadRegister("Bad Path")
    return f"<{uri}>"


def _seconds(text: str | None) -> int | None:
    """Broken values count as none (RFC 3261 10.3 step 7); those above 2**32 as that."""
    if text is None:
        return None
    text = text.strip()
    return min(int(text[:11]), FOREVER) if text.isascii() and text.isdigit() else None


def _quality(text: str | None) -> float:
    try:
        q = float((text or "1")[:5])
    except ValueError:
        return 1.0
    return q if 0 <= q <= 1 else 1.0


def registered(request: Register, before: Sequence[Binding], source: Source, limits: Limits, now: float) -> Outcome:
    """The steps of RFC 3261 section 10.3 for an extension whose credentials were right: all of it, or nothing."""
    alive = tuple(binding for binding in before if binding.expires_at > now)
    if request.star:
        if _out_of_order(request, alive):
            return Outcome(500, alive)
        return Outcome(200, ())
    kept = {_key(binding): binding for binding in alive}
    for asked in request.contacts:
        wanted = asked.expires if asked.expires is not None else request.expires
        wanted = limits.default_expires if wanted is None else wanted
        if 0 < wanted < limits.min_expires:
            return Outcome(423, alive, limits.min_expires)
        key = _key_of(asked)
        old = kept.get(key)
        if old is not None and _out_of_order(request, (old,)):
            return Outcome(500, alive)
        if wanted == 0:
            kept.pop(key, None)
            continue
        for other in [at for at, one in kept.items() if at != key and one.uri == asked.uri]:
            del kept[other]  # one address is one phone, under whatever flow: storage and probes know it by its URI
        kept[key] = Binding(
            extension=request.extension,
            uri=asked.uri,
            expires_at=now + min(wanted, limits.max_expires),
            call_id=request.call_id,
            cseq=request.cseq,
            source=source,
            q=asked.q,
            path=request.path,
            instance=asked.instance,
            reg_id=asked.reg_id,
            user_agent=request.user_agent,
            since=old.since if old is not None else now,
        )
    return Outcome(200, _at_most(kept.values(), limits.contacts, request))


def _out_of_order(request: Register, bindings: Iterable[Binding]) -> bool:
    return any(one.call_id == request.call_id and request.cseq < one.cseq for one in bindings)


def _at_most(bindings: Iterable[Binding], most: int, request: Register) -> tuple[Binding, ...]:
    """A phone that has lost its address leaves bindings behind: the new one counts, the oldest goes."""
    all_ = tuple(bindings)
    new = [one for one in all_ if (one.call_id, one.cseq) == (request.call_id, request.cseq)][-most:]
    others = [one for one in all_ if one not in new]
    others.sort(key=lambda one: (one.reachable, one.expires_at))
    stay = others[max(0, len(others) - (most - len(new))) :] if most > len(new) else []
    return tuple(one for one in all_ if one in new or one in stay)


def _key(binding: Binding) -> tuple[str, ...]:
    return _key_of(Asked(binding.uri, None, 1.0, binding.instance, binding.reg_id))


def _key_of(asked: Asked) -> tuple[str, ...]:
    """What makes two contacts the same: instance and flow (RFC 5626 section 6), else the URI (RFC 3261 19.1.4)."""
    if asked.instance and asked.reg_id:
        return ("flow", asked.instance, str(asked.reg_id))
    scheme, _, rest = asked.uri.partition(":")
    userinfo, _, hostpart = rest.rpartition("@")
    host, *parameters = hostpart.split(";")
    compared = sorted(one.lower() for one in parameters if one.partition("=")[0].lower() in _COMPARED)
    return ("uri", scheme.lower(), userinfo, host.lower(), *compared)


_COMPARED = frozenset({"transport", "user", "method", "maddr", "ttl"})
"URI parameters that must be in both or in none (RFC 3261 19.1.4)."


def _parameter(text: str) -> str:
    """The name of a URI parameter, as the stack reads it: escapes count as what they stand for."""
    return unquote(text.partition("=")[0]).strip().lower()


def _same_socket(hostport: str, source: Source) -> bool:
    host, _, port = hostport.rpartition(":") if hostport.rpartition(":")[2].isdigit() else (hostport, "", "5060")
    return host.strip("[]").lower() == source.address.lower() and port == str(source.port)


def alive(bindings: Iterable[Binding], now: float) -> tuple[Binding, ...]:
    return tuple(binding for binding in bindings if binding.expires_at > now)


def marked(binding: Binding, *, reachable: bool) -> Binding:
    return binding if binding.reachable == reachable else replace(binding, reachable=reachable)


def contact_headers(bindings: Iterable[Binding], now: float) -> tuple[tuple[str, str], ...]:
    """The Contact headers of a 200: every binding there is, with what is left of its time."""
    return tuple(
        ("Contact", f"<{one.uri}>{_told(one)};expires={max(1, round(one.expires_at - now))}") for one in bindings
    )


def _told(binding: Binding) -> str:
    q = "" if binding.q == 1.0 else f";q={binding.q:g}"
    if not binding.instance:
        return q
    flow = f";reg-id={binding.reg_id}" if binding.reg_id else ""
    return f'{q};+sip.instance="{binding.instance}"{flow}'
