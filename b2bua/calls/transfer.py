"""A call that is sent elsewhere: what its sender and the listeners are told, and who has the caller when nobody takes
him there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from b2bua.calls.connect import connect, wrapped
from b2bua.calls.direct import to_agent
from b2bua.calls.failure import phrase
from b2bua.calls.outside import Dials
from b2bua.calls.refusals import AgentGone, failure_of
from b2bua.sip.leg import Leg
from routing.goal import Goal

if TYPE_CHECKING:
    from b2bua.calls.follow import Step
    from b2bua.calls.session import Moved, Session
    from b2bua.sip.refer import Referral
    from routing.refusals import Refused

MOVED_ON = (("Reason", 'SIP;cause=200;text="Call moved elsewhere"'),)
TRYING, OK, LEFT = 100, 200, 487

TAKEN_IN = frozenset({"queue", "menu", "voicemail", "park"})
"Places that take a caller in by themselves: a transfer is done when he gets there."


class Transfer:
    """One time that a call is sent elsewhere, from the wish to its end."""

    def __init__(
        self, call: Session, goal: Goal, by: str, leg: int | None = None, referral: Referral | None = None
    ) -> None:
        """`leg`: whose phone has asked for it, and stays in the call until it hears how it ended, or hangs up."""
        self.call, self.goal, self.by = call, goal, by
        self.stays = leg
        self._referral = referral
        self._leg = call.legs[leg] if leg is not None else None
        self._number = 0
        if self._leg is not None and referral is not None:
            self._number = referral.number if self._leg.referrals else 0
            self._leg.referrals += 1
        self.extension, self.queue = self._sender(leg), call.journey.queue
        self.over, self.taken = False, False
        "`taken`: nobody has sent the call there; whoever has it from now on has taken it himself."
        self._kept = False
        self._talked = 0.0
        "Seconds that he had talked when he sent the caller on."
        self.back = [back for back in self._ways_back() if back != goal]
        self._how = "refer" if referral is not None else "order"
        self.told = {"kind": goal.kind, "to": goal.target, "from": self.extension or self.queue or None, "by": by}
        self.entry = dict(self.told, how=self._how, result="open")
        if referral is not None and referral.referred_by:
            self.entry["referred_by"] = referral.referred_by

    def __repr__(self) -> str:
        return f"<transfer to {self.goal} by {self.by}, {self.entry['result']}>"

    def _sender(self, leg: int | None) -> str:
        """The extension of whoever sends the caller on: who asks, else who talks to him."""
        call = self.call
        if leg is not None:
            owner = call.legs[leg].owner
            return "" if owner.startswith("trunk ") else owner
        up = (extension for one, extension in call.agents.items() if call.parties.state(one) is Leg.UP)
        return next(up, "")

    def _ways_back(self) -> list[Goal]:
        """A caller who was talking comes back to his agent, who knows him, or else to the queue that he came through;
        one who was parked or rang elsewhere, to where he was."""
        if not self.extension:
            return [] if self.stays is None else [Goal("agent")]
        return [Goal("agent", self.extension), *([Goal("queue", self.queue)] if self.queue else [])]

    # -- from its beginning to its end

    def begin(self) -> None:
        """The caller is on his way."""
        call = self.call
        call.transfer, call.dials = self, Dials("transfer", self.extension)
        self.ask()
        if not self.taken:
            call.exchange.tell("call.transferred", call, self.told)
        if self.stays is not None:
            call.apply(call.parties.part(self.stays))

    def ask(self) -> None:
        """Somebody wishes it."""
        call = self.call
        call.record.row.detail.setdefault("transfers", []).append(self.entry)
        call.exchange.tell("transfer.requested", call, self._entry())
        self._report(TRYING, final=False)

    def done(self) -> None:
        """Somebody, or something, has taken him there."""
        if self._end("done"):
            self._report(OK, final=True)
            self._let_go()
            call = self.call
            if self.stays is not None and self.stays in call.legs:
                call.hang_up(self.stays, 0, MOVED_ON)

    def failed(self, cause: str, code: int, *, goes_on: bool = False) -> None:
        """Nobody takes him there.  `goes_on`: the sender is there still, and has him again."""
        if self._end(cause):
            self._report(code, final=True)
            if goes_on:
                self._kept = False
            else:
                self._let_go()

    def comes_back(self, refused: Refused) -> tuple[Goal, Step | None]:
        """Where the caller goes now that nobody takes him, and what is done there.  Raises `refused` where there is
        nowhere."""
        call, leg = self.call, self.stays
        if leg is not None and (leg not in call.legs or call.parties.state(leg) is not Leg.UP):
            leg = None
        self.failed(refused.cause, failure_of(refused).code, goes_on=leg is not None)
        while self.back:
            goal = self.back.pop(0)
            if goal.target == self.extension and goal.kind == "agent" and leg is not None:
                self._tell_of_return(goal, refused)
                return goal, _again(leg, self.extension)
            if goal.target:
                self._tell_of_return(goal, refused)
                what = self.goal.target or self.goal.kind
                # the call that he is to wrap up is not over yet
                return goal, recall(what, refused.cause, past_wrap_up=True) if goal.kind == "agent" else None
        raise refused

    def left(self, leg: int) -> None:
        """A leg is gone: where it is the sender's, he is free."""
        if leg != self.stays:
            return
        self.stays = None
        if self._kept:
            self._let_go()
        elif self.extension:
            self.call.exchange.floor.released(self.extension, self.call.id)  # a call that he had placed himself

    def keeps(self, extension: str) -> bool:
        """Whether the agent is still in the call, to hear how it ends: he is let go later."""
        stays = self.stays
        if self.over or stays is None or self.call.agents.get(stays) != extension:
            return False
        if not self._kept and self.call.parties.state(stays) is Leg.UP:
            self._kept, self._talked = True, self.call.clock() - self.call.talk_began
        return self._kept

    # -- inside

    def _end(self, result: str) -> bool:
        if self.over:
            return False
        self.over = True
        self.entry["result"] = result
        call, done = self.call, result == "done"
        call.exchange.tell("transfer.done" if done else "transfer.failed", call, self._entry())
        call.exchange.metrics.transfers.inc(self._how, self.goal.kind, "done" if done else "failed")
        return True

    def _entry(self) -> dict[str, object]:
        return {key: value for key, value in self.entry.items() if key != "result" or self.over}

    def _report(self, code: int, *, final: bool) -> None:
        if self._leg is not None and self._referral is not None and self._referral.notify:
            words = phrase(code) if final else "Trying"
            self._leg.notify(code, words, final=final, number=self._number)

    def _let_go(self) -> None:
        if self._kept:
            self._kept = False
            if self.extension != self.call.taking_over:
                wrapped(self.call, self.extension, self.queue, self._talked)

    def _tell_of_return(self, goal: Goal, refused: Refused) -> None:
        call = self.call
        data = {"kind": goal.kind, "to": goal.target, "from": None, "by": f"transfer failed: {refused.cause}"}
        call.exchange.tell("call.transferred", call, data)


def recall(what: str, cause: str, *, past_wrap_up: bool = False) -> Step:
    """The step that rings an agent's phone again, which shows that this is a call that comes back.

    `past_wrap_up`: it ends the agent's wrap-up, where he is in one.
    """

    async def ring_again(call: Session, goal: Goal) -> Goal | None:
        marks, name = call.marks, call.shown_name
        call.marks = (*marks, ("X-Tandem-Recall", f"{what};cause={cause}"))
        call.shown_name = f"Recall {name or call.shown_number}"
        call.returns_to = goal.target if past_wrap_up else ""
        try:
            return await to_agent(call, goal)
        finally:
            call.marks, call.shown_name, call.returns_to = marks, name, ""

    return ring_again


def supersede(call: Session) -> None:
    """The call goes elsewhere than where it was sent before."""
    if call.transfer is not None:
        call.transfer.failed("superseded", LEFT)


def sent(call: Session, moved: Moved) -> Transfer:
    """The call is moved: tell of it."""
    if call.transfer is not moved.transfer:
        supersede(call)
    transfer = moved.transfer or Transfer(call, moved.goal, moved.by)
    if moved.step is not None and moved.transfer is None:
        transfer.taken = transfer.extension in ("", moved.goal.target)
    if transfer.taken and not transfer.back and call.going is not None:
        transfer.back = [call.going]  # who was to be taken over rings, or waits, where he was
    transfer.begin()
    return transfer


def _again(leg: int, extension: str) -> Step:
    """Whoever has sent the caller away, and is there still, has him again."""

    async def again(call: Session, goal: Goal) -> Goal | None:
        caller = call.caller
        if caller is None or call.parties.state(leg) is not Leg.UP:
            raise AgentGone(f"{extension or 'the sender'} has hung up meanwhile")
        if call.transfer is not None:
            call.transfer.stays = None
        call.pair(caller, leg)
        return await connect(call, leg, extension)

    return again


def turn_round(call: Session, leg: int) -> None:
    """The call is about whoever is at this leg from now on: the one who had placed it sends him elsewhere."""
    call.caller, call.picked_up, call.has_offer = leg, True, True
    call.show(call.record.parts[leg].party or "", "")
