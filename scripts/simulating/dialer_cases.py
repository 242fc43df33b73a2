"""The days that docs/pacing.md shows, in parts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from dialer.campaign import Mode
from dialer.phases import Limits, Rules

from .dialer_day import DialDay, Machines, steady

SIZES = {10: 8, 50: 3, 200: 2}
"Agents, and days that together give far more than 10,000 live answers."
FREE = Rules(limits=Limits(ratio=None))
"A machine room without limits: the mode alone is looked at."


@dataclass(frozen=True, slots=True)
class Goal:
    """What must be reached; shares."""

    talk: float | None = None
    rate: float | None = 0.03
    "On the worst day."


@dataclass(frozen=True, slots=True)
class Case:
    """Days of one kind."""

    name: str
    agents: int
    day: DialDay
    mode: Mode = Mode.PREDICTIVE
    rules: Rules = FREE
    days: int = 1
    goal: Goal | None = None
    line: str = ""
    point: str = ""
    "Where its figures are in a picture; empty: the number of agents, the name."


TALK_GOALS = {10: 0.70, 50: 0.795, 200: 0.835}
RATIOS = {10: 2.25, 50: 4.8, 200: 7.8}
"Fixed ratios that a search on the same model found to be the best; nobody would find them in a day's work."


def base(agents: int) -> DialDay:
    """The day of the goals."""
    return DialDay(agents=steady(agents))


def modes() -> list[Case]:
    """Every mode with every number of agents."""
    cases = []
    for agents, days in SIZES.items():
        ratio = RATIOS[agents]
        for name, mode, rules, goal in (
            ("progressive", Mode.PROGRESSIVE, FREE, Goal()),
            ("power", Mode.POWER, replace(FREE, ratio=ratio), Goal()),
            ("rule-based", Mode.RULE_BASED, replace(FREE, ratio=10.0), Goal()),
            ("rule-based, literal", Mode.RULE_BASED, replace(FREE, ratio=10.0, literal=True), None),
            ("predictive", Mode.PREDICTIVE, FREE, Goal(TALK_GOALS[agents])),
        ):
            few = days if mode is Mode.PREDICTIVE else max(1, days // 4)
            cases.append(Case(name, agents, base(agents), mode, rules, few, goal, name, f"{agents} agents"))
    return cases


def changes() -> list[Case]:
    """Days on which something changes at once."""
    cases = []
    for agents, days in SIZES.items():
        day = base(agents)
        for name, changed in (
            ("answers 30 -> 50 -> 30 %", replace(day, answer=((0.0, 0.30), (2.5, 0.50), (5.0, 0.30)))),
            ("answers 30 -> 50 % in the last hour", replace(day, answer=((0.0, 0.30), (7.0, 0.50)))),
            ("talk doubles", replace(day, talk=((0.0, 120.0), (4.0, 240.0)))),
            ("half of the agents leave", replace(day, agents=((0.0, agents), (4.0, agents // 2)))),
            ("half leave in the last hour", replace(day, agents=((0.0, agents), (7.2, agents // 2)))),
            ("answers drift by a third", replace(day, drift=1 / 3)),
        ):
            cases.append(Case(name, agents, changed, days=max(1, days // 4), goal=Goal()))
    return cases


def answers() -> list[Case]:
    """Other shares of live answers."""
    cases = []
    for agents, days in ((10, 2), (50, 1)):
        for share in (0.1, 0.2, 0.3, 0.5, 0.7):
            day = replace(base(agents), answer=steady(share))
            for mode in (Mode.PROGRESSIVE, Mode.PREDICTIVE):
                predictive = mode is Mode.PREDICTIVE
                cases.append(
                    Case(
                        f"{share:.0%}, {mode}",
                        agents,
                        day,
                        mode,
                        days=days if predictive else 1,
                        goal=Goal() if predictive else None,
                        line=f"{mode}, {agents} agents",
                        point=f"{share:.0%}",
                    )
                )
    return cases


def sizes() -> list[Case]:
    """Few and many agents."""
    return [
        case
        for agents, days in ((3, 3), (5, 3), (7, 2), (15, 2), (25, 1), (100, 1), (500, 1))
        for case in (
            Case("progressive", agents, base(agents), Mode.PROGRESSIVE, days=1),
            Case("predictive", agents, base(agents), days=days, goal=Goal()),
        )
    ]


def times() -> list[Case]:
    """Other times than those of the goals."""
    day = base(50)
    return [
        Case(name, 50, changed, days=1, goal=Goal())
        for name, changed in (
            ("unanswered calls held 15 s", replace(day, hold=15.0)),
            ("an answer waits 0.5 s", replace(day, patience=0.5)),
            ("an answer waits 5 s", replace(day, patience=5.0)),
            ("no wrap-up", replace(day, wrap=0.0)),
            ("wrap-up 60 s", replace(day, wrap=60.0)),
            ("talk 30 s", replace(day, talk=steady(30.0))),
            ("talk 300 s", replace(day, talk=steady(300.0))),
            ("decisions every 2 s", replace(day, tick=2.0)),
        )
    ]


def trunks() -> list[Case]:
    """50 agents and not enough lines."""
    return [
        Case("no limit" if lines is None else f"{lines} lines", 50, replace(base(50), lines=lines), days=1, goal=Goal())
        for lines in (50, 60, 70, 80, None)
    ]


def machines() -> list[Case]:
    """50 agents, 25 % of the calls reach a machine; detection that errs, and none."""
    day = replace(base(50), answer=steady(0.25))
    cases = [Case("no detection", 50, replace(day, machines=Machines(0.25, detected=False)), days=1, goal=Goal())]
    for wrong in (0.0, 0.005, 0.01, 0.02):
        errs = Machines(0.25, human_as_machine=wrong, machine_as_human=0.05)
        name = f"{wrong:.2%} of the people taken for machines"
        cases.append(Case(name, 50, replace(day, machines=errs), days=1, goal=Goal()))
    return cases


PARTS: dict[str, Callable[[], list[Case]]] = {
    "modes": modes,
    "changes": changes,
    "answers": answers,
    "sizes": sizes,
    "times": times,
    "trunks": trunks,
    "machines": machines,
}
