"""Mistakes in a value that may be of several kinds: only those of the kind it says it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KIND = "kind"
"The field by which the members of a union are told apart."

Loc = tuple[str | int, ...]


def of_meant_kind(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """pydantic tries each member of a union and tells what is wrong with every one of them.

    The members whose `kind` is another are left out, and with them the member's name in the path:
    `nodes.main.Prompt.say` becomes `nodes.main.say`.  Where no member has that kind, one mistake names all there are.
    """
    others: dict[Loc, dict[str, str]] = {}
    for one in errors:
        loc = tuple(one["loc"])
        if _is_other_member(loc):
            others.setdefault(loc[:-2], {})[str(loc[-2])] = str(one["msg"]).removeprefix("Input should be ")
    found: list[Mapping[str, Any]] = []
    told: set[Loc] = set()
    for one in errors:
        loc = tuple(one["loc"])
        place = _union_of(loc, others)
        if one["type"] == "dataclass_type" and str(loc[-1])[:1].isupper():
            # no table at all: every member says so
            if loc[:-1] not in told:
                told.add(loc[:-1])
                found.append({**one, "loc": loc[:-1]})
        elif place is None:
            found.append(one)
        elif not _meant(place, errors, others[place]):
            if place not in told:
                told.add(place)
                message = f"must be one of {', '.join(sorted(others[place].values()))}"
                type_ = "missing" if one["type"] == "missing" else "literal_error"
                found.append({"loc": (*place, KIND), "type": type_, "msg": message})
        elif loc[len(place)] not in others[place]:
            found.append({**one, "loc": (*place, *loc[len(place) + 1 :])})
    return found


def _is_other_member(loc: Loc) -> bool:
    """Whether a member of a union says here that it is not meant; members are classes, fields begin small."""
    return len(loc) >= 2 and loc[-1] == KIND and str(loc[-2])[:1].isupper()


def _union_of(loc: Loc, places: Mapping[Loc, object]) -> Loc | None:
    """The union this mistake lies in."""
    for end in range(len(loc)):
        if loc[:end] in places:
            return loc[:end]
    return None


def _meant(place: Loc, errors: Sequence[Mapping[str, Any]], others: Mapping[str, str]) -> bool:
    """Whether some member has the kind that stands there."""
    here = (tuple(one["loc"]) for one in errors)
    return any(loc[: len(place)] == place and len(loc) > len(place) and loc[len(place)] not in others for loc in here)
