"""All trunks of a node: which one a call takes, what each carries, and what is known of the far ends.

Everything here is a step on the loop and takes microseconds; what asks the network is in `trunk_service`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from b2bua.log import logger
from b2bua.sip.resolver import is_address, split_host_port
from b2bua.sip.trunk_line import Far, Line, Way
from b2bua.sip.trunks import Row, TrunkTable, marks_of
from routing.circuit import Circuit
from routing.failover import Attempt, left_alone
from routing.trunk_groups import Draw, Member, in_order

if TYPE_CHECKING:
    from b2bua.settings import Settings

log = logger("trunks")

Tell = Callable[[str, Mapping[str, Any]], None]
"An event of a trunk: its type and data."
Count = Callable[[str, str], None]
"One more of something, by trunk and what it was."


@dataclass(frozen=True, slots=True)
class Kept:
    """What survives a restart."""

    maintenance: bool = False
    day: str = ""
    minutes: float = 0.0


@dataclass(slots=True)
class _Leg:
    trunk: str
    outgoing: bool


class TrunkDesk:
    """Chooses ways, counts calls, knows circuits."""

    def __init__(
        self,
        settings: Settings,
        tell: Tell,
        skipped: Count,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        draw: Draw = random.random,
    ) -> None:
        """`skipped` is told of trunks that a call went past, and why."""
        self._tell, self._skipped, self._clock, self._wall, self._draw = tell, skipped, clock, wall, draw
        self.table = TrunkTable()
        self.lines: dict[str, Line] = {}
        self.groups: dict[str, tuple[Member, ...]] = {}
        self.version = 0
        "Counts the settings that were adopted."
        self._zone = ZoneInfo("UTC")
        self._day = 0.0, ""
        "When it was looked at last, and which it was."
        self._legs: dict[int, _Leg] = {}
        self.adopt(settings)

    def __repr__(self) -> str:
        return f"<trunk desk: {len(self.lines)} trunks, {len(self._legs)} legs>"

    def adopt(self, settings: Settings) -> None:
        """Other settings from now on; what is known of trunks that stay is kept, their calls go on."""
        lines = {name: Line.of(name, trunk) for name, trunk in settings.trunks.items()}
        for name, line in lines.items():
            if name in self.lines:
                self.lines[name].adopt(line)
            target = line.settings.target
            if target is not None and is_address(split_host_port(target)[0]):
                line.lead_to([Member(target)])  # a name's addresses come from `trunk_service`
        self.lines, self.groups = lines, {name: group.parsed for name, group in settings.trunk_groups.items()}
        self._zone, self._day = ZoneInfo(settings.reports.zone), (0.0, "")
        self.version += 1
        self.place()

    def place(self) -> None:
        """The table of sources, from what is known of addresses now."""
        rows: list[Row] = []
        for name, line in self.lines.items():
            trunk, marks = line.settings, marks_of(line.settings)
            places = (*trunk.networks, *line.sources)
            rows += [Row(trunk.listener, ip_network(place), name, marks) for place in dict.fromkeys(places)]
        self.table.fill(rows)

    def networks(self, listener: str) -> dict[str, str]:
        """The trunk of each network (CIDR) whose calls come in on a listener, names looked up; of several on one
        network the first: for whoever tells trunks from strangers by address alone."""
        found: dict[str, str] = {}
        for name, line in self.lines.items():
            if line.settings.listener == listener:
                for place in (*line.settings.networks, *line.sources):
                    found.setdefault(str(ip_network(place)), name)
        return found

    # -- calls that go out

    def ways(self, over: Iterable[str], *, emergency: bool = False) -> Iterator[Way]:
        """The ways of one call, the best first: each is looked for when it is asked for, and counts as used then.

        `over`: trunks and groups, in their order.  `emergency`: limits do not count, and in the end even those that are
        out, in maintenance or want to be left alone are tried.
        """
        names = list(dict.fromkeys(name for one in over for name in self.members(one)))
        tried: set[Way] = set()
        for desperate in (False, True) if emergency else (False,):
            for name in names:
                for way in self._addresses(name):
                    line, far = self.lines.get(name), self._far(way)
                    if line is None or far is None:
                        continue  # gone while the call tried others: a reload, or the name's records
                    if way in tried or not self._takes(line, far, emergency, desperate):
                        continue
                    line.load.take(line.limits, self._clock())
                    tried.add(way)
                    yield way

    def _addresses(self, name: str) -> list[Way]:
        """All ways of a trunk now, the one to be tried first in front."""
        line = self.lines.get(name)
        return [] if line is None else [Way(name, far.destination) for far in line.destinations(self._draw)]

    def members(self, name: str) -> list[str]:
        """A trunk, or those of a group in the order in which one call tries them; nothing for a name of neither."""
        if name in self.lines:
            return [name]
        return [one for one in in_order(self.groups.get(name, ()), self._draw) if one in self.lines]

    def dials_over(self, name: str) -> bool | None:
        """Whether calls go out over this trunk or group; None where there is none of this name."""
        if name not in self.lines and name not in self.groups:
            return None
        return any(self.lines[one].settings.target for one in self.members(name))

    def takes_calls(self, over: Iterable[str]) -> bool:
        """Whether some trunk of these would take a call now."""
        now, day = self._clock(), self.day()
        return any(
            not line.maintenance
            and any(far.circuit.usable and far.blocked_until <= now for far in line.fars.values())
            and not line.load.refuses_out(line.limits, now, day)
            for one in over
            for line in map(self.lines.__getitem__, self.members(one))
        )

    def room(self, over: Iterable[str]) -> int | None:
        """Calls that these trunks would take at this moment, all together; None: no limit."""
        now, day, found = self._clock(), self.day(), 0
        for name in dict.fromkeys(member for one in over for member in self.members(one)):
            line = self.lines[name]
            if line.maintenance or not any(far.circuit.usable for far in line.fars.values()):
                continue
            room = line.load.room_out(line.limits, now, day)
            if room is None:
                return None
            found += room
        return found

    def heard(self, way: Way) -> None:
        """Something came from there in a call."""
        far = self._far(way)
        if far is not None:
            far.circuit = far.circuit.heard()
            self._look(self.lines[way.trunk])

    def failed(self, way: Way, attempt: Attempt, retry_after: int | None = None) -> None:
        """A call did not get through there."""
        far = self._far(way)
        if far is None:
            return
        line = self.lines[way.trunk]
        pause = left_alone(attempt.code, retry_after, line.settings.retry_after_most)
        if pause:
            far.blocked_until = max(far.blocked_until, self._clock() + pause)
            self._tell("trunk.busy", {"trunk": way.trunk, "address": way.destination, "seconds": pause})
        if attempt.word == "no-response":
            self.learnt(line, far, far.circuit.lost(line.settings.probe_losses))
        else:
            self.heard(way)

    def _takes(self, line: Line, far: Far, emergency: bool, desperate: bool) -> bool:
        why = ""
        if line.maintenance:
            why = "maintenance"
        elif not far.circuit.usable:
            why = "out"
        elif far.blocked_until > self._clock():
            why = "retry-after"
        if why:
            if not desperate:
                self._skipped(line.name, why)
            return desperate
        why = "" if emergency else line.load.refuses_out(line.limits, self._clock(), self.day())
        if why:
            self._skipped(line.name, why)
        return not why

    def _far(self, way: Way) -> Far | None:
        line = self.lines.get(way.trunk)
        return line.fars.get(way.destination) if line is not None else None

    # -- calls as such

    def refuses_in(self, trunk: str) -> str:
        """Why a call that has come in from this trunk, and is counted, may not stay; empty: it may."""
        line = self.lines[trunk]
        line.load.calls_in -= 1
        why = "maintenance" if line.maintenance else line.load.refuses_in(line.limits, self._clock())
        line.load.calls_in += 1
        if why:
            self._skipped(trunk, why)
        return why

    def answer_to(self, trunk: str | None, code: int) -> int:
        """The status a trunk is told where its call has failed with this one."""
        line = self.lines.get(trunk or "")
        return code if line is None else line.settings.answer_to(code)

    def opened(self, trunk: str, leg: int, *, outgoing: bool) -> None:
        """A leg began."""
        line = self.lines.get(trunk)
        if line is None or leg in self._legs:
            return
        self._legs[leg] = _Leg(trunk, outgoing)
        if outgoing:
            line.load.calls_out += 1
        else:
            line.load.calls_in += 1

    def answered(self, leg: int) -> None:
        """Its talk begins."""
        found = self._legs.get(leg)
        if found is not None and found.outgoing and found.trunk in self.lines:
            load = self.lines[found.trunk].load
            load.minutes_of(self.day(), self._clock())  # what is talked today is today's from here on
            load.talking.setdefault(leg, self._clock())

    def trunk_of(self, leg: int) -> str:
        """The trunk of a leg that lives; empty: it is none of a trunk's."""
        found = self._legs.get(leg)
        return found.trunk if found is not None else ""

    def closed(self, leg: int) -> None:
        """It is gone, or given up.  A second time changes nothing."""
        found = self._legs.pop(leg, None)
        line = self.lines.get(found.trunk) if found is not None else None
        if found is None or line is None:
            return
        load = line.load
        if not found.outgoing:
            load.calls_in = max(0, load.calls_in - 1)
            return
        load.calls_out = max(0, load.calls_out - 1)
        load.minutes_of(self.day(), self._clock())  # a new day begins before its talk is counted
        began = load.talking.pop(leg, None)
        if began is not None:
            load.minutes += (self._clock() - began) / 60

    def day(self) -> str:
        """Today, where the node's days begin; it may be late by a second."""
        now = self._wall()
        if not self._day[0] <= now < self._day[0] + 1.0:
            self._day = now, datetime.fromtimestamp(now, self._zone).date().isoformat()
        return self._day[1]

    def now(self) -> float:
        """By the clock of everything here."""
        return self._clock()

    def minutes(self, line: Line) -> float:
        """Of talk today."""
        return line.load.minutes_of(self.day(), self._clock())

    # -- what is known of far ends

    def learnt(self, line: Line, far: Far, circuit: Circuit) -> None:
        """The state of an address; who listens is told where it changes something for calls."""
        before, far.circuit = far.circuit.state, circuit
        if circuit.state == "warning" and before != "warning":
            log.warning(
                "a trunk does not answer OPTIONS, and never has; it goes on getting calls",
                trunk=line.name, address=far.destination, do="ask the carrier, or set probe = false",
            )  # fmt: skip
            self._tell("trunk.warning", {"trunk": line.name, "address": far.destination})
        if circuit.state != before:
            log.info("an address of a trunk", trunk=line.name, address=far.destination, state=str(circuit.state))
        self._look(line)

    def _look(self, line: Line) -> None:
        if not line.fars or line.out is not line.usable:
            return
        line.out = not line.usable
        self._tell("trunk.out" if line.out else "trunk.back", {"trunk": line.name})
        say = log.warning if line.out else log.info
        say("a trunk is out: no calls go there" if line.out else "a trunk is back", trunk=line.name)

    def registered(self, line: Line, until: float, code: int, why: str) -> None:
        """Our registration there stands until then (epoch seconds), or, with 0, does not stand."""
        registration, before = line.registration, (line.registration.until > 0, line.registration.why)
        registration.until, registration.code = until, code
        registration.why = "" if until else f"{code} {why}".strip() if code else why
        if before != (until > 0, registration.why):
            kind, say = ("trunk.registered", log.info) if until else ("trunk.unregistered", log.warning)
            self._tell(kind, {"trunk": line.name, "why": registration.why})
            say(
                "registered at a trunk" if until else "not registered at a trunk", trunk=line.name, why=registration.why
            )

    def maintain(self, trunk: str, on: bool, by: str) -> bool:
        """No new calls from now on, or again; running ones stay.  False: there is no such trunk."""
        line = self.lines.get(trunk)
        if line is None:
            return False
        if line.maintenance is not on:
            line.maintenance = on
            self._tell("trunk.maintenance", {"trunk": trunk, "on": on, "by": by})
            log.info("maintenance", trunk=trunk, on=on, by=by)
        return True

    # -- what survives a restart

    def keep(self) -> dict[str, Kept]:
        """By trunk."""
        day = self.day()
        return {
            name: Kept(line.maintenance, day, round(line.load.minutes_of(day, self._clock()), 2))
            for name, line in self.lines.items()
        }

    def restore(self, kept: Mapping[str, Kept]) -> None:
        """What the last run left."""
        for name, one in kept.items():
            line = self.lines.get(name)
            if line is not None:
                line.maintenance = one.maintenance
                line.load.day, line.load.minutes = one.day, one.minutes
