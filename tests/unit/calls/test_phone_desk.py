"""Registered phones as a service: what it stores and restores, and what it survives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from b2bua.calls.phone_desk import PhoneDesk, phone_row
from b2bua.sip.authenticator import Authenticator
from b2bua.sip.bindings import Binding, Limits, Source
from b2bua.sip.phones import Phones
from b2bua.sip.registrar import Registrar
from b2bua.sip.resolver import Resolver
from b2bua.storage.errors import StorageError
from b2bua.storage.registrations import Registered
from routing.directory import Agent, Credentials, Directory
from routing.plan import Plan

NOW = 1000.0
BEHIND_NAT = Binding("1001", "sip:1001@10.0.0.5", NOW + 600, "a", 1, Source("inside", "udp", "192.0.2.7", 5062))
DIRECTORY = Directory(agents=[Agent("1001", "desk", "", "", credentials=Credentials("tandem", "x", "y"))])


class Desk:
    """A desk with a database that keeps in memory, or fails as it is told to."""

    def __init__(self, *rows: Registered) -> None:
        self.rows = rows
        self.stored: list[dict[str, list[Registered]]] = []
        self.fails: list[BaseException] = []
        self.translated = 0
        self.desk = PhoneDesk(
            directory=lambda: DIRECTORY,
            plan=Plan,
            seat=lambda extension: None,
            reachable=lambda extension, on: None,
            tell=lambda event, data: None,
            kept=self._kept,
            keep=self._keep,
            probe=lambda binding, answered: None,
            behind=self._behind,
            resolver=Resolver(),
            every=0,
            wall=lambda: NOW,
        )
        authenticator = Authenticator("tandem", ("MD5",), lambda extension: None)
        self.registrar = Registrar(authenticator, Limits(), lambda address: False, self.desk.changed)
        phones = SimpleNamespace(authenticator=authenticator, registrar=self.registrar)
        self.desk.phones = cast("Phones", phones)

    async def _kept(self, now: float) -> Iterable[Registered]:
        return self.rows

    async def _keep(self, found: Mapping[str, list[Registered]]) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.stored.append(dict(found))

    def _behind(self, binding: Binding, on: bool) -> None:
        self.translated += 1 if on else -1

    async def runs(self, until: Any) -> None:
        """As a service, until that is so; then it is stopped."""
        ready = asyncio.Event()
        running = asyncio.ensure_future(self.desk.run(ready.set))
        async with asyncio.timeout(10):
            await ready.wait()
            while not until() and not running.done():
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled(), running.exception()


def test_a_phone_behind_address_translation_is_counted_once_after_a_restart() -> None:
    async def scene() -> None:
        office = Desk(phone_row(BEHIND_NAT))
        await office.runs(lambda: len(office.registrar))
        assert office.translated == 1
        office.registrar.drop("1001", None, NOW)
        assert office.translated == 0

    asyncio.run(scene())


def test_registrations_that_the_database_refuses_stop_nothing_and_are_tried_again() -> None:
    async def scene() -> None:
        office = Desk()
        office.fails = [StorageError("UNIQUE constraint failed")]
        office.registrar.restore([BEHIND_NAT], NOW)
        office.registrar.dirty.add("1001")
        await office.runs(lambda: office.stored)
        assert office.stored == [{"1001": [phone_row(BEHIND_NAT)]}]

    asyncio.run(scene())


def test_what_was_being_stored_at_the_end_is_stored() -> None:
    async def scene() -> None:
        office = Desk()
        office.registrar.restore([BEHIND_NAT], NOW)
        office.registrar.dirty.add("1001")
        office.fails = [asyncio.CancelledError()]
        await office.runs(lambda: not office.fails)
        assert office.stored == [{"1001": [phone_row(BEHIND_NAT)]}]

    asyncio.run(scene())
