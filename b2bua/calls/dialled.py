"""An agent dials a feature code: his phone is answered, hears a tone, and is hung up; his state has changed.

He is known by his extension, or the user of his contact, in From, together with the address his contact has; to log in
he needs his PIN as well.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING

from b2bua.calls.attending import CannotAttend, UnknownAgent
from b2bua.calls.inband import ToneListener
from b2bua.calls.pick_up import picks_up
from b2bua.calls.supervising import Supervising
from b2bua.log import logger
from b2bua.sip.arrival import arrival_of
from b2bua.sip.resolver import NoAddress, host_of
from b2bua.sip.signals import Answered, Closed, Dtmf, Signal
from b2bua.sip.signals import Sound as Heard
from media import BEEP, Limits, Sound, SoundError, Tone, collect
from media.tones import Cadence
from routing.address import BadAddress, Uri
from routing.feature_codes import Feature, feature_of

if TYPE_CHECKING:
    from b2bua.calls.exchange import Exchange
    from b2bua.sip.engine import Arriving, SipLeg
    from routing.directory import Agent

log = logger("agents")

DONE = Cadence("done", (Tone((1400,), 0.1, 0.08), Tone((1400,), 0.1)))
REFUSED = Cadence("refused", (Tone((425,), 0.25, 0.1), Tone((425,), 0.25)))
LONGEST = 30.0
"Seconds a code may take from end to end."
PIN = Limits(digits=20, first=6.0, between=3.0, terminator="#")
WRONG_PINS = 5
"In a row; after that nobody logs the agent in by phone for `LOCKED` seconds."
LOCKED = 300.0


class Dialled:
    """What agents dial, one at a time or many at once."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._codes = exchange.settings.feature_codes.codes()
        self._supervising = Supervising(exchange)
        self._wrong: dict[str, tuple[int, float]] = {}
        "Wrong PINs in a row and the time of the last one, by extension."

    def knows(self, arriving: Arriving) -> bool:
        """Whether a feature code, or a parking slot, was dialled."""
        dialled = arrival_of(arriving.message, "").called
        known = feature_of(dialled, self._codes) is not None or dialled in self._exchange.parking
        return known and not arriving.emergency

    async def run(self, arriving: Arriving) -> None:
        """Serve one INVITE from the inside; a stranger's is refused."""
        leg, given = arriving.leg, False
        try:
            async with asyncio.timeout(LONGEST):
                given = await self._serve(arriving)
        except TimeoutError:
            log.info("a feature code took too long", source=arriving.source)
        finally:
            if not given:
                leg.hang_up(403 if not leg.code else 0)

    async def _serve(self, arriving: Arriving) -> bool:
        """Whether the leg is a call's from now on."""
        leg, message = arriving.leg, arrival_of(arriving.message, "")
        agent = await self._who(message.caller, arriving)
        if agent is None:
            self._exchange.metrics.sip_refusals.inc("stranger")
            leg.hang_up(403)
            return False
        replaces = arriving.message.header("replaces")
        if (taken := await picks_up(self._exchange, leg, agent.extension, message.called, replaces)) is not None:
            return taken
        wanted = feature_of(message.called, self._codes)
        if wanted is None:
            self._exchange.metrics.sip_refusals.inc("no-such-code")
            leg.hang_up(404)
            return False
        if wanted[0] is Feature.MONITOR:
            return await self._supervising.from_phone(leg, agent.extension, wanted[1])
        phone = Phone(leg, self._exchange.settings.media.clock_rate)
        if await phone.answer():
            try:
                done = await self._do(agent.extension, *wanted, phone)
                await phone.play(DONE if done else REFUSED)
            except SoundError as error:
                log.error("no tone", error=str(error))
        leg.hang_up()
        await phone.ended.wait()
        return False

    async def _do(self, extension: str, feature: Feature, argument: str, phone: Phone) -> bool:
        attending = self._exchange.attending
        try:
            match feature:
                case Feature.LOG_IN:
                    if not await self._pin(extension, argument, phone):
                        return False
                    attending.log_in(extension)
                case Feature.LOG_OUT:
                    attending.log_out(extension)
                case Feature.PAUSE:
                    attending.pause(extension, self._codes.reason(argument))
                case Feature.RESUME:
                    attending.resume(extension)
                case Feature.WRAP_UP_OVER:
                    attending.wrap_up_over(extension)
                case _:
                    return False
        except (CannotAttend, UnknownAgent) as error:
            log.info("a feature code was refused", extension=extension, code=str(feature), why=str(error))
            return False
        return True

    async def _pin(self, extension: str, given: str, phone: Phone) -> bool:
        """Whether his PIN is right; asked for behind a tone where it was not dialled with the code."""
        profile = self._exchange.attending.profile(extension)
        now = asyncio.get_running_loop().time()
        wrong, last = self._wrong.get(extension, (0, 0.0))
        if profile is None or not profile.pin or (wrong >= WRONG_PINS and now - last < LOCKED):
            return False
        given = given or (await collect(phone.sound, phone.keys, BEEP, PIN)).digits
        if hmac.compare_digest(given.encode(), profile.pin.encode()):
            self._wrong.pop(extension, None)
            return True
        self._wrong[extension] = (wrong + 1 if wrong < WRONG_PINS else 1, now)
        log.warning("a wrong PIN was dialled", extension=extension, in_a_row=wrong + 1)
        return False

    async def _who(self, user: str, arriving: Arriving) -> Agent | None:
        """The agent who dials; None for anybody else."""
        directory, resolver = self._exchange.directory(), self._exchange.resolver
        if arriving.phone:
            return directory.agent(arriving.phone)  # he has shown his password
        named = directory.agent(user)
        for agent in [named] if named is not None else directory.agents.values():
            if agent.listener != arriving.listener or not agent.enabled:
                continue
            if agent is not named and _user(agent.contact) != user:
                continue
            try:
                if host_of(await resolver.uri(agent.contact)) == arriving.source:
                    return agent
            except NoAddress:
                continue
        return None


class Phone:
    """The leg of one feature code."""

    def __init__(self, leg: SipLeg, rate: int) -> None:
        """`rate`: samples a second of the conference."""
        self._leg, self._rate = leg, rate
        self.sound = Sound("feature code")
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        self.ended = asyncio.Event()
        self._up = asyncio.Event()
        self._tones: ToneListener | None = None
        leg.sink = self._on
        if not leg.alive:
            self._over()

    def _on(self, signal: Signal) -> None:
        match signal:
            case Heard(handle=handle):
                self.sound.attach(handle)
                self._heed()
            case Answered():
                self._up.set()
            case Dtmf(digit=digit):
                self.keys.put_nowait(digit)
            case Closed():
                self._over()
            case _:
                pass

    def _heed(self) -> None:
        """Tones in its sound are keys where it has no other way to send them."""
        if self._tones is None and self._leg.keys_are_tones:
            self._tones = ToneListener(self.sound, self._rate, self.keys.put_nowait)

    def _over(self) -> None:
        if self._tones is not None:
            self._tones.stop()
        self.sound.close()
        self.ended.set()
        self._up.set()
        self.keys.put_nowait("")  # whoever waits for a key looks again, and finds the sound closed

    async def answer(self) -> bool:
        """Whether the phone is up."""
        self._leg.answer()
        await self._up.wait()
        return not self.ended.is_set()

    async def play(self, cadence: Cadence) -> None:
        """To its end, or to that of the leg."""
        await self.sound.play(cadence)


def _user(uri: str) -> str:
    try:
        return Uri.parse(uri).user
    except BadAddress:
        return ""
