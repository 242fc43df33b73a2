"""How often the product and Asterisk's rules are right about the same recordings, and how long they take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from media.amd_values import Kind, Verdict

from .app_amd import Result

PEOPLE = "human"


@dataclass(frozen=True, slots=True)
class Judged:
    """One recording and what one listener said."""

    label: str
    person: bool
    "What was said: a call for an agent."
    said: str
    after: float | None
    "Seconds from the end of the greeting to the decision; None: there is no greeting or its end is not known."


@dataclass(frozen=True, slots=True)
class Figures:
    """What it comes to.  Shares are None where there is nothing to count."""

    accuracy: float | None
    people_as_machines: float | None
    machines_as_people: float | None
    people: int
    machines: int
    wrong_people: int
    wrong_machines: int
    after_p50: float | None
    "Of people: seconds from the greeting's end to the decision."
    after_p99: float | None
    late: float | None
    "Part of the people who were decided about more than 1.2 s after their greeting."


def ours(label: str, verdict: Verdict, greeting_end: float | None) -> Judged:
    # Nothing is put through to an agent for a call that ended first.
    person = verdict.person
    after = verdict.at - greeting_end if greeting_end else None
    return Judged(label, person, f"{verdict.kind}: {verdict.reason}", after)


def theirs(label: str, result: Result, greeting_end: float | None) -> Judged:
    # Diallers put NOTSURE through; so do calls that outlast the recording without a verdict.
    after = result.at - greeting_end if greeting_end else None
    return Judged(label, result.status != "MACHINE", f"{result.status}: {result.cause}".rstrip(": "), after)


def figures(judged: Sequence[Judged]) -> Figures:
    """Silence has no right answer: it is left out."""
    counted = [one for one in judged if one.label != "silence"]
    people = [one for one in counted if one.label == PEOPLE]
    machines = [one for one in counted if one.label != PEOPLE]
    wrong_people = sum(not one.person for one in people)
    wrong_machines = sum(one.person for one in machines)
    after = np.array([one.after for one in people if one.after is not None])
    return Figures(
        _share(len(counted) - wrong_people - wrong_machines, len(counted)),
        _share(wrong_people, len(people)),
        _share(wrong_machines, len(machines)),
        len(people),
        len(machines),
        wrong_people,
        wrong_machines,
        float(np.quantile(after, 0.5)) if len(after) else None,
        float(np.quantile(after, 0.99)) if len(after) else None,
        float(np.mean(after > 1.2)) if len(after) else None,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def compared(listeners: Mapping[str, Sequence[Judged]]) -> Table:
    """The figures side by side."""
    table = Table(title="Who has answered")
    table.add_column("")
    for name in listeners:
        table.add_column(name, justify="right")
    all_ = [figures(judged) for judged in listeners.values()]
    table.add_row("people / others", *[f"{one.people} / {one.machines}" for one in all_])
    table.add_row("right", *[_percent(one.accuracy) for one in all_])
    table.add_row(
        "people taken for machines", *[f"{_percent(one.people_as_machines)} ({one.wrong_people})" for one in all_]
    )
    table.add_row(
        "machines taken for people", *[f"{_percent(one.machines_as_people)} ({one.wrong_machines})" for one in all_]
    )
    table.add_row("person: after the greeting, p50", *[_seconds(one.after_p50) for one in all_])
    table.add_row("person: after the greeting, p99", *[_seconds(one.after_p99) for one in all_])
    table.add_row("person: later than 1.2 s", *[_percent(one.late) for one in all_])
    return table


def by_label(listeners: Mapping[str, Sequence[Judged]]) -> Table:
    """Taken for a person, by what it is."""
    table = Table(title="Put through to an agent, by what it is")
    table.add_column("")
    table.add_column("recordings", justify="right")
    for name in listeners:
        table.add_column(name, justify="right")
    for label in dict.fromkeys(one.label for judged in listeners.values() for one in judged):
        rows = [[one for one in judged if one.label == label] for judged in listeners.values()]
        shares = [_percent(_share(sum(one.person for one in row), len(row))) for row in rows]
        table.add_row(label, str(len(rows[0])), *shares)
    return table


def reasons(judged: Sequence[Judged]) -> Table:
    """What was said, by what it is."""
    table = Table(title="What was said")
    for column in ("is", "said", "how often"):
        table.add_column(column)
    counted = Counter((one.label, one.said) for one in judged)
    for (label, said), count in sorted(counted.items(), key=lambda item: (item[0][0], -item[1])):
        table.add_row(label, said, str(count))
    return table


def right_kind(label: str, kind: str, verdict: Verdict) -> bool | None:
    """Whether call progress named the tone that is there; None: it has no name."""
    if label == "fax":
        return verdict.kind is Kind.FAX
    if label == "busy":
        return verdict.kind == kind
    if label == "network" and kind != "no tone":
        return verdict.kind is Kind.SIT and verdict.code == kind
    return None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
