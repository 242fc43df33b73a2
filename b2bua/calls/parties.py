"""Who is in a call, where each leg stands, and who talks to whom.  Events in, effects out: no I/O, no clock, no pjsua2.

A call is a caller plus any number of parties with roles, plus the pairs that are meant to talk; a direct bridge is
the smallest case.
That a pair hears each other only while both have sound, and music while one holds, is `media`'s part: a bridge is a
wish there.
"""

from dataclasses import dataclass
from enum import StrEnum

from b2bua.sip.leg import OVER, Leg, Seen, step
from b2bua.sip.signals import Answered, Closed, Dtmf, Progress, Signal, Sound


class Role(StrEnum):
    """What a party is in the call."""

    CALLER = "caller"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    "Who listens to the others; he has no partner."


@dataclass(frozen=True, slots=True)
class Join:
    """Let two legs hear each other, from when both have sound."""

    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Part:
    """End that."""

    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Attach:
    """A leg's sound runs on this from now on (None: on nothing for now)."""

    leg: int
    handle: object | None


@dataclass(frozen=True, slots=True)
class Held:
    """A far end put us on hold, or took us back; its partner hears music meanwhile."""

    leg: int
    on: bool


@dataclass(frozen=True, slots=True)
class SendDtmf:
    """A key that one party pressed, to its partner."""

    leg: int
    digit: str
    method: str = ""
    "How it came: tones are in the sound that he hears already."


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing of the leg is left."""

    leg: int


Effect = Join | Part | Attach | Held | SendDtmf | Close


@dataclass(slots=True)
class Party:
    """One leg of the call."""

    role: Role
    state: Leg = Leg.NEW
    held: bool = False
    described: bool = False
    "Both sides have said where they listen: an offer was answered."


class Parties:
    """The legs of one call; only the call's own task changes it."""

    def __init__(self) -> None:
        self.by_leg: dict[int, Party] = {}
        self._pairs: list[tuple[int, int]] = []

    def __repr__(self) -> str:
        legs = ", ".join(f"{p.role}:{p.state.name.lower()}{' held' if p.held else ''}" for p in self.by_leg.values())
        return f"<parties {legs}; {len(self._pairs)} talking>"

    def add(self, leg: int, role: Role) -> None:
        self.by_leg[leg] = Party(role)

    def pair(self, a: int, b: int) -> list[Effect]:
        """These two are to talk from now on."""
        self._pairs.append((a, b))
        held = [Held(leg, True) for leg in (a, b) if self.by_leg[leg].held]
        return [Join(a, b), *held]

    def release(self, leg: int) -> tuple[Party, list[Effect]]:
        """A leg leaves for another call, as it stands."""
        parted: list[Effect] = self.part(leg)
        return self.by_leg.pop(leg), parted

    def adopt(self, leg: int, party: Party) -> None:
        """A leg comes from another call."""
        self.by_leg[leg] = party

    def part(self, leg: int) -> list[Effect]:
        """A leg talks to nobody any more."""
        parted: list[Effect] = [Part(a, b) for a, b in self._pairs_of(leg)]
        self._pairs = [pair for pair in self._pairs if leg not in pair]
        return parted

    def partners(self, leg: int) -> list[int]:
        """Whom it is to talk to."""
        return [b if a == leg else a for a, b in self._pairs_of(leg)]

    def talking(self) -> set[int]:
        """Legs that are up and have a partner who is."""
        up = [pair for pair in self._pairs if all(self.by_leg[leg].state is Leg.UP for leg in pair)]
        return {leg for pair in up for leg in pair}

    def unpair(self, a: int, b: int) -> list[Effect]:
        """These two have talked enough."""
        self._pairs.remove((a, b))
        return [Part(a, b)]

    def on(self, signal: Signal) -> list[Effect]:
        """Take in what a leg told.  Raises IllegalStep where the engine told what cannot be."""
        party = self.by_leg.get(signal.leg)
        if party is None:
            return []
        match signal:
            case Progress():
                party.state = step(party.state, Seen.PROGRESS)
            case Answered():
                party.state = step(party.state, Seen.ANSWERED)
            case Sound(leg=leg, handle=handle, held=held):
                party.described = True
                changed, party.held = party.held is not held, held
                return [Attach(leg, handle), Held(leg, held)] if changed else [Attach(leg, handle)]
            case Dtmf():
                return [SendDtmf(leg, signal.digit, signal.method) for leg in self.partners(signal.leg)]
            case Closed(leg=leg):
                party.state = step(party.state, Seen.CLOSED)
                return [Close(leg), *self.part(leg)]
            case _:
                pass
        return []

    def drop(self, leg: int) -> bool:
        """We ask for a leg's end; False where it is ending or gone already."""
        party = self.by_leg[leg]
        before, party.state = party.state, step(party.state, Seen.DROPPED)
        return before not in OVER

    def alive(self, leg: int) -> bool:
        return self.by_leg[leg].state not in OVER

    def state(self, leg: int) -> Leg:
        return self.by_leg[leg].state

    def _pairs_of(self, leg: int) -> list[tuple[int, int]]:
        return [pair for pair in self._pairs if leg in pair]
