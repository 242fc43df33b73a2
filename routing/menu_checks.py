"""What is wrong with a menu before a caller finds out: every dead end, every node that nothing leads to."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from routing.menu import Branch, Choice, Collect, Hours, Http, Language, Node, OptOut, Prompt, Survey, To
from routing.plan_checks import goal_problems, reference
from routing.spoken import SOUND_FILE, places

if TYPE_CHECKING:
    from routing.directory import Directory
    from routing.menu import Menu
    from routing.plan import Plan

KEYS = "0123456789*#ABCD"
NODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
VALUE = re.compile(r"[a-z][a-z0-9_]{0,63}")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[0-9A-Za-z]{2,8})*")
MOST_TRIES = 10
MOST_SECONDS = 120.0
MOST_DIGITS = 32
GIVEN = frozenset({"caller", "called", "tenant", "language", "holiday", "digits"})
"Values every call has: who calls whom, and what he dialled last. Those of his data begin with `data.`."


def menu(value: Menu, plan: Plan, directory: Directory) -> Iterator[str]:
    """Every mistake of a menu; each sentence begins with its field."""
    yield from _whole(value, plan, directory)
    for name, node in value.nodes.items():
        if not NODE.fullmatch(name):
            yield f"nodes: {name!r} is no name of a node: letters, digits, _ and -"
        for field, target in exits(node):
            if target not in value.nodes:
                yield f"nodes.{name}.{field}: there is no node {target!r}"
        yield from _node(f"nodes.{name}", node, value, plan, directory)
    yield from _ways(value)
    yield from _texts(value)


def exits(node: Node) -> Iterator[tuple[str, str]]:
    """The ways out of a node: its field, and the node that stands there."""
    match node:
        case Choice(keys=keys, otherwise=otherwise):
            yield from ((f"keys.{key}", target) for key, target in keys.items())
            yield "otherwise", otherwise
        case Collect(next=next_, match=match, otherwise=otherwise):
            if next_ or not match:
                yield "next", next_
            yield "otherwise", otherwise
        case Branch(cases=cases, otherwise=otherwise):
            yield from ((f"cases.{case}", target) for case, target in cases.items())
            yield "otherwise", otherwise
        case Http(next=next_, otherwise=otherwise):
            yield "next", next_
            yield "otherwise", otherwise
        case Hours(open=open_, closed=closed, holiday=holiday):
            yield "open", open_
            yield "closed", closed
            if holiday:
                yield "holiday", holiday
        case Prompt(next=next_) | Language(next=next_) | Survey(next=next_):
            yield "next", next_
        case OptOut(otherwise=otherwise):
            yield "otherwise", otherwise
        case To():
            return


def _whole(value: Menu, plan: Plan, directory: Directory) -> Iterator[str]:
    if value.start not in value.nodes:
        yield f"start: there is no node {value.start!r}"
    if value.operator and value.operator not in value.nodes:
        yield f"operator: there is no node {value.operator!r}"
    if not value.languages:
        yield "languages: must name one at least"
    for language in value.languages:
        if not LANGUAGE.fullmatch(language):
            yield f"languages: {language!r} is no language such as en or pt-br"
    yield from goal_problems(value.otherwise, plan, directory.agents, value.tenant, "otherwise")


def _node(at: str, node: Node, value: Menu, plan: Plan, directory: Directory) -> Iterator[str]:
    """What is wrong inside one node."""
    match node:
        case Choice():
            yield from _keys(f"{at}.keys", "".join(node.keys), node.repeat)
            for key in node.keys:
                if len(key) != 1:
                    yield f"{at}.keys: {key!r} is not one key"
            if not node.keys:
                yield f"{at}.keys: no key leads anywhere"
        case Collect():
            yield from _collect(at, node)
        case Survey():
            yield from _keys(f"{at}.keys", node.keys, "")
            if not node.keys:
                yield f"{at}.keys: no key is an answer"
        case Hours():
            yield from reference(f"{at}.calendar", plan.calendars, "calendar", node.calendar, value.tenant)
        case Http():
            yield from reference(f"{at}.service", plan.of_kind("services"), "service", node.service, value.tenant)
            yield from (f"{at}.into: {name!r} is no name of a value" for name in node.into if not VALUE.fullmatch(name))
        case Language():
            if node.language not in value.languages:
                yield f"{at}.language: {node.language!r} is none of the menu's languages"
        case To():
            yield from goal_problems(node.goal, plan, directory.agents, value.tenant, f"{at}.goal")
        case Prompt():
            if not node.say:
                yield f"{at}.say: says nothing"
        case Branch() | OptOut():
            pass
    yield from _tries(at, node)


def _tries(at: str, node: Node) -> Iterator[str]:
    if not isinstance(node, Choice | Collect | Survey):
        return
    if not 1 <= node.tries <= MOST_TRIES:
        yield f"{at}.tries: must be from 1 to {MOST_TRIES}"
    for field in ("first", "between"):
        seconds = getattr(node, field, 1.0)
        if not 0 < seconds <= MOST_SECONDS:
            yield f"{at}.{field}: must be more than 0, and {MOST_SECONDS:g} at most"


def _collect(at: str, node: Collect) -> Iterator[str]:
    if not 1 <= node.least <= node.digits <= MOST_DIGITS:
        yield f"{at}.digits: must be from `least` (1 or more) to {MOST_DIGITS}"
    if node.next and node.match:
        yield f"{at}.next: digits that match go to the {node.match} itself"
    if node.into and not VALUE.fullmatch(node.into):
        yield f"{at}.into: {node.into!r} is no name of a value: small letters, digits and _"
    if node.repeat:
        yield from _keys(f"{at}.repeat", node.terminator, node.repeat)


def _keys(at: str, keys: str, repeat: str) -> Iterator[str]:
    for key in dict.fromkeys(keys + repeat):
        if key not in KEYS:
            yield f"{at}: {key!r} is no key of a phone"
    if len(repeat) > 1:
        yield f"{at}: the key that repeats must be one key, not {repeat!r}"
    elif repeat and repeat in keys:
        yield f"{at}: {repeat} is the key that repeats already"


def _ways(value: Menu) -> Iterator[str]:
    """Nodes that nothing leads to, and nodes from which no way leads to a goal."""
    ways = {name: {target for _, target in exits(node)} for name, node in value.nodes.items()}
    asked = any(isinstance(node, Choice | Collect) for node in value.nodes.values())
    begins = {value.start, *([value.operator] if value.operator and asked else [])}
    reached = _closure(ways, begins)
    for name in value.nodes:
        if name not in reached:
            yield f"nodes.{name}: nothing leads here"
    back: dict[str, set[str]] = {name: set() for name in value.nodes}
    for name, targets in ways.items():
        for target in targets & back.keys():
            back[target].add(name)
    matched = (n for n, node in value.nodes.items() if isinstance(node, Collect) and node.match)
    ends = _closure(back, {*(n for n, node in value.nodes.items() if isinstance(node, To | OptOut)), *matched})
    for name in value.nodes:
        if name in reached and name not in ends:
            yield f"nodes.{name}: is a dead end, from here no way leads to a goal"


def _closure(ways: Mapping[str, set[str]], begin: set[str]) -> set[str]:
    """Everything that can be reached."""
    found = {name for name in begin if name in ways}
    waiting = deque(found)
    while waiting:
        for target in ways[waiting.popleft()]:
            if target in ways and target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _texts(value: Menu) -> Iterator[str]:
    """Prompts that nobody can hear, and values that nothing sets."""
    known = GIVEN | {
        name
        for node in value.nodes.values()
        for name in ((node.into,) if isinstance(node, Collect) else node.into if isinstance(node, Http) else ())
    }
    for name, node in value.nodes.items():
        for field in ("say", "wrong", "silent"):
            for said in getattr(node, field, ()):
                if said not in value.texts and not SOUND_FILE.fullmatch(said):
                    yield f"nodes.{name}.{field}: {said!r} is neither a text of the menu nor a file such as {said}.wav"
        if isinstance(node, Branch) and not _is_known(node.on, known):
            yield f"nodes.{name}.on: nothing sets the value {node.on!r}"
        if isinstance(node, OptOut) and node.number and not _is_known(node.number, known):
            yield f"nodes.{name}.number: nothing sets the value {node.number!r}"
    for name, by_language in value.texts.items():
        for language in value.languages:
            if not by_language.get(language, "").strip():
                yield f"texts.{name}: has no words in {language}"
        for language, text in by_language.items():
            for unknown in sorted({place for place in places(text) if not _is_known(place, known)}):
                yield f"texts.{name}.{language}: nothing sets the value {unknown!r}"


def _is_known(name: str, known: frozenset[str]) -> bool:
    return name in known or name.startswith("data.")
