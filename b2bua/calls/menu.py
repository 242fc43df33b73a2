"""One step of a call: a menu.  The way through it is decided by `routing.menu_walk`; this carries it out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from b2bua.calls.keypad import Keypad
from b2bua.calls.opt_out import leave_alone
from b2bua.calls.refusals import NoSuchGoal
from b2bua.calls.session import Said, Silent
from b2bua.calls.speech import announce, let_hear
from b2bua.outside.asking import PullFailed
from b2bua.sip.signals import Dtmf
from media import Limits
from media.collect import KEYS, Collecting
from routing.business_hours import hours_at
from routing.goal import Goal
from routing.menu_walk import Arrive, Ask, Command, Fetch, LeaveAlone, LookAtClock, Say, Walk, known
from routing.services import Numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from b2bua.calls.session import Delivery, Session
    from routing.menu import Menu
    from routing.services import Service

MOST_AHEAD = 64
"Keys kept of a caller who dials before he is asked."


async def menu(call: Session, goal: Goal) -> Goal | None:
    """Lead the caller through the menu `goal.target`; where he goes from there, None where the call ends in it.

    Raises NoSuchGoal where there is no such menu (any more); CallerLeft, Ordered or Moved as `Session.next` does.
    """
    exchange, row = call.exchange, call.record.row
    plan = exchange.plan()
    found = plan.menus.get(goal.target)
    if found is None or (found.tenant is not None and found.tenant != row.tenant):
        raise NoSuchGoal(f"there is no menu {goal.target}")
    let_hear(call, found.answer)
    call.state = "menu"
    given = {"caller": row.effective_caller or "", "called": row.called or "", "tenant": row.tenant or ""}
    walk = Walk(
        found,
        vdns=plan.vdns,
        extensions=exchange.directory().agents,
        tenant=row.tenant,
        values=given | known(call.data) | collected(call),
        language=call.journey.language,
    )
    visit = Visit(call, found, walk)
    visit.tell("call.menu", found.start, "")
    try:
        with call.key_tones.heeding(call.caller, always=found.inband):
            return await visit.run()
    except Lost:
        call.record.end(call.clock(), "media-silence", 200, "tandem")
        return None
    finally:
        visit.close()


def collected(call: Session) -> dict[str, str]:
    """What earlier menus of this call collected: it stands in its data, on the agent's screen too."""
    values = call.data.get("menu")
    return {str(name): str(value) for name, value in values.items()} if isinstance(values, dict) else {}


class Lost(Exception):
    """The caller's sound has been silent for too long: his side is gone without a word."""


class Visit:
    """One caller in one menu."""

    def __init__(self, call: Session, found: Menu, walk: Walk) -> None:
        self.call, self.menu, self.walk = call, found, walk
        self.keypad = Keypad()
        self.ahead = ""
        "Keys that were pressed before they were asked for."
        self._before = dict(walk.values)
        assert call.caller is not None
        self.caller = call.caller

    def tell(self, type: str, node: str, keys: str) -> None:
        """One event of this menu."""
        self.call.exchange.tell(type, self.call, {"menu": self.menu.id, "node": node, "input": keys})

    async def run(self) -> Goal:
        """From the first node to the goal."""
        command = self.walk.begin()
        while not isinstance(command, Arrive):
            command = await self._carry_out(command)
        return command.goal

    def close(self) -> None:
        """Leave nothing behind but what the caller has told."""
        call, values = self.call, self.walk.values
        call.journey.language = self.walk.language
        call.journey.digits = values.get("digits", call.journey.digits)
        if fresh := {name: value for name, value in values.items() if self._before.get(name) != value}:
            call.data["menu"] = collected(call) | fresh

    async def _carry_out(self, command: Command) -> Command:
        match command:
            case Say():
                await self._say(command)
                return self.walk.said()
            case Ask():
                digits = await self._ask(command)
                self.tell("call.survey" if command.survey else "call.menu", command.node, digits)
                return self.walk.dialled(digits)
            case Fetch(service=service):
                return self.walk.fetched(await self._fetch(service))
            case LookAtClock(calendar=name):
                calendar = self.call.exchange.plan().calendars.get(name)
                now = hours_at(calendar, self.call.exchange.wall()) if calendar is not None else None
                return self.walk.looked(now is None or now.open, now.holiday if now is not None else None)
            case LeaveAlone(number=number):
                return self.walk.listed(await leave_alone(self.call, number))
            case Arrive():
                return command

    async def _say(self, say: Say) -> None:
        """Until it was heard, or a key cuts it short, which then counts for the next question."""
        if say.barge_in and self.ahead:
            return
        announcement = announce(self.call, say.pieces, language=self.walk.language)
        try:
            while not announcement.over:
                key = self._key(await self.call.next())
                if key and say.barge_in:
                    self.ahead += key
                    return
        finally:
            announcement.stop()

    async def _ask(self, ask: Ask) -> str:
        """What the caller dialled; empty: nothing in time."""
        call, clock = self.call, self.call.clock
        waiting, self.ahead = (self.ahead, "") if ask.barge_in else ("", "")
        limits = Limits(ask.digits, ask.first, ask.between, ask.terminator, ask.barge_in)
        prompt = bool(ask.pieces) and not waiting
        state = Collecting(limits, clock(), prompt=prompt)
        announcement = announce(call, ask.pieces, language=self.walk.language) if prompt else None
        try:
            while True:
                if waiting:
                    key, waiting = waiting[0], waiting[1:]
                else:
                    delivery = await call.next(state.deadline)
                    if delivery is None:
                        return state.time_up().digits
                    if isinstance(delivery, Said) and delivery.announcement is announcement:
                        state.prompt_ended(clock())
                    key = self._key(delivery)
                if not key:
                    continue
                over = state.digit(key, clock())
                if announcement is not None and state.interrupted():
                    announcement.stop()
                if over is not None or state.digits in ask.whole:
                    self.ahead = self._behind(ask, key, waiting)[:MOST_AHEAD]
                    return state.digits
        finally:
            if announcement is not None:
                announcement.stop()

    def _behind(self, ask: Ask, last: str, waiting: str) -> str:
        """Keys that are left for the next question: a terminator that nobody waited for is no answer to it."""
        if not ask.terminator or last == ask.terminator:
            return waiting
        if not waiting:
            self.keypad.whole(ask.terminator, self.call.clock() + ask.between)
        return waiting.removeprefix(ask.terminator)

    async def _fetch(self, name: str) -> Mapping[str, object] | None:
        """What a service answers, None where nothing comes that can be used; a caller who leaves ends the wait."""
        call = self.call
        service, tenant = call.exchange.plan().services.get(name), call.record.row.tenant
        if service is None or not service.enabled or (tenant is not None and service.tenant != tenant):
            return None  # a menu for everybody may name it, but what a caller dials goes to his own tenant only
        asking = asyncio.create_task(self._asked(service), name=f"menu {call.id} asks {name}")
        asking.add_done_callback(lambda _: call.deliver(Said(asking)))
        try:
            while not asking.done():
                if key := self._key(await call.next()):
                    self.ahead += key
            return asking.result()
        finally:
            asking.cancel()

    async def _asked(self, service: Service) -> Mapping[str, object] | None:
        call, row = self.call, self.call.record.row
        values = Numbers(
            call.id, row.tenant or "", row.billing_number or "", row.called or "", row.effective_caller or ""
        ).values() | {"digits": self.walk.values.get("digits", "")}
        try:
            return await call.exchange.services.ask(service, values, dict, service.timeout_ms / 1000)
        except PullFailed:
            return None

    def _key(self, delivery: Delivery | None) -> str:
        """The key that counts in what came to the inbox, if it is one."""
        match delivery:
            case Silent(leg=leg) if leg == self.caller:
                raise Lost
            case Dtmf(leg=leg, digit=digit, method=method) if leg == self.caller and digit in KEYS:
                return self.keypad.pressed(digit, method, self.call.clock())
            case _:
                return ""
