"""The commands of scripts/bench."""

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from . import calls as call_rates
from . import cores, dialler_report, latency, leak, media, media_report, plot, results, table
from . import dialler as diallers
from . import dialling as diallings
from . import events as told
from . import floor as floors
from . import gate as gates
from . import pacing as pacings
from . import profile as profiling
from . import registrar as registrars
from .console import PROGRESS, RESULT, note
from .machine import ROOT, this_machine
from .media_servers import MOST_CALLS, MediaKind
from .quiet import wait_for_quiet
from .stage import Kind, Stage

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Measures Tandem beside Sippy B2BUA and rtpengine on this machine: the server on one core, the generator on"
    " another, all on loopback. Results are kept by part in the folder of --out, printed as a table and drawn as a PNG."
    " Nothing else should run meanwhile.",
)

GENERATOR_RATE = 2000.0
"Calls a second that the generator is tried with, alone."


class Options:
    """What all commands share."""

    out = ROOT / "build" / "bench"
    patience = 0.0
    keep: Path | None = None
    server_core: int | None = None


Runs = Annotated[int, typer.Option(min=1, help="Runs of each system, in turn.")]
Seconds = Annotated[float, typer.Option(min=1, help="Seconds that calls are started in one step.")]
Only = Annotated[Kind | None, typer.Option(help="Measure this system alone.")]


@app.callback()
def common(
    out: Annotated[Path, typer.Option(help="Folder of results.json and bench.png.")] = Options.out,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a quiet machine before each server.")] = 0.0,
    keep: Annotated[
        Path | None, typer.Option(help="Keep servers' folders and SIPp's files in a new folder there.")
    ] = None,
    nice: Annotated[
        int, typer.Option(min=-20, max=0, help="Priority over other programs, such as -15; needs root.")
    ] = 0,
    server_core: Annotated[int | None, typer.Option(help="Core of the server; the generator takes another.")] = None,
) -> None:
    """Options of all commands."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))  # servers and SIPp are ended on the way out
    if nice:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    Options.out, Options.patience, Options.keep, Options.server_core = out.resolve(), wait, keep, server_core


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """The stage for one command."""
    chosen = cores.choose(Options.server_core)
    if chosen.shared:
        note("this machine has one core: server and generator share it, figures are good for comparing only")
    chosen.pin_generator()
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as scratch:
        folder = Path(scratch)
        if Options.keep:
            Options.keep.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=Options.keep)).resolve()
        if not wait_for_quiet(chosen, Options.patience):
            note("the machine is in use by others: figures will suffer")
        yield Stage(folder, chosen, Options.patience)


def kinds(only: Kind | None) -> list[Kind]:
    """The systems to measure."""
    return [only] if only else ["sippy", "tandem"]


@app.command()
def calls(
    runs: Runs = 5,
    seconds: Seconds = 10.0,
    precision: Annotated[float, typer.Option(help="End the search at this relative distance.")] = 0.04,
    cpu_rate: Annotated[float, typer.Option(help="Calls a second at which processor time is measured.")] = 100.0,
    only: Only = None,
) -> None:
    """Calls a second without failure, and processor time of a call. 3 s hold, SDP, no RTP."""
    with stage() as here:
        alone = call_rates.limit(here, GENERATOR_RATE, seconds)
        note(f"generator alone: {alone}")
        found = call_rates.measure(
            here, kinds(only), runs=runs, seconds=seconds, precision=precision, cpu_rate=cpu_rate
        )
    kept = results.load(Options.out)
    kept.calls, kept.cpu_rate = found, cpu_rate
    kept.generator = GENERATOR_RATE if alone.passed else 0.0
    _finish(kept, "calls")


@app.command(name="latency")
def setup_times(
    runs: Runs = 5,
    rate: Annotated[float, typer.Option(help="Calls a second.")] = 50.0,
    seconds: Seconds = 20.0,
    only: Only = None,
) -> None:
    """INVITE to 180 and to 200, by kernel time stamps at the trunk; calls come at random times."""
    with stage() as here:
        found = latency.measure(here, kinds(only), runs=runs, rate=rate, seconds=seconds)
    kept = results.load(Options.out)
    kept.latency, kept.latency_rate = found, rate
    _finish(kept, "latency")


@app.command(name="media")
def sound(
    runs: Runs = 1,
    seconds: Annotated[float, typer.Option(min=1, help="Seconds that one load is measured.")] = 5.0,
    most: Annotated[int, typer.Option(min=1, help="Calls at once that no search goes beyond.")] = MOST_CALLS,
    asterisk: Annotated[bool, typer.Option(help="Asterisk too: its first use builds it, in minutes.")] = False,
    only: Annotated[MediaKind | None, typer.Option(help="Measure this system alone.")] = None,
) -> None:
    """Calls with real RTP both ways: how many one core carries, delay, processor time and memory of a call; rtpengine
    in user space behind Kamailio in turns. Some four minutes a system and run. Exit status 1 for a figure missed."""
    chosen: list[MediaKind] = [only] if only else ["rtpengine", "tandem"]
    if asterisk and not only:
        chosen.append("asterisk")
    raise typer.Exit(int(not media_report.all_met(_sound(chosen, runs, seconds, most))))


def _sound(chosen: list[MediaKind], runs: int, seconds: float, most: int) -> media.MediaResult:
    with stage() as here:
        found = media.measure(here, chosen, runs=runs, seconds=seconds, most=most)
    kept = results.load(Options.out)
    kept.media = found
    kept.machines["media"] = this_machine()
    PROGRESS.print(str(kept.save(Options.out)))
    RESULT.print(media_report.printed(found))
    RESULT.print(media_report.markdown_profile(found), markup=False)
    return found


@app.command(name="leak")
def leaks(
    calls: Annotated[int, typer.Option(min=3, help="Calls in all.")] = 15_000,
    rate: Annotated[float, typer.Option(help="Calls a second.")] = 100.0,
) -> None:
    """What many calls leave behind: live calls, legs, descriptors, memory; and whether each has its record."""
    with stage() as here:
        found = leak.measure(here, calls=calls, rate=rate)
    kept = results.load(Options.out)
    kept.leak = found
    _finish(kept, "leak")


@app.command(name="events")
def telling(
    runs: Runs = 3,
    rate: Annotated[float, typer.Option(help="Calls a second.")] = 50.0,
    seconds: Seconds = 10.0,
) -> None:
    """From a call's event to a listener on the socket, alone and beside ten listeners that take nothing."""
    with stage() as here:
        found = told.measure(here, runs=runs, rate=rate, seconds=seconds)
    kept = results.load(Options.out)
    kept.events = found
    _finish(kept, "events")


@app.command(name="floor")
def choosing(
    runs: Runs = 5,
    offers: Annotated[int, typer.Option(min=100, help="Offers in each half of a run.")] = 5000,
) -> None:
    """Choosing an agent and offering the call with a full house: 1,000 agents, 200 queues, 2,000 waiting."""
    if not wait_for_quiet(cores.choose(Options.server_core), Options.patience):
        note("the machine is in use by others: figures will suffer")
    kept = results.load(Options.out)
    kept.floor = floors.measure(runs=runs, offers=offers)
    _finish(kept, "floor")


@app.command(name="pacing")
def deciding(
    runs: Runs = 5,
    decisions: Annotated[int, typer.Option(min=100, help="Decisions of each size in a run.")] = 5000,
) -> None:
    """How many calls a campaign starts now: predictive pacing with 200 and with 2,000 agents."""
    if not wait_for_quiet(cores.choose(Options.server_core), Options.patience):
        note("the machine is in use by others: figures will suffer")
    kept = results.load(Options.out)
    kept.pacing = pacings.measure(runs=runs, decisions=decisions)
    _finish(kept, "pacing")


@app.command()
def dialling(
    runs: Runs = 3,
    seconds: Seconds = 15.0,
    only: Annotated[str, typer.Option(help="unanswered or answered; both when left out.")] = "",
) -> None:
    """Contacts of a file to INVITEs at a SIPp carrier: attempts a second on one core, and the import of 100,000."""
    with stage() as here:
        found = diallings.measure(here, runs=runs, seconds=seconds, kinds=[only] if only else [*diallings.SHARES])
    kept = results.load(Options.out)
    kept.dialling = found
    _finish(kept, "dialling")


@app.command()
def registrar(runs: Runs = 3, seconds: Seconds = 10.0) -> None:
    """Phones that register (REGISTER, 401, REGISTER, 200): how many a second on one core."""
    with stage() as here:
        found = registrars.measure(here, runs=runs, seconds=seconds)
    kept = results.load(Options.out)
    kept.registrar = found
    _finish(kept, "registrar")


@app.command(name="gate")
def dropped(seconds: Annotated[float, typer.Option(min=0.5, help="Seconds of each flood.")] = 5.0) -> None:
    """Packets that the gate drops: processor time of each, in all and inside the gate. No server, a bare end point."""
    with stage():
        found = gates.measure(cores.choose(Options.server_core), seconds)
    kept = results.load(Options.out)
    kept.gate = found
    _finish(kept, "gate")


@app.command(name="dialler")
def dialler_figures(
    parts: Annotated[list[str] | None, typer.Argument(help=f"{', '.join(diallers.PARTS)}; usual: all.")] = None,
    runs: Runs = 3,
    seconds: Seconds = 15.0,
    docs: Annotated[bool, typer.Option(help="Write table and picture into docs/ too.")] = False,
) -> None:
    """All that the dialler must reach, with PASS or MISS: about a quarter of an hour. Exit status 1 for a MISS."""
    if unknown := sorted(set(parts or ()) - set(diallers.PARTS)):
        PROGRESS.print(f"there is no part {', '.join(unknown)}: {', '.join(diallers.PARTS)}", style="red", markup=False)
        raise typer.Exit(2)
    found = diallers.load(Options.out)
    with contextlib.ExitStack() as stack:
        for _ in diallers.measure(
            found, lambda: stack.enter_context(stage()), parts or diallers.PARTS, runs=runs, seconds=seconds
        ):
            found.save(Options.out)
    RESULT.print(dialler_report.printed(found))
    picture = Options.out / "dialler.png"
    if found.talk:
        dialler_report.draw(found, dialler_report.PICTURE if docs else picture)
    if docs:
        dialler_report.write_page(found)
    raise typer.Exit(int(not all(row.met for row in found.rows)))


@app.command()
def profile(
    rate: Annotated[float, typer.Option(help="Calls a second.")] = 100.0,
    seconds: Seconds = 10.0,
) -> None:
    """Where Tandem's processor time goes: by native object (perf, package linux-perf) and by layer (py-spy)."""
    with stage() as here:
        found = profiling.measure(here, rate=rate, seconds=seconds)
    kept = results.load(Options.out)
    kept.profile = found
    _finish(kept, "profile")
    for shares in (found.objects, found.layers, found.functions):
        RESULT.print(table.printed_shares(shares))


@app.command(name="all")
def everything(quick: Annotated[bool, typer.Option(help="A few minutes, for a first impression.")] = False) -> None:
    """All of the above, one after the other (half an hour to an hour; --quick: some minutes)."""
    if quick:
        calls(runs=1, seconds=5.0, precision=0.1)
        setup_times(runs=1, seconds=10.0)
        _sound(["rtpengine", "tandem"], 1, 3.0, 500)
        leaks(calls=1500)
        telling(runs=1, seconds=5.0)
        choosing(runs=1)
        deciding(runs=1)
        dialling(runs=1, seconds=5.0)
    else:
        calls()
        setup_times()
        _sound(["rtpengine", "tandem"], 1, 5.0, MOST_CALLS)
        leaks()
        telling()
        choosing()
        deciding()
        dialling()
        profile()


@app.command(name="table")
def show_table(
    docs: Annotated[bool, typer.Option(help="Write table and picture into docs/ too.")] = False,
) -> None:
    """Print what has been measured so far."""
    kept = results.load(Options.out)
    RESULT.print(table.printed(table.rows(kept)))
    if kept.media:
        RESULT.print(media_report.printed(kept.media))
    if docs:
        table.write_page(kept)
        plot.draw(kept, ROOT / "docs" / "img" / "bench.png")


def _finish(kept: results.Results, part: str) -> None:
    kept.machines[part] = this_machine()
    file = kept.save(Options.out)
    picture = Options.out / "bench.png"
    plot.draw(kept, picture)
    RESULT.print(table.printed(table.rows(kept)))
    PROGRESS.print(f"{file}, {picture}")


if __name__ == "__main__":
    app(prog_name="scripts/bench")
