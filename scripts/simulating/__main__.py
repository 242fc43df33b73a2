"""The commands of scripts/simulate."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benching.console import PROGRESS, RESULT, note
from routing.queue import Strategy

from . import picture, report
from .callers import arrivals
from .dialer_command import dialer
from .run import simulate
from .scenario import BadScenario, load

EXAMPLE = Path(__file__).with_name("example.toml")
PICTURE = Path(__file__).parents[2] / "build" / "simulation" / "queue.png"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Tries queues and campaigns on simulated time: the product's own code, synthetic people, no telephone.",
)


@app.callback()
def common() -> None:
    """Commands by name."""


@app.command()
def queue(
    scenario: Annotated[
        Path, typer.Argument(help="TOML: what `tandem export` writes, with [[traffic]], [[duty]] and [day] added.")
    ] = EXAMPLE,
    strategy: Annotated[
        list[Strategy] | None, typer.Option(help="Try this strategy in every queue; again for more. Usual: all.")
    ] = None,
    as_planned: Annotated[
        bool, typer.Option(help="Also run the queues with the strategies the file gives them.")
    ] = True,
    seed: Annotated[int | None, typer.Option(help="Other callers than the file's.")] = None,
    png: Annotated[Path, typer.Option(help="Where the picture goes.")] = PICTURE,
    drawn: Annotated[bool, typer.Option("--picture/--no-picture", help="Draw it; installs matplotlib.")] = True,
) -> None:
    """A day of callers: waits, service level and load of the agents for each strategy, as tables and a picture.

    Every strategy meets the same callers. Exit status 2 when the scenario is wrong.
    """
    try:
        said = load(scenario)
    except (BadScenario, OSError) as error:
        PROGRESS.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from None
    if seed is not None:
        said = replace(said, day=replace(said.day, seed=seed))
    callers = arrivals(said)
    agents = {extension for duty in said.duties for extension in duty.agents}
    note(f"{len(callers)} callers, {len(said.plan.queues)} queues, {len(agents)} agents, {said.day.hours:g} hours")
    tried: list[Strategy | None] = [*([None] if as_planned else []), *(strategy or Strategy)]
    outcomes = [simulate(said, one, callers) for one in tried]
    RESULT.print(report.by_strategy(outcomes))
    RESULT.print(report.by_queue(outcomes))
    if drawn:
        picture.draw(outcomes, png)
        PROGRESS.print(str(png))


app.command()(dialer)

if __name__ == "__main__":
    app(prog_name="scripts/simulate")
