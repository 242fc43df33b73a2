"""An agent asks a colleague while his caller waits: back to the caller, all three together, or the caller is left to
the colleague.  It is part of their conversation; each of the three may leave, and the other two go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.connect import connect
from b2bua.calls.deliveries import CallerLeft, Consult, Moved, Silent
from b2bua.calls.parties import Role
from b2bua.calls.reach import reach
from b2bua.calls.refusals import AgentGone
from b2bua.calls.screen import pop_screen
from b2bua.calls.transfer import Transfer, turn_round
from b2bua.log import logger
from b2bua.sip.engine import CannotCall
from b2bua.sip.leg import Leg
from b2bua.sip.resolver import NoAddress
from b2bua.sip.signals import Answered, Closed, Dtmf, Progress, Refer
from media import CONGESTION, Playing, SoundError
from routing.consulting import Event, Stage, Then, talk, then
from routing.feature_codes import CodeKeys, Feature, Heard
from routing.goal import Goal

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.calls.follow import Step
    from b2bua.calls.session import Delivery, Session
    from media import Source

log = logger("calls")

OVER = (("Reason", 'SIP;cause=200;text="Consultation is over"'),)
RUNG_OUT = (("Reason", 'SIP;cause=480;text="No answer in time"'),)

PRESSED = {
    Feature.JOIN: Event.JOIN,
    Feature.COMPLETE: Event.COMPLETE,
    Feature.RELEASE: Event.COMPLETE,
    Feature.BACK: Event.BACK,
}
"What the agent's codes mean."
ENDS = {Then.RETURN: "back", Then.SEND: "sent", Then.HAND_OVER: "completed", Then.WITHOUT_CALLER: "caller-left"}
"What listeners are told at the end."


async def consult(call: Session, agent: int, order: Consult) -> None:
    """Returns when the two go on: agent and caller, or, once he has left, agent and colleague.

    Raises Moved where the colleague has the caller, CallerLeft and Ordered as `Session.next` does.
    """
    asked = order.extension
    if call.caller is None or call.caller == agent or asked == call.agents.get(agent):
        _tone(call, agent)
        return
    leg = await _ring(call, agent, asked)
    if leg is None:
        call.exchange.metrics.consultations.inc("failed")
        _tone(call, agent)
        return
    await Consultation(call, agent, leg, asked, order.by).run()


class Consultation:
    """Caller, agent and colleague; from the ringing of the colleague's phone on."""

    def __init__(self, call: Session, agent: int, colleague: int, asked: str, by: str) -> None:
        assert call.caller is not None
        self.call, self.caller, self.agent, self.colleague = call, call.caller, agent, colleague
        self.asked, self.by = asked, by
        self.extension = call.agents.get(agent, "")
        self.stage = Stage.RINGING
        self.until = call.clock() + call.exchange.settings.calls.ring_timeout
        codes = call.exchange.settings.feature_codes.codes()
        self._keys = CodeKeys(codes, codes.consulting())
        self._last = Dtmf(agent, "", "")
        self._music: Playing | None = None
        self._ringback: Playing | None = None
        self._stays = False
        "The colleague goes on with one of the others."

    def __repr__(self) -> str:
        return f"<{self.extension} asks {self.asked}: {self.stage}>"

    async def run(self) -> None:
        call = self.call
        self._tell("ringing", by=self.by)
        call.state = "consulting"
        call.recording.resting()
        call.apply(call.parties.part(self.agent))
        self._music = self._play(self.caller, call.exchange.music)
        self._ringback = self._play(self.agent, call.exchange.ringback)
        try:
            while True:
                due = self._keys.due
                try:
                    event = self._event(await call.next(self.until if due is None else min(self.until, due)))
                except CallerLeft:
                    if self._do(Event.CALLER_LEFT):
                        return
                    raise
                if event is not None and self._do(event):
                    return
        finally:
            self._stop_sounds()
            if not self._stays:
                self._drop()

    # -- what happens

    def _event(self, delivery: Delivery | None) -> Event | None:
        """What a delivery means here; None: nothing."""
        call = self.call
        match delivery:
            case None if call.clock() >= self.until:
                if self.stage is not Stage.RINGING:
                    return Event.BACK  # they have talked for as long as a call may last
                call.hang_up(self.colleague, 487, RUNG_OUT)
                return Event.COLLEAGUE_LEFT
            case None:
                return self._heard(self._keys.wait(call.clock()))
            case Dtmf(leg=leg, digit=digit) as key if leg == self.agent:
                self._last = key
                return self._heard(self._keys.press(digit, call.clock()))
            case Consult(event=event):
                return event
            case Progress(leg=leg) if leg == self.colleague:
                call.exchange.floor.ringing(call.id, self.asked)
            case Answered(leg=leg) if leg == self.colleague:
                return Event.ANSWERED if call.parties.by_leg[leg].described else Event.COLLEAGUE_LEFT
            case Closed(leg=leg) | Silent(leg=leg) if leg == self.colleague:
                return Event.COLLEAGUE_LEFT
            case Closed(leg=leg) | Silent(leg=leg) if leg == self.agent:
                return Event.AGENT_LEFT
            case Silent(leg=leg) if leg == self.caller:
                call.hang_up(leg)  # his end follows
            case Refer(leg=leg) as refer if call.on_refer is not None and leg in call.conversing:
                call.on_refer(call, refer, self.agent)
            case _:
                pass
        return None

    def _heard(self, heard: Heard) -> Event | None:
        for digit in heard.passed:
            self.call.pass_key(Dtmf(self.agent, digit, self._last.method, self._last.duration))
        return PRESSED.get(heard.feature) if heard.feature is not None else None

    # -- what is done

    def _do(self, event: Event) -> bool:
        """Whether it is over, and the two who are left go on.  Raises Moved."""
        what = then(self.stage, event)
        match what:
            case Then.ASK:
                self._answered()
            case Then.CONFER:
                self._confer()
            case Then.REFUSE:
                _tone(self.call, self.agent)
            case Then.RETURN:
                self._return(event)
            case Then.WITHOUT_CALLER:
                self._without_caller()
            case Then.SEND:
                self._send(event)
            case Then.HAND_OVER:
                self._hand_over()
            case Then.END:
                pass
        return what in (Then.RETURN, Then.WITHOUT_CALLER)

    def _answered(self) -> None:
        call = self.call
        self.until = call.clock() + call.exchange.settings.calls.max_duration
        call.exchange.floor.answered(call.id, self.asked)
        call.agents[self.colleague] = self.asked
        call.exchange.metrics.consultations.inc("answered")
        self._stand(Stage.ASKING)
        self._tell("answered")

    def _confer(self) -> None:
        call = self.call
        self._stand(Stage.JOINED)
        call.state = "conference"
        call.recording.talking(call, (self.caller, self.agent, self.colleague))
        call.exchange.metrics.consultations.inc("joined")
        self._tell("joined")

    def _stand(self, stage: Stage) -> None:
        """Who talks to whom from now on."""
        call = self.call
        before = talk(self.stage, self.caller, self.agent, self.colleague)
        self.stage = stage
        self._stop_sounds(music=stage is Stage.JOINED)
        for a, b in talk(stage, self.caller, self.agent, self.colleague) - before:
            call.pair(a, b)

    def _return(self, event: Event) -> None:
        """Agent and caller go on."""
        call, failed = self.call, self.stage is Stage.RINGING and event is Event.COLLEAGUE_LEFT
        self._drop()
        self._stop_sounds()
        if self.agent not in call.parties.partners(self.caller):
            call.pair(self.caller, self.agent)
        call.state = "talking"
        call.recording.talking(call, (self.caller, self.agent))
        call.exchange.metrics.consultations.inc("failed" if failed else "back")
        self._tell("failed" if failed else "back")
        if failed:
            _tone(call, self.agent)

    def _without_caller(self) -> None:
        """The call goes on between the two who are left, and is about the colleague."""
        call, self._stays = self.call, True
        call.recording.resting()  # what colleagues say to each other is not the caller's
        call.spared.discard(self.colleague)
        call.conversing.add(self.colleague)
        turn_round(call, self.colleague)
        call.state = "talking"
        call.exchange.metrics.consultations.inc("left")
        self._tell(ENDS[Then.WITHOUT_CALLER])

    def _send(self, event: Event) -> None:
        """He has not waited for the answer: the caller goes where the phone rings."""
        call, goal, by = self.call, Goal("agent", self.asked), f"agent {self.extension}"
        call.exchange.metrics.consultations.inc("completed")
        self._tell(ENDS[Then.SEND])
        gone = event is Event.AGENT_LEFT
        raise Moved(goal, by, None, Transfer(call, goal, by, self.agent) if gone else None)

    def _hand_over(self) -> None:
        """The colleague has the caller."""
        call, goal, by = self.call, Goal("agent", self.asked), f"agent {self.extension}"
        self._stays = True
        call.exchange.metrics.consultations.inc("completed")
        self._tell(ENDS[Then.HAND_OVER])
        raise Moved(goal, by, _with(self.colleague, self.asked), Transfer(call, goal, by, self.agent))

    def _drop(self) -> None:
        """The colleague is let go."""
        call = self.call
        call.spared.discard(self.colleague)
        rings = self.stage is Stage.RINGING
        call.hang_up(self.colleague, 487 if rings else 0, OVER)
        call.exchange.floor.released(self.asked, call.id)

    # -- what is heard

    def _play(self, leg: int, source: Source) -> Playing | None:
        try:
            return self.call.sounds[leg].play(source, loop=True)
        except SoundError as error:
            log.warning("nothing to hear while a colleague is asked", error=str(error), do="see to the sound file")
            return None

    def _stop_sounds(self, *, music: bool = True) -> None:
        if self._ringback is not None:
            self._ringback.stop()
            self._ringback = None
        if music and self._music is not None:
            self._music.stop()
            self._music = None

    def _tell(self, state: str, **more: str) -> None:
        data = {"extension": self.extension, "colleague": self.asked, "state": state}
        self.call.exchange.tell("call.consult", self.call, data | more)


def order(exchange: Exchange, id: str, wish: Consult) -> bool:
    """By API: a colleague is asked in a call, or what becomes of that; False where no two talk in it."""
    call = next((one for one in exchange.sessions() if one.id == id), None)
    if call is None or call.on_consult is None or not call.conversing:
        return False
    call.deliver(wish)
    return True


async def _ring(call: Session, agent: int, extension: str) -> int | None:
    """Ring the colleague's phone; None where it cannot be rung.  Raises as `Session.next` does."""
    exchange = call.exchange
    known = exchange.directory().agent(extension)
    if known is None or not exchange.floor.reserve(extension, call.id):
        return None
    callee, me = exchange.callee(known), call.agents[agent]
    marks, number, name = call.marks, call.shown_number, call.shown_name
    try:
        target = await exchange.resolver.uri(callee.target)
        call.check()
        asking = exchange.directory().agent(me)
        call.marks = (*marks, ("X-Tandem-Consult", me))
        call.show(me, asking.name if asking is not None else "")
        pop_screen(call, extension)
        leg = reach(call, callee, target)
    except (NoAddress, CannotCall) as error:
        log.info("a colleague cannot be asked", call=call.id, extension=extension, error=str(error))
        exchange.floor.refused(call.id, extension, "unreachable")
        return None
    except BaseException:
        exchange.floor.released(extension, call.id)
        raise
    finally:
        call.marks = marks
        call.show(number, name)
    call.add(leg, Role.AGENT, extension)
    call.spared.add(leg.id)
    return leg.id


def _with(colleague: int, extension: str) -> Step:
    """The step in which the caller goes on with the colleague, who is in the call already."""

    async def go_on(call: Session, goal: Goal) -> Goal | None:
        call.spared.discard(colleague)
        if call.caller is None or call.parties.state(colleague) is not Leg.UP:
            raise AgentGone(f"{extension} has hung up meanwhile")
        call.record.row.extension = extension
        if colleague not in call.parties.partners(call.caller):
            call.pair(call.caller, colleague)
        return await connect(call, colleague, extension)

    return go_on


def _tone(call: Session, leg: int) -> None:
    """He hears that it cannot be; he talks on with whom he has."""
    try:
        call.sounds[leg].play(CONGESTION)
    except SoundError:
        return  # that nothing happens he notices as well
