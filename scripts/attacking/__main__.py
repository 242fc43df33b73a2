"""The commands of scripts/attack."""

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benching.cores import Cores, choose
from benching.machine import ROOT

from . import broken_sound, cases, floods, fuzzed, overload
from .verdict import Verdict, markdown, show

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Attacks a Tandem of its own on loopback and prints what held. The server runs on one core, attacker and good"
    " callers on another. Ends with status 1 where a promise did not hold.",
)

OUT = ROOT / "build" / "attack"
INJECTION = ("tests/e2e/test_sound_source.py",)
FRAUD = tuple(f"tests/e2e/test_{name}.py" for name in ("phones", "phones_dial", "policies", "refer", "trunk_accounts"))
FRAUDULENT = (
    "without_the_password or outside or may_not_ask or dead_phone or carrier_may or somebody_else or redirection or"
    " only_our_carrier"
)
"Cases of FRAUD in which somebody tries what he may not."
NOMINAL, FLOOD, TIMES = 200.0, 4000.0, 20

Nominal = Annotated[float, typer.Option(help="Good calls a second that the server serves without trouble.")]
Rate = Annotated[float, typer.Option(help="Requests a second of a flood: ten times what the server can serve.")]
Seconds = Annotated[float, typer.Option(min=5, help="Seconds of each flood.")]
Count = Annotated[int, typer.Option(min=1000, help="Mutated messages.")]
Times = Annotated[int, typer.Option(min=1, help="With --rtp: how many times as long as in the tests.")]
Seed = Annotated[int | None, typer.Option(help="Of the fuzzer; drawn and printed when left out.")]


def _attack(*attacks: Callable[[Path, Cores], Sequence[Verdict]], name: str) -> None:
    cores = choose()
    cores.pin_generator()
    with tempfile.TemporaryDirectory(prefix="tandem-attack-") as folder:
        verdicts = [verdict for attack in attacks for verdict in attack(Path(folder), cores)]
    show(verdicts)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.md").write_text(markdown(verdicts), encoding="utf-8")
    if not all(verdict.holds for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def flood(rate: Rate = FLOOD, seconds: Seconds = 15.0) -> None:
    """One address floods INVITE, REGISTER and OPTIONS; the known trunk calls beside it."""
    _attack(lambda folder, cores: floods.measure(folder, cores, rate=rate, seconds=seconds), name="flood")


@app.command("overload")
def overloaded(
    nominal: Nominal = NOMINAL,
    seconds: Seconds = 10.0,
) -> None:
    """Ten times more good calls than can be served."""
    _attack(lambda folder, cores: overload.measure(folder, cores, nominal=nominal, seconds=seconds), name="overload")


@app.command()
def fuzz(
    count: Count = 1_000_000,
    seed: Seed = None,
    rtp: Annotated[bool, typer.Option("--rtp", help="Sound instead of messages, under the address sanitizer.")] = False,
    times: Times = TIMES,
) -> None:
    """Mutated messages by the trunk, or broken RTP and RTCP by anybody; nothing may crash or fall silent."""
    if rtp:
        _attack(lambda folder, cores: broken_sound.measure(times), name="fuzz-rtp")
    else:
        _attack(lambda folder, cores: _fuzz(folder, cores, count, seed), name="fuzz")


@app.command()
def inject() -> None:
    """Sound from the wrong source, and sound that is asked for by the wrong one."""
    _attack(lambda folder, cores: cases.run("injection", INJECTION), name="inject")


@app.command()
def fraud() -> None:
    """Calls at somebody else's cost: without a password, by transfer, by redirection, past the policies."""
    _attack(lambda folder, cores: cases.run("fraud", FRAUD, FRAUDULENT), name="fraud")


@app.command("all")
def everything(rate: Rate = FLOOD, nominal: Nominal = NOMINAL, count: Count = 1_000_000, seed: Seed = None) -> None:
    """All of them, one after the other, in one table."""
    _attack(
        lambda folder, cores: floods.measure(folder, cores, rate=rate, seconds=15.0),
        lambda folder, cores: overload.measure(folder, cores, nominal=nominal, seconds=10.0),
        lambda folder, cores: _fuzz(folder, cores, count, seed),
        lambda folder, cores: broken_sound.measure(TIMES),
        lambda folder, cores: cases.run("injection", INJECTION),
        lambda folder, cores: cases.run("fraud", FRAUD, FRAUDULENT),
        name="all",
    )


def _fuzz(folder: Path, cores: Cores, count: int, seed: int | None) -> list[Verdict]:
    return fuzzed.measure(folder, cores, count=count, seed=random.randrange(10**6) if seed is None else seed)


if __name__ == "__main__":
    app()
