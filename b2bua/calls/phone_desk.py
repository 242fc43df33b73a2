"""Registered phones as a service: kept over a restart, looked after while they live, told to floor and listeners."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from b2bua.calls.callee import phone_target
from b2bua.log import logger
from b2bua.sip.bindings import Binding, Source
from b2bua.sip.owners import Owners
from b2bua.sip.phones import Phones
from b2bua.sip.resolver import NoAddress, Resolver, host_of
from b2bua.storage.errors import StorageError
from b2bua.storage.registrations import Registered, keep, kept
from b2bua.storage.storage import Storage

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.sip.registrar import Change
    from b2bua.storage.directory import DirectoryFeed
    from routing.directory import Directory
    from routing.plan import Plan
    from routing.seat import Seat

log = logger("phones")

LOOK = 0.5
"Seconds between two looks: so much of what was registered is lost by a crash, and comes back with the next REGISTER."
RESOLVE = 30.0
"Seconds between two looks at the addresses of fixed contacts."
LOSSES = 2
"OPTIONS in a row without an answer, after which a phone is unreachable."
MOST_PROBES = 50
"OPTIONS sent in one look: their answers come together."
RESTORE_WITHIN = 2.0
"Seconds the database has at the start."
LATEST_STORE = 5.0
"Seconds the last batch may take."

Keep = Callable[[Mapping[str, list[Registered]]], Awaitable[None]]
Probe = Callable[[Binding, Callable[[int], None]], None]
"Sends OPTIONS; the function gets the final status, 0 where none came."


class PhoneDesk:
    """A service.  Its `changed` is what the registrar tells."""

    name = "phones"
    stop_within = LATEST_STORE + 1

    def __init__(
        self,
        *,
        directory: Callable[[], Directory],
        plan: Callable[[], Plan],
        seat: Callable[[str], Seat | None],
        reachable: Callable[[str, bool], None],
        tell: Callable[[str, Mapping[str, Any]], None],
        kept: Callable[[float], Awaitable[Iterable[Registered]]],
        keep: Keep,
        probe: Probe,
        behind: Callable[[Binding, bool], None],
        resolver: Resolver,
        every: float,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`seat`: an agent on the floor; `reachable`: tells the floor; `behind`: a phone behind address translation has
        come or gone; `every`: seconds between probes, 0: none."""
        self._directory, self._plan, self._seat, self._reachable = directory, plan, seat, reachable
        self._tell, self._kept, self._keep, self._probe, self._behind = tell, kept, keep, probe, behind
        self._resolver, self._every, self._wall = resolver, every, wall
        self.phones: Phones
        "Set by whoever makes both."
        self._losses: dict[tuple[str, str], int] = {}
        self._due: dict[tuple[str, str], float] = {}
        "When each binding is asked next (monotonic)."
        self._asked: dict[tuple[str, str], int] = {}
        "Number of the question that has no answer yet."
        self._questions = 0
        self._resolved: tuple[object, float] = (None, 0.0)
        self.addresses: dict[str, str] = {}
        "Of fixed contacts, by extension."

    def __repr__(self) -> str:
        return f"<phone desk of {self.phones!r}>"

    # -- told by the registrar

    def changed(self, change: Change) -> None:
        """Something happened to a phone."""
        binding = change.binding
        gone = change.what in ("unregistered", "expired", "dropped")
        if gone:
            self._losses.pop((binding.extension, binding.uri), None)
            self._due.pop((binding.extension, binding.uri), None)
            self._asked.pop((binding.extension, binding.uri), None)
        old = change.before if change.what == "moved" else binding if gone else None
        if old is not None and old.translated:
            self._behind(old, False)
        if change.what in ("registered", "moved") and binding.translated:
            self._behind(binding, True)
        data = {"extension": binding.extension, "contact": binding.uri, "from": str(binding.source)}
        self._tell("agent.phone", {**data, "state": change.what})
        asyncio.get_running_loop().call_soon(self._to_floor, binding.extension)

    def present(self, extension: str) -> bool:
        """Whether he can be rung, as far as his phone goes: who has a fixed contact can."""
        agent = self._directory().agent(extension)
        if agent is None or agent.contact:
            return True
        return self.phones.registrar.reachable(extension, self._wall())

    def there(self, extension: str) -> tuple[Binding, ...]:
        """His phones, best first."""
        return self.phones.registrar.bindings(extension, self._wall())

    def _to_floor(self, extension: str) -> None:
        """The floor gives nobody to an agent whose phone is away; a standing line says so itself."""
        seat, profile = self._seat(extension), self._plan().agent_profiles.get(extension)
        if seat is None or not seat.logged_in or (profile is not None and profile.connection == "nailed-up"):
            return
        on = self.present(extension)
        if seat.down == on or seat.reachable != on:
            self._reachable(extension, on)

    # -- as a service

    async def run(self, ready: Callable[[], None]) -> None:
        if not self.phones.authenticator.realm:  # no phone can register
            ready()
            while True:
                await self._learn_fixed()
                await asyncio.sleep(LOOK)
        await self._restore()
        ready()
        try:
            while True:
                await asyncio.sleep(LOOK)
                now = self._wall()
                self.phones.registrar.sweep(now, self._knows)
                await self._learn_fixed()
                self._probe_due(now)
                await self._store()
        finally:
            await asyncio.wait_for(self._store(), LATEST_STORE)

    def _knows(self, extension: str) -> bool:
        return self._directory().credentials(extension) is not None

    async def _restore(self) -> None:
        now = self._wall()
        try:
            async with asyncio.timeout(RESTORE_WITHIN):
                rows = await self._kept(now)
        except (StorageError, TimeoutError):
            log.warning("registered phones are not known yet: the database did not answer", do="they register again")
            return
        found = [binding for row in rows if (binding := _binding(row)) is not None]
        self.phones.registrar.restore(found, now)
        for extension in {one.extension for one in found}:
            self._to_floor(extension)
        if found:
            log.info("phones are registered as before the restart", phones=len(found))

    async def _store(self) -> None:
        """What has changed since the last time, in one transaction."""
        registrar = self.phones.registrar
        dirty, registrar.dirty = registrar.dirty, set()
        if not dirty:
            return
        now = self._wall()
        rows = {extension: [phone_row(one) for one in registrar.bindings(extension, now)] for extension in dirty}
        try:
            await self._keep(rows)
        except BaseException as error:
            registrar.dirty |= dirty  # stored with the next batch, also where this one was cancelled by the end
            if not isinstance(error, StorageError):
                raise
            log.warning("registrations are not stored", error=str(error), do="see to the database")

    async def _learn_fixed(self) -> None:
        """The addresses of agents at fixed contacts; those who have no password to show are told by them."""
        directory, now = self._directory(), time.monotonic()
        if self._resolved[0] is directory and now - self._resolved[1] < RESOLVE:
            return
        self._resolved = directory, now
        found: dict[str, str] = {}
        for agent in list(directory.agents.values()):
            if not agent.enabled or not agent.contact:
                continue
            try:
                found[agent.extension] = host_of(await self._resolver.uri(agent.contact))
            except NoAddress:
                continue
        self.addresses = found
        self.phones.fixed = frozenset(
            at for extension, at in found.items() if directory.agents[extension].credentials is None
        )

    # -- are they there?

    def _probe_due(self, now: float) -> None:
        if not self._every:
            return
        clock, sent = time.monotonic(), 0
        for binding in self.phones.registrar.all():
            key = (binding.extension, binding.uri)
            due = self._due.setdefault(key, clock + self._every / 2)
            if due > clock or sent >= MOST_PROBES:
                continue
            sent += 1
            self._due[key] = clock + self._every
            if key in self._asked:  # the stack itself gives up after 32 s only
                self._lost(key)
            self._questions = number = self._questions + 1
            self._asked[key] = number
            self._probe(binding, lambda code, key=key, number=number: self._answered(key, number, code))  # type: ignore[misc]

    def _answered(self, key: tuple[str, str], number: int, code: int) -> None:
        """Any answer will do: who says 405 to OPTIONS is there.  Ours, 408 and 503, are none."""
        current = self._asked.get(key) == number
        if current:
            del self._asked[key]
        if code not in (0, 408, 503):
            self._losses.pop(key, None)
            self.phones.registrar.mark(*key, self._wall(), reachable=True)
        elif current:  # else it was counted as lost already, or the phone is gone
            self._lost(key)

    def _lost(self, key: tuple[str, str]) -> None:
        self._losses[key] = self._losses.get(key, 0) + 1
        if self._losses[key] >= LOSSES:
            self.phones.registrar.mark(*key, self._wall(), reachable=False)


def phone_desk(
    exchange: Exchange, storage: Storage, feed: DirectoryFeed, tell: Callable[[str, Mapping[str, Any]], None]
) -> PhoneDesk:
    """The registrar with all that belongs to it; the engine knows of it where the settings have a realm."""
    settings, floor, engine, metrics = exchange.settings, exchange.floor, exchange.engine, exchange.metrics
    node = settings.node.name
    desk = PhoneDesk(
        directory=lambda: feed.current,
        plan=lambda: feed.plan,
        seat=floor.agent,
        reachable=floor.reachable,
        tell=tell,
        kept=lambda now: kept(storage, node, now),
        keep=lambda found: keep(storage, node, found),
        probe=lambda binding, answered: engine.door.probe(binding, phone_target(binding), answered),
        behind=engine.door.behind,
        resolver=exchange.resolver,
        every=settings.phones.probe,
    )
    desk.phones = phones = Phones(
        settings,
        lambda: feed.current,
        exchange.screening.is_emergency,
        desk.changed,
        lambda source: _guilty(source, exchange),
        engine.door.seen,
    )
    exchange.registered, exchange.attending.has_phone = desk.there, desk.present
    engine.door.owners = Owners(lambda: feed.current, lambda: desk.addresses)
    registrar = phones.registrar
    if settings.phones.realm:
        engine.door.phones = phones
    metrics.follow("gauge", "phones_registered", "Phones registered with this node.", lambda: len(registrar))
    silent = "Registered phones that do not answer OPTIONS."
    metrics.follow("gauge", "phones_unreachable", silent, lambda: sum(not one.reachable for one in registrar.all()))
    answers = "REGISTERs and INVITEs of phones, by what became of them: a status, admitted, guilty."
    metrics.follow(
        "counter",
        "phone_requests_total",
        answers,
        lambda: {f"{method} {outcome}": n for (method, outcome), n in phones.counted.items()},
        "answer",
    )
    return desk


def _guilty(source: Source, exchange: Exchange) -> None:
    """A wrong password, or somebody else's: after some of them the gate bans the address."""
    exchange.metrics.sip_refusals.inc("wrong-credentials")
    exchange.engine.door.fault(source)


def phone_row(binding: Binding) -> Registered:
    """As storage keeps it."""
    body = asdict(binding)
    del body["extension"], body["uri"], body["expires_at"]
    return Registered(binding.extension, binding.uri, binding.expires_at, body)


def _binding(row: Registered) -> Binding | None:
    """None for a row that another version of the program wrote."""
    try:
        body = dict(row.body)
        source = Source(**body.pop("source"))
        path = tuple(body.pop("path"))
        return Binding(row.extension, row.uri, row.expires_at, source=source, path=path, **body)
    except (TypeError, KeyError):
        return None
