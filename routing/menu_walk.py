"""One caller's way through a menu. Pure: it says what to do next, is told what came of it, and knows no clock."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, assert_never

from routing.goal import Goal
from routing.menu import Branch, Choice, Collect, Hours, Http, Language, OptOut, Prompt, Survey, To
from routing.spoken import Piece, filled

if TYPE_CHECKING:
    from routing.menu import Menu
    from routing.vdn import Vdn

MOST_STEPS = 200
"Nodes and questions of one call in one menu: a way round and round ends here."
ZERO = "0"
LONGEST_VALUE = 256
"Characters kept of a service's answer."


@dataclass(frozen=True, slots=True)
class Say:
    """Let the caller hear this; then call `said`."""

    pieces: tuple[Piece, ...]
    barge_in: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """Let him hear this and take his keys; then call `dialled`. Times are seconds."""

    node: str
    pieces: tuple[Piece, ...]
    digits: int = 1
    first: float = 5.0
    between: float = 3.0
    terminator: str = ""
    barge_in: bool = True
    whole: frozenset[str] = frozenset()
    "Digits after which no more are waited for, though more would be taken."
    survey: bool = False


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask this service; then call `fetched`."""

    service: str


@dataclass(frozen=True, slots=True)
class LookAtClock:
    """Is this calendar open now? Then call `looked`."""

    calendar: str


@dataclass(frozen=True, slots=True)
class LeaveAlone:
    """Put him on the do-not-call list; then call `listed`."""

    number: str
    "As he entered it; empty: the other end of this call."


@dataclass(frozen=True, slots=True)
class Arrive:
    """The menu is over."""

    goal: Goal


Command = Say | Ask | Fetch | LookAtClock | LeaveAlone | Arrive


class Walk:
    """Where one caller is in a menu."""

    def __init__(
        self,
        menu: Menu,
        *,
        vdns: Mapping[str, Vdn] | None = None,
        extensions: Container[str] = frozenset(),
        tenant: str | None = None,
        values: Mapping[str, str] | None = None,
        language: str = "",
    ) -> None:
        """`tenant` is the call's; `values` what is known of the caller; `language` what he chose in an earlier menu."""
        self.menu = menu
        self.values: dict[str, str] = dict(values or {})
        self.language = language if language in menu.languages else menu.languages[0]
        self.node = menu.start
        self._numbers = {n: v for n, v in (vdns or {}).items() if v.tenant is None or v.tenant == tenant}
        self._extensions = extensions
        self._left = 0
        "Tries that are left in this node."
        self._steps = 0

    def __repr__(self) -> str:
        return f"<walk at {self.menu.id}/{self.node}, {self._steps} steps>"

    def begin(self) -> Command:
        """What comes first."""
        return self._to(self.menu.start)

    def said(self) -> Command:
        """The prompt was heard, or cut short by a key."""
        node = self.menu.nodes[self.node]
        if isinstance(node, OptOut):
            return Arrive(Goal("hangup"))
        assert isinstance(node, Prompt)
        return self._to(node.next)

    def dialled(self, digits: str) -> Command:
        """What the caller dialled; empty: nothing in time."""
        node = self.menu.nodes[self.node]
        if digits:
            self.values["digits"] = digits
        match node:
            case Choice():
                return self._chosen(node, digits)
            case Collect():
                return self._collected(node, digits)
            case Survey():
                if digits and digits in node.keys:
                    return self._to(node.next)
                return self._again(node.wrong, node.next)
            case _:
                raise AssertionError(f"{self!r} has asked nothing")

    def fetched(self, answer: Mapping[str, object] | None) -> Command:
        """What the service answered; None: nothing that can be used."""
        node = self.menu.nodes[self.node]
        assert isinstance(node, Http)
        if answer is None:
            return self._to(node.otherwise)
        for name, path in node.into.items():
            self.values[name] = member(answer, path)
        return self._to(node.next)

    def looked(self, open_: bool, holiday: str | None = None) -> Command:
        """What the calendar says about now."""
        node = self.menu.nodes[self.node]
        assert isinstance(node, Hours)
        if holiday is not None:
            self.values["holiday"] = holiday
            return self._to(node.holiday or node.closed)
        return self._to(node.open if open_ else node.closed)

    def listed(self, done: bool) -> Command:
        """Whether he is on the do-not-call list now."""
        node = self.menu.nodes[self.node]
        assert isinstance(node, OptOut)
        if not done:
            return self._to(node.otherwise)
        return Say(self.pieces(node.say), barge_in=False) if node.say else Arrive(Goal("hangup"))

    def pieces(self, names: tuple[str, ...]) -> tuple[Piece, ...]:
        """What is said under these names, to this caller."""
        values = {**self.values, "language": self.language}
        return tuple(self._piece(name, values) for name in names)

    # -- inside

    def _piece(self, name: str, values: Mapping[str, str]) -> Piece:
        texts = self.menu.texts.get(name)
        if texts is None:
            return Piece(file=name)
        return Piece(text=filled(texts.get(self.language) or next(iter(texts.values()), ""), values))

    def _to(self, name: str) -> Command:
        """Go on to a node, and through those that need nobody."""
        while True:
            self._steps += 1
            node = self.menu.nodes.get(name)
            if node is None or self._steps > MOST_STEPS:
                return Arrive(self.menu.otherwise)
            self.node = name
            match node:
                case Branch():
                    value = self.language if node.on == "language" else self.values.get(node.on, "")
                    name = node.cases.get(value, node.otherwise)
                case Language():
                    self.language, name = node.language, node.next
                case To():
                    return Arrive(node.goal)
                case Prompt():
                    return Say(self.pieces(node.say), node.barge_in)
                case Http():
                    return Fetch(node.service)
                case Hours():
                    return LookAtClock(node.calendar)
                case OptOut(number=number):
                    return LeaveAlone(self.values.get(number, "") if number else "")
                case Choice() | Collect() | Survey():
                    self._left = node.tries
                    return self._ask(node.say)
                case _:
                    assert_never(node)

    def _ask(self, say: tuple[str, ...]) -> Ask:
        node, pieces = self.menu.nodes[self.node], self.pieces(say)
        match node:
            case Choice():
                return Ask(self.node, pieces, first=node.first, barge_in=node.barge_in)
            case Collect():
                return Ask(
                    self.node,
                    pieces,
                    node.digits,
                    node.first,
                    node.between,
                    node.terminator,
                    node.barge_in,
                    self._whole(node),
                )
            case Survey():
                return Ask(self.node, pieces, first=node.first, survey=True)
            case _:
                raise AssertionError(f"{self!r} has nothing to ask")

    def _whole(self, node: Collect) -> frozenset[str]:
        """VDNs that are the beginning of no other: after these the caller need not wait, nor press a terminator."""
        if node.match != "vdn":
            return frozenset()
        numbers = sorted(self._numbers)
        longer = {a for a, b in pairwise(numbers) if b.startswith(a)}
        return frozenset(numbers) - longer

    def _chosen(self, node: Choice, key: str) -> Command:
        if key in node.keys:
            return self._to(node.keys[key])
        if key and key == node.repeat:
            return self._repeat(node.say)
        if key == ZERO and self.menu.operator:
            return self._to(self.menu.operator)
        return self._again((node.wrong if key else node.silent) + node.say, node.otherwise)

    def _collected(self, node: Collect, digits: str) -> Command:
        if digits and digits == node.repeat:
            return self._repeat(node.say)
        if digits == ZERO and self.menu.operator and not (node.match and self._matches(node, digits)):
            return self._to(self.menu.operator)
        if len(digits) < node.least or not self._matches(node, digits):
            return self._again((node.wrong if digits else node.silent) + node.say, node.otherwise)
        if node.into:
            self.values[node.into] = digits
        if node.match:
            return Arrive(Goal(node.match, digits))
        return self._to(node.next)

    def _matches(self, node: Collect, digits: str) -> bool:
        match node.match:
            case "vdn":
                return digits in self._numbers
            case "agent":
                return digits in self._extensions
            case _:
                return True

    def _repeat(self, say: tuple[str, ...]) -> Command:
        """Once more, for nothing: he did what he was told he may."""
        self._steps += 1
        return self._ask(say) if self._steps <= MOST_STEPS else Arrive(self.menu.otherwise)

    def _again(self, say: tuple[str, ...], otherwise: str) -> Command:
        self._left -= 1
        if self._left <= 0:
            return self._to(otherwise)
        node = self.menu.nodes[self.node]
        return self._ask(say + node.say if isinstance(node, Survey) else say)


def member(answer: Mapping[str, object], path: str) -> str:
    """A member of an answer as a value: text, numbers and truth as text, anything else empty."""
    found: object = answer
    for name in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return ""
    match found:
        case bool():
            return "yes" if found else "no"
        case str() | int() | float():
            return str(found)[:LONGEST_VALUE]
        case _:
            return ""


def known(data: Mapping[str, object]) -> dict[str, str]:
    """A caller's business data as values, each under `data.`."""
    return {f"data.{name}": member(data, name) for name in data if "." not in name}
