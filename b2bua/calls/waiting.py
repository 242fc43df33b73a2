"""A caller waits in a queue: music, his place told now and then, until an agent has him or he goes elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.connect import connected, let_go, served
from b2bua.calls.offer import CANCELLED
from b2bua.calls.refusals import NoSuchGoal
from b2bua.calls.ring_many import Round
from b2bua.calls.session import CallerLeft, Moved, Said, Silent
from b2bua.calls.speech import Announcement, announce, language_of, let_hear, say
from b2bua.calls.talk import DEAD, Ended, conclude, conversation
from b2bua.log import logger
from b2bua.sip.signals import Dtmf
from media import SoundError
from routing.floor import Announce, Caller, Leave, Offer, Withdraw
from routing.goal import Goal
from routing.preset import priority_of
from routing.spoken import Piece, agent_number, calling_back, place_in_queue

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from media import Playing
    from routing.queue import Queue

log = logger("calls")

HANGUP = Goal("hangup")


async def wait(call: Session, goal: Goal) -> Goal | None:
    """Until an agent's talk with him is over (None, or the survey), or somewhere else to go.

    Raises NoSuchGoal where there is no such queue for him.
    """
    queue = call.exchange.plan().queues.get(goal.target)
    tenant = call.record.row.tenant
    if queue is None or (queue.tenant is not None and tenant is not None and queue.tenant != tenant):
        raise NoSuchGoal(f"there is no queue {goal.target} for calls of {tenant or 'nobody'}")
    return await Stay(call, queue).run()


class Stay:
    """One caller's stay in one queue."""

    def __init__(self, call: Session, queue: Queue) -> None:
        self.call, self.queue = call, queue
        self.floor = call.exchange.floor
        self.round: Round | None = None
        "The phones that ring for him."
        self._customer: int | None = None
        "His leg while he is served: a call may go on between two agents without him."
        self._music: Playing | None = None
        self._saying: Announcement | None = None

    async def run(self) -> Goal | None:
        call, floor = self.call, self.floor
        sent, place = floor.enter(self._caller()), floor.place(call.id)
        if call.journey.entered is None:
            call.journey.entered = place.entered if place is not None else call.clock()
        if sent is not None:
            return sent.goal or self.queue.otherwise
        why = "abandoned"
        try:
            call.state = "waiting"
            let_hear(call, self.queue.answer)
            self._play_music()
            with call.key_tones.heeding(call.caller if self.queue.callback_key else None):
                return await self._wait()
        except Moved:
            why = "moved"
            if self.round is not None and call.taking_over in self.round.legs.values():
                floor.answered(self.round.offer.offer, call.taking_over)  # at another phone of his
            raise
        except CallerLeft:
            raise
        except BaseException:
            why = "ended"
            raise
        finally:
            self._quiet()
            floor.leave(call.id, why)

    async def _wait(self) -> Goal | None:
        call, queue = self.call, self.queue
        while True:
            match await call.next(self.round.until if self.round is not None and self.round.legs else None):
                case None:
                    assert self.round is not None
                    self.round.time_up()
                case Offer() as offer:
                    self.round = Round(call, offer)
                    await self.round.begin()
                case Withdraw(offer=offer_id, extensions=extensions, why=why):
                    if self.round is not None and self.round.offer.offer == offer_id:
                        self.round.withdraw(extensions, why)
                case Leave(queue=name, goal=goal) if name == queue.id and not self.floor.waits(call.id):
                    return goal or queue.otherwise
                case Announce(position=position, estimate=estimate):
                    self._tell_place(position, estimate)
                case Said(announcement=said) if said is self._saying:
                    self._saying = None
                    self._play_music()
                case Dtmf(leg=leg, digit=digit) if leg == call.caller and digit == queue.callback_key:
                    if await self._call_back():
                        return HANGUP
                case Silent(leg=leg) if leg == call.caller:
                    conclude(call, Ended("media-silence", 408, "tandem", DEAD, "caller"))
                    return None
                case news if news is not None:
                    winner = self.round.on(news) if self.round is not None else None
                    if winner is not None:
                        ended = await self._serve(winner, call.agents[winner])
                        if ended is not None:
                            return self._after(ended)

    async def _serve(self, leg: int, extension: str) -> Ended | None:
        """Caller and agent talk; None where the agent was lost and the caller waits again."""
        call, queue = self.call, self.queue
        self.round, call.journey.entered, self._customer = None, None, call.caller
        self._quiet()
        call.record.row.extension = extension
        call.talk_began = call.clock()
        try:
            await self._reach(leg, extension)
            if call.parties.alive(leg):
                assert call.caller is not None
                call.pair(call.caller, leg)
                connected(call, extension)
                ended = await conversation(call, leg)
            else:
                ended = Ended("agent-lost", 480, "agent")
            if ended.agent_lost and call.caller == self._customer:
                call.hang_up(leg, 0, DEAD)
                if self.floor.back(call.id):
                    log.info("an agent was lost, his caller waits again", call=call.id, extension=extension)
                    call.state, call.journey.queue = "waiting", queue.id
                    self._play_music()
                    return None
            return ended
        finally:
            let_go(call, extension)

    def _after(self, ended: Ended) -> Goal | None:
        """The talk is over: the survey, or the end."""
        if ended.agent_is_done and self.queue.survey and self.call.caller == self._customer:
            return Goal("menu", self.queue.survey)
        conclude(self.call, ended)
        return None

    async def _reach(self, leg: int, extension: str) -> None:
        """Caller and agent are there; what each of them hears before the other one."""
        served(self.call, extension)
        await self._introduce(leg, extension)

    async def _introduce(self, leg: int, extension: str) -> None:
        """Whisper to the agent whose call it is, and tell the caller whom he gets; both at the same time."""
        call, queue = self.call, self.queue
        saying: list[Announcement] = []
        if queue.whisper:
            directory, tenant = call.exchange.directory(), call.record.row.tenant
            owner = directory.tenants.get(tenant) if tenant else None
            text = f"{owner.name}, {queue.name}" if owner is not None else queue.name
            saying.append(announce(call, [Piece(f"queue/whisper-{queue.id}.wav", text)], leg=leg))
        if queue.announce_agent and call.caller is not None:
            saying.append(announce(call, agent_number(language_of(call), extension)))
        try:
            while not all(one.over for one in saying) and call.parties.alive(leg):
                await call.next()
        finally:
            for one in saying:
                one.stop()

    async def _call_back(self) -> bool:
        """He hangs up, keeps his place and is called when it is his turn; False where nobody could call him."""
        call = self.call
        if call.caller is None or not call.exchange.call_back(call, self.queue):
            return False
        self._quiet()
        call.leave_only_caller(CANCELLED)
        await say(call, calling_back(language_of(call)))
        return True

    # -- what he hears

    def _play_music(self) -> None:
        call = self.call
        if call.caller is None or self._music is not None:
            return
        sound, usual = call.sounds[call.caller], call.exchange.music
        wanted = call.exchange.settings.sounds / self.queue.music if self.queue.music else usual
        for source in dict.fromkeys((wanted, usual)):
            try:
                self._music = sound.play(source, loop=True)
                return
            except SoundError as error:
                log.warning("no music for a queue", queue=self.queue.id, error=str(error), do="see to the sound file")

    def _quiet(self) -> None:
        if self._music is not None:
            self._music.stop()
            self._music = None
        if self._saying is not None:
            self._saying.stop()
            self._saying = None

    def _tell_place(self, position: int, estimate: float | None) -> None:
        queue, call = self.queue, self.call
        pieces = place_in_queue(
            language_of(call),
            position if queue.announce_position else None,
            estimate if queue.announce_estimate else None,
        )
        if pieces and call.caller is not None and self._saying is None:
            self._quiet()
            self._saying = announce(call, pieces)

    def _caller(self) -> Caller:
        call, row, journey = self.call, self.call.record.row, self.call.journey
        journey.queue = self.queue.id
        if not journey.priority:
            journey.priority = (
                priority_of(
                    call.exchange.plan(),
                    tenant=row.tenant,
                    caller=row.effective_caller,
                    called=row.called,
                    vdn=journey.vdn,
                    digits=journey.digits,
                )
                or ""
            )
        return Caller(
            call.id,
            self.queue.id,
            area=journey.area,
            vdn=journey.vdn or None,
            priority=journey.priority or None,
            number=row.effective_caller,
            tenant=row.tenant,
            last_agent=journey.last_agent or None,
            entered=journey.entered,
        )
