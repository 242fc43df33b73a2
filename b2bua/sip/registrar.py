"""Registrar of agents' phones (RFC 3261 section 10): in memory, told to storage behind the answer.

One step of the loop each; nothing here waits.  Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from b2bua.sip.authenticator import Authenticator, Finding, Verdict
from b2bua.sip.bindings import (
    BadRegister,
    Binding,
    Limits,
    Register,
    Source,
    alive,
    contact_headers,
    marked,
    read_register,
    registered,
)

if TYPE_CHECKING:
    from b2bua.sip.message import Message

Headers = tuple[tuple[str, str], ...]
Happening = Literal["registered", "moved", "unregistered", "expired", "dropped", "unreachable", "reachable"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A final answer."""

    code: int
    headers: Headers = ()
    phrase: str = ""
    "Empty: the usual one."
    guilty: bool = False
    "Wrong or stolen credentials: it counts against the source."


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened to a phone; a refreshed registration is none."""

    what: Happening
    binding: Binding
    before: Binding | None = None
    "What it was where it has moved: the same phone, from another address or port."


class Registrar:
    """Owner of the bindings of this node."""

    def __init__(
        self,
        authenticator: Authenticator,
        limits: Limits,
        accepts_path: Callable[[str], bool],
        tell: Callable[[Change], None],
        seen: Callable[[Source, float], None] = lambda source, seconds: None,
    ) -> None:
        """`accepts_path`: whether an address is that of a proxy of ours; `seen`: for how many seconds from now a phone
        is registered from there, 0: no longer."""
        self._authenticator, self._limits = authenticator, limits
        self._accepts_path, self._tell, self._seen = accepts_path, tell, seen
        self._bindings: dict[str, tuple[Binding, ...]] = {}
        self._at: dict[tuple[str, int], dict[str, int]] = {}
        "(address, port) -> extensions registered from there, with how many bindings."
        self.dirty: set[str] = set()
        "Extensions whose rows storage does not have yet."

    def __repr__(self) -> str:
        return f"<registrar of {self._authenticator.realm}: {len(self._bindings)} extensions>"

    def __len__(self) -> int:
        return sum(map(len, self._bindings.values()))

    # -- for the wire

    def answer(self, message: Message, source: Source, now: float) -> Reply:
        """What a REGISTER gets."""
        verdict = self._authenticator.check(message, (source.address, source.port), now)
        if not verdict.passed:
            return refusal(verdict)
        try:
            request = read_register(message)
        except BadRegister as bad:
            return Reply(400, phrase=str(bad))
        if request.extension != verdict.extension:
            return Reply(403, guilty=True)  # nobody registers for another one (RFC 3261 10.3 step 3)
        if request.path and not self._accepts_path(source.address):
            request = _without_path(request)
        before = self._bindings.get(request.extension, ())
        if verdict.finding is Finding.REPEATED:
            return _ok(alive(before, now), request, now)  # our answer was lost; the bindings are as it said
        outcome = registered(request, before, source, self._limits, now)
        if outcome.code == 423:
            return Reply(423, (("Min-Expires", str(outcome.min_expires)),))
        if outcome.code != 200:
            return Reply(outcome.code)
        if request.star or request.contacts:
            self._put(request.extension, outcome.bindings, "unregistered", now)
        return _ok(outcome.bindings, request, now)

    # -- for calls

    def bindings(self, extension: str, now: float) -> tuple[Binding, ...]:
        """Where an extension is, whom to ring first first: by q, then the newest."""
        return tuple(sorted(alive(self._bindings.get(extension, ()), now), key=lambda one: (-one.q, -one.since)))

    def reachable(self, extension: str, now: float) -> bool:
        return any(one.reachable for one in alive(self._bindings.get(extension, ()), now))

    def is_from(self, address: str, port: int, extension: str) -> bool:
        """Whether this extension is registered from there."""
        return extension in self._at.get((address, port), {})

    # -- for operators, probes and storage

    def all(self) -> list[Binding]:
        """By extension."""
        return [one for extension in sorted(self._bindings) for one in self._bindings[extension]]

    def drop(self, extension: str, uri: str | None, now: float) -> int:
        """Forget an extension's bindings, or one of them; how many they were."""
        before = self._bindings.get(extension, ())
        left = tuple(one for one in before if uri is not None and one.uri != uri)
        self._put(extension, left, "dropped", now)
        return len(before) - len(left)

    def mark(self, extension: str, uri: str, now: float, *, reachable: bool) -> None:
        """What a probe found out."""
        before = self._bindings.get(extension, ())
        after = tuple(marked(one, reachable=reachable) if one.uri == uri else one for one in before)
        if after != before:
            self._put(extension, after, "dropped", now)

    def sweep(self, now: float, knows: Callable[[str], bool]) -> None:
        """Forget what has expired, and the phones of extensions that may not register any more."""
        for extension, before in list(self._bindings.items()):
            if not knows(extension):
                self._put(extension, (), "dropped", now)
                continue
            if any(one.expires_at <= now for one in before):
                self._put(extension, alive(before, now), "expired", now)

    def restore(self, bindings: Iterable[Binding], now: float) -> None:
        """What was registered before a restart; who has registered since is left as he is."""
        found: dict[str, list[Binding]] = {}
        for binding in alive(bindings, now):
            if binding.extension not in self._bindings:
                found.setdefault(binding.extension, []).append(binding)
        for extension, theirs in found.items():
            self._put(extension, tuple(theirs), "dropped", now)
            self.dirty.discard(extension)

    def _put(self, extension: str, after: tuple[Binding, ...], gone: Happening, now: float) -> None:
        """`gone`: why those that are missing from now on are."""
        before = self._bindings.get(extension, ())
        if after == before:
            return
        if after:
            self._bindings[extension] = after
        else:
            del self._bindings[extension]
        self.dirty.add(extension)
        for binding in before:
            self._count(binding, -1)
        for binding in after:
            self._count(binding, 1)
            if binding not in before:
                self._seen(binding.source, binding.expires_at - now)
        for binding in before:
            if (binding.source.address, binding.source.port) not in self._at:
                self._seen(binding.source, 0)
        for change in changes(before, after, gone, now):
            self._tell(change)

    def _count(self, binding: Binding, by: int) -> None:
        place = (binding.source.address, binding.source.port)
        here = self._at.setdefault(place, {})
        here[binding.extension] = here.get(binding.extension, 0) + by
        if here[binding.extension] <= 0:
            del here[binding.extension]
        if not here:
            del self._at[place]


def refusal(verdict: Verdict) -> Reply:
    """The answer to whoever has not shown who he is."""
    if verdict.finding is Finding.WRONG:
        return Reply(403, guilty=True)
    headers = tuple(("WWW-Authenticate", challenge) for challenge in verdict.challenges)
    return Reply(401, headers, guilty=verdict.finding is Finding.REPLAYED)


def changes(before: Iterable[Binding], after: Iterable[Binding], gone: Happening, now: float) -> Iterable[Change]:
    """What happened between two states of an extension."""
    old, new = {one.uri: one for one in before}, {one.uri: one for one in after}
    for uri, binding in new.items():
        was = old.get(uri)
        if was is None:
            yield Change("registered", binding)
        elif was.source != binding.source:
            yield Change("moved", binding, was)
        elif was.reachable and not binding.reachable:
            yield Change("unreachable", binding)
        elif binding.reachable and not was.reachable:
            yield Change("reachable", binding)
    for uri, binding in old.items():
        if uri not in new:
            yield Change("expired" if binding.expires_at <= now else gone, binding)


def _without_path(request: Register) -> Register:
    return Register(
        request.extension, request.call_id, request.cseq, request.contacts, request.star, request.expires, (),
        request.user_agent,
    )  # fmt: skip


def _ok(bindings: Iterable[Binding], request: Register, now: float) -> Reply:
    """RFC 3261 10.3 step 8, RFC 3327 5.3 and RFC 5626 6."""
    headers = contact_headers(list(bindings)[:8], now)
    if request.path:
        headers += (("Path", ", ".join(request.path)),)
    if any(one.reg_id and one.instance for one in request.contacts):
        headers += (("Require", "outbound"),)
    return Reply(200, (*headers, ("Supported", "path, outbound")))
