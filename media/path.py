"""Which way a conversation's sound takes: straight from leg to leg, or through the conference.  Pure.

The relay sends the packets of one leg on to the other as they are: no jitter buffer, no codec, no clock.  So it serves
two legs that speak alike while nobody else is to hear or to speak.  For everything else there is the conference, and
the first reason found is the one that is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How the sound of two legs gets from one to the other."""

    RELAY = "relay"
    "Packet by packet, in C."
    CONFERENCE = "conference"
    "Decoded, mixed and encoded anew; or nothing passes, on hold for one."


class Reason(StrEnum):
    """What decided it."""

    ALONE = "alike and alone"
    "For the relay nothing else is needed."
    OFF = "switched off"
    "By the settings."
    HELD = "on hold"
    "One side holds: the other one hears music, or silence."
    WAITING = "no sound yet"
    "One of the legs has no stream (any more)."
    UNKNOWN = "no packets of its own"
    "A leg's sound does not come from a socket of ours."
    CODECS = "different codecs"
    PACKETS = "different packet times"
    SUPERVISED = "supervisor"
    "Somebody listens, whispers or barges in."
    COMPANY = "more than two"
    "A third party hears or speaks."
    RECORDED = "recorded"
    "A recorder needs what was decoded."
    LISTENED = "listened to"
    "Tones or a machine are listened for."
    PLAYED = "something is played"
    "A prompt, a tone, music."
    REFUSED = "refused by the relay"
    "The decision was for it, and the packets said otherwise: a codec changed under way."


class Who(StrEnum):
    """What an end is that hears a leg, or is heard by it."""

    LEG = "leg"
    SUPERVISOR = "supervisor"
    "A leg that is not one of those who talk."
    RECORDER = "recorder"
    LISTENER = "listener"
    "A tap or an ear."
    PLAYER = "player"


@dataclass(frozen=True, slots=True)
class Codec:
    """What a leg speaks, by its SDP."""

    name: str
    "As in SDP: PCMA, opus."
    rate: int
    "Of its RTP timestamps, Hz."
    ptime: int
    "Milliseconds of sound in each packet."


@dataclass(frozen=True, slots=True)
class Side:
    """One leg of a pair, as the decision sees it."""

    here: bool
    "It has a stream."
    codec: Codec | None = None
    "None: not a leg with packets of its own."
    holds: bool = False
    "Its far end has put the other one on hold."
    company: frozenset[Who] = frozenset()
    "Whoever hears or speaks to this leg besides the other one."


@dataclass(frozen=True, slots=True)
class Decision:
    """The way, and what decided it."""

    way: Way
    reason: Reason

    def __str__(self) -> str:
        return self.way if self.reason is Reason.ALONE else f"{self.way}: {self.reason}"


RELAYED = Decision(Way.RELAY, Reason.ALONE)
COMPANY = (
    (Who.SUPERVISOR, Reason.SUPERVISED),
    (Who.LEG, Reason.COMPANY),
    (Who.RECORDER, Reason.RECORDED),
    (Who.LISTENER, Reason.LISTENED),
    (Who.PLAYER, Reason.PLAYED),
)
"What each of them is as a reason; the first that is there is shown."


def decide(a: Side, b: Side, *, relay: bool = True) -> Decision:
    """The way of two legs that are to hear each other.  `relay`: it may be used at all."""
    reason = against(a, b) if relay else Reason.OFF
    return RELAYED if reason is None else Decision(Way.CONFERENCE, reason)


def against(a: Side, b: Side) -> Reason | None:
    """What speaks against the relay; None: nothing does."""
    if a.holds or b.holds:
        return Reason.HELD
    if not (a.here and b.here):
        return Reason.WAITING
    if a.codec is None or b.codec is None:
        return Reason.UNKNOWN
    if not alike(a.codec, b.codec):
        return Reason.CODECS
    if a.codec.ptime != b.codec.ptime:
        return Reason.PACKETS
    return with_company(a.company | b.company)


def alike(a: Codec, b: Codec) -> bool:
    """Whether what one of them sends can be heard by the other as it is; the packet times do not count here."""
    return a.name.upper() == b.name.upper() and a.rate == b.rate


def with_company(company: Iterable[Who]) -> Reason | None:
    """The reason that those others are; None without any."""
    there = frozenset(company)
    return next((reason for who, reason in COMPANY if who in there), None) if there else None
