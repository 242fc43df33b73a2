"""What goes on about trunks while no call asks: names are looked up, far ends probed, their state written down."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from b2bua.log import logger
from b2bua.sip.names import Names
from b2bua.sip.resolver import is_address, split_host_port
from b2bua.sip.trunk_desk import Kept
from b2bua.sip.trunk_line import Far, Line

if TYPE_CHECKING:
    from b2bua.settings import Settings
    from b2bua.sip.trunk_desk import TrunkDesk

log = logger("trunks")

ASK_AGAIN = 5.0
"Seconds after a name server has not answered."
WRITE = 10.0
"Seconds between two looks at what is to be kept over a restart."


FIRST_RETRY, LAST_RETRY = 1.0, 60.0
"Seconds between two rounds of registering in vain, at first and at most."
ANSWER = 40.0
"Seconds that an answer to REGISTER may take: PJSIP gives up after 32."
OVERDUE = 30.0
"Seconds by which a registration may be renewed late."


class Sender(Protocol):
    """The part of the SIP engine that this needs."""

    def register(self, name: str, destination: str, told: Callable[[int, str, int], None]) -> bool:
        """Send REGISTER; `told` gets status, phrase and seconds granted of each answer.  False: it cannot be sent."""

    def unregister(self, name: str) -> None:
        """Take our address back."""

    def options(self, trunk: str, destination: str, answered: Callable[[int], None]) -> None:
        """Send OPTIONS; `answered` gets the final status, 0 where none came.  Never raises."""


class TrunkService:
    """A service: `run` until cancelled."""

    name = "trunks"
    stop_within = 5.0

    def __init__(
        self,
        desk: TrunkDesk,
        sender: Callable[[], Sender],
        settings: Callable[[], Settings],
        probed: Callable[[str, str], None],
        file: Path,
    ) -> None:
        """`probed` counts answers by trunk and status; `file` is where maintenance and minutes are kept."""
        self._desk, self._sender, self._settings, self._probed, self._file = desk, sender, settings, probed, file
        self._written: dict[str, Kept] = {}
        self._changed = asyncio.Event()

    def adopted(self) -> None:
        """The desk has other settings: begin anew with them."""
        self._changed.set()

    def read(self) -> None:
        """What the last run left; before the server takes calls."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            self._desk.restore({str(name): Kept(**kept) for name, kept in found.items()})
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("maintenance and minutes of trunks begin anew", file=str(self._file), why=str(error))

    async def run(self, ready: Callable[[], None]) -> None:
        ready()
        try:
            while True:
                self._changed.clear()
                work = asyncio.create_task(self._work(), name="trunks")
                again = asyncio.create_task(self._changed.wait(), name="trunks changed")
                try:
                    await asyncio.wait([work, again], return_when=asyncio.FIRST_COMPLETED)
                    if work.done():
                        work.result()  # it never ends but by an error
                finally:
                    for task in (work, again):
                        task.cancel()
                    await asyncio.wait([work, again])
        finally:
            await self._write()

    async def _work(self) -> None:
        names = Names(self._settings().dns)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep())
            for line in self._desk.lines.values():
                for host in line.settings.hosts:
                    group.create_task(self._source(names, line, host))
                target = line.settings.target
                if target is not None:
                    if not is_address(split_host_port(target)[0]):
                        group.create_task(self._target(names, line, target))
                    if line.settings.probe:
                        group.create_task(self._probe(line))
                    if line.settings.registers:
                        group.create_task(self._register(line))

    # -- names

    async def _target(self, names: Names, line: Line, target: str) -> None:
        """The addresses of its target, again and again; where nobody answers the last ones stay."""
        listener = self._settings().listeners[line.settings.listener]
        version = ip_address(listener.address).version
        while True:
            try:
                found = await names.target(target, listener.transport, version)
            except OSError as error:
                log.warning("a trunk's name is not known now", trunk=line.name, why=str(error), known=len(line.fars))
                await asyncio.sleep(ASK_AGAIN)
                continue
            line.lead_to(found.members)
            await asyncio.sleep(found.fresh)

    async def _source(self, names: Names, line: Line, host: str) -> None:
        """The same for a name that its calls come from."""
        version = ip_address(self._settings().listeners[line.settings.listener].address).version
        mine: tuple[str, ...] = ()
        while True:
            try:
                found = await names.addresses(host, version)
            except OSError as error:
                log.warning("a name that calls come from is not known now", trunk=line.name, why=str(error))
                await asyncio.sleep(ASK_AGAIN)
                continue
            now = tuple(sorted(member.name for member in found.members))
            if now != mine:
                others = tuple(address for address in line.sources if address not in mine)
                line.sources, mine = others + now, now
                self._desk.place()
            await asyncio.sleep(found.fresh)

    # -- probes

    async def _probe(self, line: Line) -> None:
        """OPTIONS to each of its addresses, all at once, one round after the other."""
        settings, loop = line.settings, asyncio.get_running_loop()
        while True:
            began = loop.time()
            await asyncio.gather(*(self._probe_one(line, far) for far in list(line.fars.values())))
            pause = settings.probe_interval if line.fars else min(settings.probe_interval, 1.0)
            await asyncio.sleep(max(0.0, began + pause - loop.time()))

    async def _probe_one(self, line: Line, far: Far) -> None:
        code = asyncio.get_running_loop().create_future()

        def answered(status: int) -> None:
            if not code.done():
                code.set_result(status)
            elif status >= 200:
                self._learnt(line, far, status)  # late, but there

        self._sender().options(line.name, far.destination, answered)
        try:
            async with asyncio.timeout(line.settings.probe_timeout):
                status = await code
        except TimeoutError:
            status = 0
        self._learnt(line, far, status)

    def _learnt(self, line: Line, far: Far, status: int) -> None:
        known = line.fars.get(far.destination)
        if known is None or self._desk.lines.get(line.name) is not line:
            return
        self._probed(line.name, str(status) if status else "none")
        self._desk.learnt(line, known, known.circuit.probed(status, line.settings.probe_losses))

    # -- registrations

    async def _register(self, line: Line) -> None:
        """Be registered, at one of its addresses after the other where one does not want us."""
        pause = FIRST_RETRY
        try:
            while True:
                for far in line.destinations(random.random):
                    if await self._registered(line, far.destination):
                        pause = FIRST_RETRY
                await asyncio.sleep(pause if line.fars else FIRST_RETRY)
                pause = min(pause * 2, LAST_RETRY)
        finally:
            self._sender().unregister(line.name)
            line.registration.until = 0.0

    async def _registered(self, line: Line, destination: str) -> bool:
        """Returns when a registration there is refused or runs out; whether it has stood until then."""
        answers: asyncio.Queue[tuple[int, str, int]] = asyncio.Queue()
        if not self._sender().register(line.name, destination, lambda *answer: answers.put_nowait(answer)):
            return False
        stood, patience = False, ANSWER
        while True:
            try:
                async with asyncio.timeout(patience):
                    code, why, seconds = await answers.get()
            except TimeoutError:
                code, why, seconds = 0, "no answer", 0
            if not (200 <= code < 300 and seconds > 0):
                self._desk.registered(line, 0.0, code, why)
                return stood
            stood, patience = True, seconds + OVERDUE
            self._desk.registered(line, time.time() + seconds, code, "")

    # -- what is kept

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(WRITE)
            await self._write()

    async def _write(self) -> None:
        kept = self._desk.keep()
        if kept == self._written:
            return
        try:
            await asyncio.to_thread(_replace, self._file, kept)
        except OSError as error:
            log.warning("maintenance and minutes of trunks are not kept", file=str(self._file), why=str(error))
        else:
            self._written = kept


def _replace(file: Path, kept: Mapping[str, Kept]) -> None:
    text = json.dumps({name: asdict(one) for name, one in kept.items()}, indent=1)
    half = file.with_suffix(f".{os.getpid()}.tmp")
    half.write_text(text + "\n", encoding="utf-8")
    half.replace(file)
