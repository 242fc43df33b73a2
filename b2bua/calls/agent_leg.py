"""Standing lines (nailed-up connection): an agent is called when he logs in and stays on the line from call to call.

Each call borrows the line as a leg of its own, which is up from its first moment; the call's hang-up gives it back.
The agent hears a tone when a caller comes.  Who hangs his line up himself has logged out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from b2bua.calls.callee import ALLOW
from b2bua.calls.talk import DEAD
from b2bua.log import logger
from b2bua.sip.engine import CannotCall, Headers, Outgoing, SipLeg
from b2bua.sip.key_ways import Way
from b2bua.sip.resolver import NoAddress, Resolver, host_of
from b2bua.sip.signals import Answered, Closed, Signal
from b2bua.sip.signals import Sound as Heard
from media import BEEP, Sound, SoundError
from routing.agent_state import AgentState
from routing.effects import AgentChanged, Effect

if TYPE_CHECKING:
    from b2bua.calls.callee import Callee
    from b2bua.calls.session import Session
    from b2bua.sip.engine import Engine

log = logger("agents")

TRIES = 5
"Calls in a row that reach nobody, after which the agent is logged out."
PATIENT_TRIES = 20
"The same where the phone may be in a dead call: about ten minutes."
LONGEST_PAUSE = 30.0
"Seconds between two of them; they grow from one second."
CLOSING: Headers = (("Reason", 'SIP;cause=200;text="Logged out"'),)


class Presence(Protocol):
    """The part of the floor that standing lines change."""

    def log_out(self, extension: str) -> None: ...

    def reachable(self, extension: str, on: bool) -> None: ...


class Line:
    """One agent's line, in whatever state it is."""

    def __init__(self, extension: str, tries: int = TRIES) -> None:
        self.extension = extension
        self.tries = tries
        "Calls in a row that may reach nobody."
        self.leg: SipLeg | None = None
        self.up = False
        self.heard: Heard | None = None
        "The stream that runs, as the engine told last."
        self.borrowed: StandingLeg | None = None
        self.task: asyncio.Task[None] | None = None
        self.changed = asyncio.Event()
        self.closed: Closed | None = None
        self.idle: Sound | None = None
        "The sound of the line while no call has it."

    def __repr__(self) -> str:
        state = "lent" if self.borrowed else "up" if self.up else "down"
        return f"<line of {self.extension}, {state}>"

    def on(self, signal: Signal) -> None:
        """What the leg told: for the line itself, and for the call that has it."""
        match signal:
            case Answered():
                self.up = self.heard is not None
                self.changed.set()
            case Heard():
                self.heard = signal
                if self.borrowed is None:
                    self.rest()
            case Closed():
                self.up, self.leg, self.closed = False, None, signal
                if self.idle is not None:
                    self.idle.close()
                self.changed.set()
            case _:
                pass
        if self.borrowed is not None:
            self.borrowed.tell(signal)

    def rest(self, tone: bool = False) -> None:
        """Nobody has the line: the agent hears silence, after a tone where that is wished."""
        if self.idle is None or self.heard is None:
            return
        self.idle.attach(self.heard.handle)
        self.idle.drain()
        if tone:
            beep(self.idle)


class StandingLeg(SipLeg):
    """A standing line as the leg of one call; it has a number of its own, so nothing of the call before reaches it."""

    __slots__ = ("_line", "_sound", "_under")

    def __init__(self, engine: Engine, line: Line, under: SipLeg, sound: Callable[[int], Sound]) -> None:
        super().__init__(engine, engine.number())
        self._line = line
        self._sound = sound
        self.sip_call_id, self.source, self.code = under.sip_call_id, under.source, 200
        self.owner, self.referrals = under.owner, under.referrals
        self._under = under

    @property
    def alive(self) -> bool:
        return self._line.borrowed is self

    def begin(self) -> None:
        """The call has taken the leg in: it is up, and the agent hears a tone."""
        line = self._line
        if line.borrowed is not self or line.heard is None:
            return
        if line.idle is not None:
            line.idle.detach()
        self.tell(line.heard)
        self.tell(Answered(self.id))
        beep(self._sound(self.id))

    def tell(self, signal: Signal) -> None:
        """To the call, under this leg's number."""
        if isinstance(signal, Closed):
            self._line.borrowed = None
        self._tell(replace(signal, leg=self.id))

    def hang_up(self, code: int = 0, headers: Headers = ()) -> bool:
        """The line goes back; one that is dead is hung up and called anew."""
        line = self._line
        if self.dropped or line.borrowed is not self:
            return False
        self.dropped = True
        if headers == DEAD and line.leg is not None:
            return line.leg.hang_up(0, headers)
        line.borrowed = None
        self._sound(self.id).detach()
        line.rest()
        asyncio.get_running_loop().call_soon(self._tell, Closed(self.id, 200, False))
        return True

    @property
    def keys_sent_as(self) -> Way:
        under = self._line.leg
        return under.keys_sent_as if under is not None and self.alive else ""

    @property
    def keys_are_tones(self) -> bool:
        under = self._line.leg
        return under is not None and self.alive and under.keys_are_tones

    def send_dtmf(self, digit: str) -> Way:
        under = self._line.leg
        return under.send_dtmf(digit) if under is not None and self.alive else ""

    @property
    def under(self) -> SipLeg:
        return self._under

    def notify(self, code: int, phrase: str, *, final: bool, number: int = 0) -> bool:
        self._under.referrals = self.referrals
        return self.alive and self._under.notify(code, phrase, final=final, number=number)

    def native_id(self) -> int:
        under = self._line.leg
        return under.native_id() if under is not None and self.alive else -1


class StandingLines:
    """Owner of all standing lines of this node."""

    name = "standing lines"
    stop_within = 5.0

    def __init__(
        self,
        engine: Engine,
        resolver: Resolver,
        callee: Callable[[str], Callee | None],
        presence: Presence,
        tell: Callable[[str, Mapping[str, Any]], None],
        ring_for: float,
    ) -> None:
        """`callee`: whom to ring for an extension; `tell`: an event; `ring_for`: seconds."""
        self._engine, self._resolver, self._callee = engine, resolver, callee
        self._presence, self._tell, self.ring_for = presence, tell, ring_for
        self._lines: dict[str, Line] = {}
        "Of agents who are logged in."
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False

    def __repr__(self) -> str:
        return f"<{len(self._lines)} standing lines>"

    async def run(self, ready: Callable[[], None]) -> None:
        """Until cancelled; then every line is hung up."""
        ready()
        self._running = True
        for line in self._lines.values():
            self._call(line)
        try:
            await asyncio.Event().wait()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def open(self, extension: str, patient: bool = False) -> None:
        """He is logged in: call him, as soon as calls can be made, and keep him on the line until he logs out.

        `patient`: after a restart his phone may be in the old call still, and needs time to notice that it is dead.
        """
        if extension in self._lines:
            return
        line = self._lines[extension] = Line(extension, PATIENT_TRIES if patient else TRIES)
        self._presence.reachable(extension, False)
        if self._running:
            self._call(line)

    def _call(self, line: Line) -> None:
        line.task = asyncio.create_task(self._keep(line), name=f"line of {line.extension}")
        self._tasks.add(line.task)
        line.task.add_done_callback(self._tasks.discard)

    def on_effect(self, effect: Effect) -> None:
        """What the floor did: who is logged out has no line any more."""
        if isinstance(effect, AgentChanged) and effect.after is AgentState.LOGGED_OUT:
            line = self._lines.pop(effect.extension, None)
            if line is not None and line.task is not None:
                line.task.cancel()

    def take(self, extension: str, call: Session) -> StandingLeg | None:
        """The agent's line for this call, None where he has no standing line.  Raises CannotCall where he should.

        The call adds the leg at once; it is up in the loop's next round.
        """
        line = self._lines.get(extension)
        if line is None:
            return None
        if line.leg is None or not line.up or line.borrowed is not None:
            raise CannotCall(f"the standing line of {extension} is not free", ours=False)
        leg = line.borrowed = StandingLeg(self._engine, line, line.leg, call.sounds.__getitem__)
        asyncio.get_running_loop().call_soon(leg.begin)
        return leg

    # -- one line

    async def _keep(self, line: Line) -> None:
        """Call, and call again where the line was lost.  Ends with the agent's log-out."""
        extension, tries = line.extension, 0
        try:
            while tries < line.tries:
                if await self._reach(line):
                    tries, line.tries = 0, TRIES
                    self._presence.reachable(extension, True)
                    self._say(line, "up")
                    line.rest(tone=True)
                    closed = await self._end_of(line)
                    if closed.code < 300 and closed.by_peer and not closed.local:
                        break
                    self._presence.reachable(extension, False)
                self._say(line, "down")
                await asyncio.sleep(min(2.0**tries, LONGEST_PAUSE))
                tries += 1
            self._presence.log_out(extension)
        except Exception as error:
            log.error("a standing line failed by our own fault; its agent is logged out", exc_info=error)
            self._presence.log_out(extension)
        finally:
            if self._lines.get(extension) is line:  # who has logged in again has another one
                del self._lines[extension]
            if line.leg is not None:
                line.leg.hang_up(0, CLOSING)
            self._say(line, "closed")

    async def _reach(self, line: Line) -> bool:
        """Ring his phone; whether he has answered, and can be heard."""
        callee = self._callee(line.extension)
        if callee is None:
            return False
        line.up, line.heard, line.closed = False, None, None
        line.idle = Sound(f"line of {line.extension}")
        line.changed.clear()
        try:
            target = await self._resolver.uri(callee.target)
            line.leg = self._engine.open(self._invitation(callee, target), line.on)
            line.leg.owner = line.extension
        except (NoAddress, CannotCall) as error:
            log.warning("no standing line", extension=line.extension, error=str(error))
            return False
        try:
            async with asyncio.timeout(self.ring_for):
                await line.changed.wait()
        except TimeoutError:
            if line.leg is not None:  # a refusal may come in the same turn as the time-out
                line.leg.hang_up(487)
            await self._end_of(line)
        if line.leg is not None and not line.up:
            line.leg.hang_up()  # he has answered, and we cannot hear each other
            await self._end_of(line)
        return line.up

    @staticmethod
    async def _end_of(line: Line) -> Closed:
        while line.closed is None:
            line.changed.clear()
            await line.changed.wait()
        return line.closed

    def _invitation(self, callee: Callee, target: str) -> Outgoing:
        here = self._engine.signalling_address(callee.listener, host_of(target))
        headers = (("X-Tandem-Line", "standing"), ("Max-Forwards", "70"), ALLOW)
        return Outgoing(
            target, callee.listener, f'"Tandem" <sip:tandem@{here}>', target.partition("?")[0], headers, callee.profile
        )

    def _say(self, line: Line, state: str) -> None:
        self._tell("agent.line", {"extension": line.extension, "state": state})


def beep(sound: Sound) -> None:
    """A short tone; a leg without sound goes without."""
    try:
        sound.play(BEEP)
    except SoundError as error:
        log.error("no tone", error=str(error))
