"""Menus as data: what a caller hears, what he may press, and where that leads (R2-01, R2-02).

A menu is a graph of named nodes. A node says which node comes next; `goal` nodes end it. What a node says are names:
of a text of the menu, which is spoken in the caller's language, or of a sound file (`welcome.wav`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from routing.goal import Goal


@dataclass(frozen=True, slots=True)
class Prompt:
    """Say something and go on."""

    kind: Literal["prompt"]
    say: tuple[str, ...]
    next: str
    barge_in: bool = True
    "A key ends it and counts for the next question. False: keys are thrown away."


@dataclass(frozen=True, slots=True)
class Choice:
    """One key decides."""

    kind: Literal["choice"]
    say: tuple[str, ...]
    keys: Mapping[str, str]
    "Key -> node."
    otherwise: str
    "Node after the last try in vain."
    wrong: tuple[str, ...] = ()
    "Said before the question is asked again, after a key that leads nowhere."
    silent: tuple[str, ...] = ()
    "The same, after no key at all."
    tries: int = 3
    first: float = 5.0
    "Seconds for the key, from the end of the question."
    repeat: str = ""
    "Key that lets the caller hear it again; empty: none."
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class Collect:
    """Several keys make a number: a transfer number, an order."""

    kind: Literal["collect"]
    say: tuple[str, ...]
    otherwise: str
    "Node after the last try in vain."
    next: str = ""
    "Node once the digits are there; empty where `match` decides."
    match: Literal["", "vdn", "agent"] = ""
    "What the digits must be: a VDN of this tenant, or an agent's extension. The call goes there (R2-03)."
    into: str = ""
    "Value that keeps the digits."
    least: int = 1
    digits: int = 20
    "Most digits; as many end the collection at once."
    wrong: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    tries: int = 3
    first: float = 5.0
    between: float = 3.0
    "Seconds for each next key."
    terminator: Literal["", "#", "*"] = "#"
    repeat: str = ""
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class Branch:
    """A value decides."""

    kind: Literal["branch"]
    on: str
    cases: Mapping[str, str]
    "Value -> node."
    otherwise: str


@dataclass(frozen=True, slots=True)
class Http:
    """A tenant's service is asked."""

    kind: Literal["http"]
    service: str
    "Id of the service: it says where, how and for how long."
    next: str
    "Node after an answer."
    otherwise: str
    "Node when there was none in time."
    into: Mapping[str, str] = field(default_factory=dict)
    "Value -> member of the answer; members inside others with dots: `order.state`."


@dataclass(frozen=True, slots=True)
class Hours:
    """Business hours decide."""

    kind: Literal["hours"]
    calendar: str
    open: str
    closed: str
    holiday: str = ""
    "Node on a holiday; empty: as closed. The name of the holiday is the value `holiday`."


@dataclass(frozen=True, slots=True)
class Language:
    """From here on the caller hears this language."""

    kind: Literal["language"]
    language: str
    next: str


@dataclass(frozen=True, slots=True)
class To:
    """The menu is over: the call goes there."""

    kind: Literal["goal"]
    goal: Goal


@dataclass(frozen=True, slots=True)
class Survey:
    """A question whose answer is kept: one event `call.survey` each."""

    kind: Literal["survey"]
    say: tuple[str, ...]
    next: str
    keys: str = "12345"
    "The keys that are answers."
    wrong: tuple[str, ...] = ()
    tries: int = 2
    first: float = 5.0


@dataclass(frozen=True, slots=True)
class OptOut:
    """He is put on the do-not-call list, without a second question, and the call ends."""

    kind: Literal["opt-out"]
    otherwise: str
    "Node where his number is not known, or could not be written."
    say: tuple[str, ...] = ()
    "Heard before the call ends; empty: it ends at once."
    number: str = ""
    "Value that holds the number, with its country code; empty: the other end of this call."


Node = Prompt | Choice | Collect | Branch | Http | Hours | Language | To | Survey | OptOut


@dataclass(frozen=True, slots=True)
class Menu:
    """One menu."""

    id: str
    name: str
    start: str
    "Node it begins with."
    nodes: Mapping[str, Node]
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    "Name -> language -> what is spoken; `{order}` is a value, `{order|digits}` is read digit by digit."
    languages: tuple[str, ...] = ("en",)
    "The first one is the caller's until he has chosen."
    tenant: str | None = None
    answer: Literal["answer", "early"] = "answer"
    "early: it is heard as early media, so the caller pays only once somebody answers."
    operator: str = ""
    "Node that 0 leads to wherever 0 has no other meaning (zero-out); empty: none."
    inband: bool = False
    """Listen for keys as tones in the sound although the caller's side promised telephone events; without that
    promise they are listened for in any case."""
    otherwise: Goal = field(default_factory=lambda: Goal("hangup"))
    "Where a call goes that finds no way out in 200 steps."
