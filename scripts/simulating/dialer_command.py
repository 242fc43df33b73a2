"""`scripts/simulate dialer`: days of campaigns with the server's own pacing."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benching.console import PROGRESS, RESULT, headline, note
from benching.machine import ROOT
from dialer.campaign import Mode

from . import dialer_picture, dialer_report
from .dialer_cases import FREE, PARTS, Case
from .dialer_day import DialDay, steady
from .dialer_report import Done
from .dialer_run import simulate

PICTURES = ROOT / "build" / "simulation"
PICTURED = ("modes", "changes", "answers", "trunks", "machines")
"Parts whose pictures the page shows."
TRIED = (Mode.PROGRESSIVE, Mode.POWER, Mode.RULE_BASED, Mode.PREDICTIVE)
"Modes with agents that are the same for synthetic ones: a preview is one call for each, as progressive is."


def dialer(
    parts: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(PARTS)}; usual: all.")] = None,
    agents: Annotated[
        int | None, typer.Option(min=1, help="Instead of the parts: so many agents, with the options below.")
    ] = None,
    mode: Annotated[list[Mode] | None, typer.Option(help="With --agents: this mode; again for more.")] = None,
    answer: Annotated[float, typer.Option(min=0.01, max=1, help="With --agents: share of live answers.")] = 0.3,
    talk: Annotated[float, typer.Option(min=1, help="With --agents: mean seconds of talk.")] = 120.0,
    wrap: Annotated[float, typer.Option(min=0, help="With --agents: mean seconds of work after a call.")] = 20.0,
    ring: Annotated[float, typer.Option(min=2, help="With --agents: mean seconds until a person answers.")] = 12.0,
    ratio: Annotated[float, typer.Option(min=1, help="With --agents: calls for each idle agent.")] = 2.0,
    lines: Annotated[int | None, typer.Option(min=1, help="With --agents: lines of the trunks.")] = None,
    hours: Annotated[float, typer.Option(min=0.1, help="With --agents: of a day.")] = 8.0,
    days: Annotated[int | None, typer.Option(min=1, help="Days of each kind; usual: what the parts say, or 3.")] = None,
    seed: Annotated[int, typer.Option(help="Other people and other talks.")] = 1,
    png: Annotated[Path, typer.Option(help="Folder of the pictures.")] = PICTURES,
    drawn: Annotated[bool, typer.Option("--picture/--no-picture", help="Draw them; installs matplotlib.")] = True,
    docs: Annotated[bool, typer.Option(help="Write tables and pictures into docs/ too.")] = False,
) -> None:
    """Days of a campaign: talk of the agents and abandoned calls, by mode, size, answers, changes and limits.

    Every day begins knowing nothing. Exit status 1 when a goal is missed, 2 when there is no such part.
    """
    if unknown := sorted(set(parts or ()) - set(PARTS)):
        PROGRESS.print(f"there is no part {', '.join(unknown)}: {', '.join(PARTS)}", style="red", markup=False)
        raise typer.Exit(2)
    if agents is None:
        asked = {part: PARTS[part]() for part in parts or PARTS}
    else:
        day = DialDay(steady(agents), hours, steady(answer), talk=steady(talk), wrap=wrap, ring=ring, lines=lines)
        rules = replace(FREE, ratio=ratio)
        asked = {"asked": [Case(one.value, agents, day, one, rules, 3) for one in mode or TRIED]}
    missed = False
    for part, cases in asked.items():
        headline(part)
        done = [_days(case, days or case.days, seed) for case in cases]
        missed |= any(one.met is False for one in done)
        RESULT.print(dialer_report.printed(part, done))
        folders = [png, *([ROOT / "docs" / "img"] if docs and part in PICTURED else [])]
        for folder in folders if drawn else []:
            file = folder / f"pacing-{part}.png"
            dialer_picture.draw(part, done, file)
            PROGRESS.print(str(file))
        if docs and agents is None:
            dialer_report.write_page(part, done)
    raise typer.Exit(int(missed))


def _days(case: Case, days: int, seed: int) -> Done:
    done = Done(case, [simulate(case.day, case.mode, case.rules, 1000 * seed + number) for number in range(days)])
    found = done.figures
    note(f"{case.agents} agents, {case.name}: talk {found.talk:.1%}, abandoned {found.rate:.2%}")
    return done
