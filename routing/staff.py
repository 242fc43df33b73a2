"""The agents of the floor: their status, their rests, and where they stand among the free of their queues."""

from routing.agent_state import AWAY, BUSY, OFFERED, AgentState, Seen
from routing.effects import Effect, Refusal
from routing.picking import Member
from routing.queue import AgentProfile
from routing.queue_state import QueueState
from routing.seat import Seat
from routing.timers import Timers

LEAST_DELAY = 1.0
"A phone that refuses at once is not asked again sooner, or it would be asked in a busy loop."
UNREACHABLE_DELAY = 30.0
"Seconds after which an unreachable phone is tried again."
MISSED = "missed-calls"
"The reason of a pause after too many."
WRAP_UP_MOST = 300.0
"Ceiling of the wrap-up of a direct call, in seconds."


class Staff:
    """All agents.  What is here changes agents only; the floor gives `freed` agents their next caller."""

    def __init__(self, queues: dict[str, QueueState], timers: Timers) -> None:
        self.seats: dict[str, Seat] = {}
        self.queues = queues
        self.timers = timers
        self.freed: list[Seat] = []
        "Agents who have become free and have not been given a caller yet."
        self.deserted: list[str] = []
        "Queues of which somebody takes no calls any more."

    def seat(self, extension: str, now: float) -> Seat:
        """The agent; one whom no profile names serves no queue."""
        found = self.seats.get(extension)
        if found is None:
            found = self.seats[extension] = Seat(extension, AgentProfile(extension), now)
        return found

    def link(self, seat: Seat, profile: AgentProfile) -> None:
        """Let him serve the queues of his profile, those that exist."""
        before = seat.members
        self.unlink(seat)
        seat.become(profile)
        for name, tier in profile.queues.items():
            state = self.queues.get(name)
            if state is None:
                continue
            member = before.get(name) or Member(seat, tier)
            member.tier = tier
            seat.members[name] = state.members[seat.extension] = member
            state.states[seat.state] += 1
            if seat.free:
                state.free[seat.extension] = member

    def unlink(self, seat: Seat) -> None:
        """He serves no queue."""
        for name in seat.members:
            state = self.queues.get(name)
            if state is not None:
                del state.members[seat.extension]
                state.free.pop(seat.extension, None)
                state.states[seat.state] -= 1
        seat.members = {}

    def see(self, seat: Seat, seen: Seen, reason: str, now: float) -> list[Effect]:
        """One step of an agent, with all that hangs on his state."""
        before = seat.state
        changed = seat.see(seen, reason, now)
        if seat.state is not before:
            for name in seat.members:
                states = self.queues[name].states
                states[before] -= 1
                states[seat.state] += 1
            if seat.state in AWAY:
                self.deserted.extend(seat.members)
        if seat.state not in BUSY and seat.state is not AgentState.WRAP_UP:
            seat.forget_call()
        self._stand(seat, now)
        return [] if changed is None else [changed]

    def _stand(self, seat: Seat, now: float) -> None:
        """Put him among the free, or take him out."""
        free = seat.state is AgentState.AVAILABLE and now >= seat.not_before
        if free == seat.free:
            return
        seat.free = free
        for name, member in seat.members.items():
            if free:
                self.queues[name].free[seat.extension] = member
            else:
                self.queues[name].free.pop(seat.extension, None)
        if free:
            self.freed.append(seat)

    # Status: facts that are kept while he is busy, and seen at once while he rests.

    def log_in(
        self, seat: Seat, now: float, pause: str | None, reachable: bool, reason: str, call: str | None
    ) -> list[Effect]:
        if seat.logged_in:
            return []
        seat.logged_in, seat.pause, seat.reachable, seat.down = True, pause, reachable, not reachable
        seat.missed, seat.not_before, seat.retry_at = 0, 0.0, None
        for member in seat.members.values():
            member.calls = 0
        if call is not None and seat.state is AgentState.LOGGED_OUT:
            seat.queue, seat.call = None, call
            return self.see(seat, Seen.FOUND, reason, now)
        return self.see(seat, Seen.STATUS, reason, now)

    def log_out(self, seat: Seat, now: float) -> list[Effect]:
        if not seat.logged_in:
            return []
        seat.logged_in, seat.pause = False, None
        return self._status(seat, "log-out", now)

    def pause(self, seat: Seat, reason: str, now: float) -> list[Effect]:
        if not seat.logged_in:
            return []
        seat.pause = reason or "pause"
        return self._status(seat, seat.pause, now)

    def resume(self, seat: Seat, now: float) -> list[Effect]:
        seat.pause = None
        seat.missed = 0
        return self.see(seat, Seen.STATUS, "resume", now)

    def reachable(self, seat: Seat, on: bool, now: float) -> list[Effect]:
        """Told by whoever holds his line: what is gone comes back by the same word."""
        seat.reachable, seat.down, seat.retry_at = on, not on, None
        return self.see(seat, Seen.STATUS, "reachable" if on else "unreachable", now)

    def lost(self, seat: Seat, now: float) -> None:
        """His phone does not answer signalling; it is tried again after a while."""
        seat.reachable, seat.retry_at = False, now + UNREACHABLE_DELAY
        self.timers.at(seat.retry_at, "agent", seat.extension)

    def _status(self, seat: Seat, reason: str, now: float) -> list[Effect]:
        """Who pauses or logs out in his wrap-up has ended it."""
        if seat.state is AgentState.WRAP_UP:
            return self.finish(seat, reason, now)
        return self.see(seat, Seen.STATUS, reason, now)

    # Offers and calls.

    def let_go(self, seat: Seat, reason: str, now: float) -> list[Effect]:
        """The offer is over without his fault."""
        return self.see(seat, Seen.LET_GO, reason, now)

    def refuse(self, seat: Seat, why: Refusal, now: float) -> list[Effect]:
        """He did not take the offer: he rests, and after too many he is paused."""
        state = self.queues.get(seat.queue or "")
        if why == "unreachable":
            self.lost(seat, now)
        elif state is not None:
            queue = state.queue
            delay = {"reject": queue.delay_reject, "busy": queue.delay_busy}.get(why, queue.delay_no_answer)
            self._rest(seat, delay, now)
            if why != "busy":
                seat.missed += 1
            if queue.missed_before_pause and seat.missed >= queue.missed_before_pause and seat.pause is None:
                seat.pause = MISSED
        seat.idle_since = now  # others have their turn before he is asked again
        return self.see(seat, Seen.LET_GO, why, now)

    def _rest(self, seat: Seat, delay: float, now: float) -> None:
        seat.not_before = now + max(delay, LEAST_DELAY)
        self.timers.at(seat.not_before, "agent", seat.extension)

    def talk(self, seat: Seat, now: float) -> list[Effect]:
        """He has answered."""
        seat.missed, seat.lease, seat.offer = 0, None, None
        member = seat.members.get(seat.queue or "")
        if member is not None:
            member.calls += 1
            member.last_began = now
        return self.see(seat, Seen.ANSWERED, "answered", now)

    def hang_up(self, seat: Seat, reason: str, now: float) -> list[Effect]:
        """His call is over: wrap-up, unless there is none or he wants to go."""
        state = self.queues.get(seat.queue or "")
        seconds = seat.profile.wrap_up
        if seconds is None:
            seconds = state.queue.wrap_up if state else 0.0
        if seconds <= 0 or seat.rest is not AgentState.AVAILABLE:
            return self.finish(seat, reason, now)
        seat.wrap_began = now
        seat.wrap_most = max(state.queue.wrap_up_most if state else WRAP_UP_MOST, 0.0)
        seat.wrap_until = now + min(seconds, seat.wrap_most)
        self.timers.at(seat.wrap_until, "agent", seat.extension)
        return self.see(seat, Seen.ENDED, "wrap-up", now)

    def finish(self, seat: Seat, reason: str, now: float) -> list[Effect]:
        """Nothing of his call is left to do."""
        for name in seat.members:
            self.queues[name].learned.ended(now - seat.taken)
        return self.see(seat, Seen.WRAPPED, reason, now)

    def end_wrap_up(self, seat: Seat, now: float) -> list[Effect]:
        """Before its time; nothing where he has none."""
        return self.finish(seat, "wrap-up-ended", now) if seat.state is AgentState.WRAP_UP else []

    def extend(self, seat: Seat, seconds: float, now: float) -> list[Effect]:
        """A longer wrap-up, within the ceiling."""
        if seat.wrap_until is not None and seconds > 0:
            seat.wrap_until = min(seat.wrap_until + seconds, seat.wrap_began + seat.wrap_most)
            self.timers.at(seat.wrap_until, "agent", seat.extension)
        return []

    def look(self, seat: Seat, now: float) -> list[Effect]:
        """One of his times has come."""
        if seat.state is AgentState.WRAP_UP and seat.wrap_until is not None and now >= seat.wrap_until:
            return self.finish(seat, "wrap-up-over", now)
        if seat.retry_at is not None and now >= seat.retry_at:
            seat.retry_at = None
            return [] if seat.down else self.reachable(seat, True, now)
        if seat.state not in OFFERED:
            self._stand(seat, now)
        return []
