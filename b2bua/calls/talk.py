"""Two parties talk until one of them, a limit or an order ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2bua.calls.agent_keys import AgentKeys
from b2bua.calls.deliveries import Consult
from b2bua.calls.inband import talking_keys
from b2bua.calls.session import Silent
from b2bua.sip.engine import Headers
from b2bua.sip.signals import Answered, Closed, Dtmf, Refer

if TYPE_CHECKING:
    from b2bua.calls.session import Session

TOO_LONG = (("Reason", 'SIP;cause=487;text="Maximum duration reached"'),)
MUTE = (("Reason", 'SIP;cause=488;text="No answer to our offer"'),)
RELEASED = (("Reason", 'SIP;cause=200;text="Released by the agent"'),)
DEAD = (("Reason", 'SIP;cause=408;text="No media from the far end"'),)
"For the leg whose sound has stopped, and for no other: a standing line that gets it is called again."
LEFT_ALONE = (("Reason", 'SIP;cause=408;text="No media from the other party"'),)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a talk ended that the caller has not ended himself."""

    cause: str
    "The CDR's word."
    code: int
    by: str
    headers: Headers = ()
    "For those who are still there."
    silent: str = ""
    "The role of the party whose sound had stopped."

    @property
    def agent_lost(self) -> bool:
        """The agent is gone without having hung up, and the caller is still there."""
        return self.cause == "agent-lost" or self.silent == "agent"

    @property
    def agent_is_done(self) -> bool:
        """He has hung up."""
        return self.by == "agent" and self.cause == "normal"


async def conversation(call: Session, agent: int) -> Ended:
    """Returns when the agent's leg is gone, or a limit is reached; no leg is ended and nothing is recorded yet.

    CallerLeft, Ordered and Moved go through to the caller of this step.
    """
    both = (agent,) if call.caller is None else (call.caller, agent)
    call.recording.talking(call, both)
    call.conversing.update(both)
    if call.monitoring is not None:
        call.monitoring.talking(call)
    try:
        return await _until_one_ends(call, agent)
    finally:
        call.conversing.difference_update(both)
        call.recording.resting()


async def _until_one_ends(call: Session, agent: int) -> Ended:
    until = call.clock() + call.exchange.settings.calls.max_duration
    with AgentKeys(call, agent) as keys, talking_keys(call, agent, own=keys.has_codes):
        while True:
            match await call.next(keys.until(until)):
                case None if call.clock() < until:
                    if keys.wait():
                        return _released(call, agent)
                case None:
                    return Ended("max-duration", 200, "tandem", TOO_LONG)
                case Dtmf(leg=leg) as key if leg == agent:
                    if keys.press(key):
                        return _released(call, agent)
                case Refer(leg=leg) as refer if call.on_refer is not None and leg in call.conversing:
                    call.on_refer(call, refer, agent)
                case Silent(leg=leg) if leg in call.conversing:
                    return Ended("media-silence", 200, "tandem", DEAD, str(call.parties.by_leg[leg].role))
                case Answered(leg=leg) if leg in call.conversing and not call.parties.by_leg[leg].described:
                    return Ended("no-media", 488, "tandem", MUTE)
                case Consult(event=None) as order if call.on_consult is not None:
                    await call.on_consult(call, agent, order)
                case Closed(leg=leg, code=code) if leg == agent:
                    return Ended("normal" if code < 300 else "agent-lost", code, "agent")
            asked = keys.asked()
            if asked is not None and call.on_consult is not None:
                await call.on_consult(call, agent, asked)


def _released(call: Session, agent: int) -> Ended:
    """The agent has let the caller go by his keys; he does not hear what comes after him."""
    call.hang_up(agent, 0, RELEASED)
    return Ended("normal", 200, "agent", RELEASED)


async def talk(call: Session, agent: int) -> None:
    """A conversation that is the end of the call."""
    conclude(call, await conversation(call, agent))


def conclude(call: Session, ended: Ended) -> None:
    """The call is over with its conversation; the record says how."""
    if ended.silent:
        call.record.row.detail["silent"] = ended.silent
    call.record.end(call.clock(), ended.cause, ended.code, ended.by)
    if ended.headers:
        for leg in call.legs:
            alone = ended.silent and call.parties.by_leg[leg].role != ended.silent
            call.hang_up(leg, 0, LEFT_ALONE if alone else ended.headers)
