"""The keys of an agent who talks: codes are carried out, all other keys go on to the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.deliveries import Consult
from b2bua.calls.session import Moved
from b2bua.sip.signals import Dtmf
from media import CONGESTION, SoundError
from routing.feature_codes import CodeKeys, Feature, Heard, transfer_goal
from routing.transfer_target import target_of

if TYPE_CHECKING:
    from b2bua.calls.session import Session
    from routing.goal import Goal


class AgentKeys:
    """One conversation's keys; while it lives, the call leaves the agent's keys to it."""

    def __init__(self, call: Session, agent: int) -> None:
        self._call, self._leg = call, agent
        codes = call.exchange.settings.feature_codes.codes()
        self._extension = call.agents.get(agent, "")
        self._keys = CodeKeys(codes) if self._extension and codes.pressed() else None
        self._rules = call.exchange.settings.transfers.rules(codes.outside)
        self._outside = codes.outside if not self._rules.outside else ""
        self._last = Dtmf(agent, "", "")
        self._asked: Consult | None = None

    def __enter__(self) -> AgentKeys:
        if self._keys is not None:
            self._call.own_keys.add(self._leg)
        return self

    def __exit__(self, *error: object) -> None:
        self._call.own_keys.discard(self._leg)

    @property
    def has_codes(self) -> bool:
        """Whether some of his keys are codes."""
        return self._keys is not None

    def until(self, until: float) -> float:
        """When the conversation has to look again, `until` at the latest."""
        due = self._keys.due if self._keys is not None else None
        return until if due is None else min(until, due)

    def press(self, key: Dtmf) -> bool:
        """He has pressed a key; True: he has released the caller.  Raises Moved for a transfer."""
        if self._keys is None:
            return False
        self._last = key
        return self._take(self._keys.press(key.digit, self._call.clock()))

    def wait(self) -> bool:
        """Time has passed."""
        return self._keys is not None and self._take(self._keys.wait(self._call.clock()))

    def asked(self) -> Consult | None:
        """The colleague whom he has just asked for, once."""
        asked, self._asked = self._asked, None
        return asked

    def _take(self, heard: Heard) -> bool:
        call = self._call
        for digit in heard.passed:
            call.pass_key(Dtmf(self._leg, digit, self._last.method, self._last.duration))
        if heard.feature is Feature.TRANSFER:
            plan, directory = call.exchange.plan(), call.exchange.directory()
            tenant = call.record.row.tenant
            goal = target_of(heard.target, plan, directory, tenant, self._rules)
            goal = goal or transfer_goal(heard.target, plan, directory, tenant, self._outside)
            if goal is not None and call.follows and self._can_go(goal):
                raise Moved(goal, f"agent {self._extension}")
            self._wrong()
        if heard.feature is Feature.CONSULT:
            self._asked = Consult(None, heard.target, f"agent {self._extension}")
        return heard.feature is Feature.RELEASE

    def _can_go(self, goal: Goal) -> bool:
        return goal.kind != "park" or self._call.exchange.parking.free(goal.target)

    def _wrong(self) -> None:
        """He hears that there is no such place; the caller stays with him."""
        try:
            self._call.sounds[self._leg].play(CONGESTION)
        except SoundError:
            return  # the caller is with him still, and that he notices as well
