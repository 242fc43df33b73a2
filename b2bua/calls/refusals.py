"""Why a call whose way was clear was not served: each class is a SIP status, a CDR cause and a metric label."""

from b2bua.calls.failure import Failure, phrase, reason_header
from routing.refusals import Refused


class AgentFailed(Refused):
    """The phone, or the network before it, refused with a status of its own; `failure` is what the caller's
    side is told."""

    sip_code, cause, label = 480, "agent-failed", "agent"

    def __init__(self, extension: str, failure: Failure, why: str) -> None:
        super().__init__(f"{extension}: {why}")
        self.failure = failure
        self.contacts: tuple[str, ...] = ()
        "Where else the call should go, as it said with a 3xx, in its own words; not to be believed unseen."
        self.source = ""
        "Its address."


class NoResources(Refused):
    """No port or call slot was left for the second leg (not 503: that would take the whole server out)."""

    sip_code, cause, label = 500, "no-resources", "overload"


class AgentGone(Refused):
    """An agent who was to be connected with somebody has not waited until that one answered."""

    sip_code, cause, label = 480, "agent-gone", "agent"


class SlotTaken(Refused):
    """Somebody else is parked there, or there is no such slot."""

    sip_code, cause, label = 486, "slot-taken", "routing"


class NoSuchGoal(Refused):
    """A call was sent where nothing is: the plan names what is gone, or what this node cannot do."""

    sip_code, cause, label = 480, "no-such-goal", "routing"


class GoalLoop(Refused):
    """The plan sends its callers round in circles."""

    sip_code, cause, label = 480, "goal-loop", "routing"


class TurnedAway(Refused):
    """The plan ends the call: closed, full, nobody there."""

    sip_code, cause, label = 480, "turned-away", "routing"


class AgentBusy(AgentFailed):
    sip_code, cause = 486, "agent-busy"


class AgentDeclined(AgentFailed):
    sip_code, cause = 603, "agent-declined"


class AgentAway(AgentFailed):
    sip_code, cause = 480, "agent-away"


class AgentUnreachable(AgentFailed):
    sip_code, cause = 480, "agent-unreachable"


class AgentMute(AgentFailed):
    sip_code, cause = 488, "agent-no-media"


class NoAnswer(AgentFailed):
    sip_code, cause = 480, "no-answer"


NO_COMMON_SOUND = frozenset({406, 415, 488})
"What PJSIP ends a leg with whose answer has no sound that we can take."

_BY_STATUS = {
    408: AgentUnreachable,
    480: AgentAway,
    486: AgentBusy,
    600: AgentBusy,
    603: AgentDeclined,
}


def agent_failed(extension: str, code: int, failure: Failure) -> AgentFailed:
    """The refusal for a phone's final status."""
    return _BY_STATUS.get(code, AgentFailed)(extension, failure, f"answered {code} {phrase(code)}")


def ended_by_stack(extension: str, code: int) -> AgentFailed:
    """The refusal where no word of the phone ended its leg, but our own stack with this status."""
    if code in NO_COMMON_SOUND:
        return mute(extension)
    return unreachable(extension, f"no response, {code} by the stack")


def mute(extension: str) -> AgentMute:
    """The phone answered, but not with sound that we can take (Q.850 cause 88)."""
    return AgentMute(extension, Failure(488, reason_header(488)), "answered without usable sound")


def no_answer(extension: str) -> NoAnswer:
    """The ring time is over (Q.850 cause 19)."""
    return NoAnswer(extension, Failure(480, reason_header(480, 19)), "did not answer in time")


def never_rang(extension: str) -> AgentUnreachable:
    """The ring time is over, and no phone has rung (Q.850 cause 18)."""
    return AgentUnreachable(extension, Failure(480, reason_header(480, 18)), "did not ring in time")


def unreachable(extension: str, why: str) -> AgentUnreachable:
    """No INVITE could be sent, or nobody took it (Q.850 cause 20)."""
    return AgentUnreachable(extension, Failure(480, reason_header(480, 20)), why)


def failure_of(refusal: Refused) -> Failure:
    """What the caller's side is told."""
    if isinstance(refusal, AgentFailed):
        return refusal.failure
    return Failure(refusal.sip_code, reason_header(refusal.sip_code))
