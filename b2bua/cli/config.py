"""`tandem serve` and `tandem check-config`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from b2bua.cli.output import fail, say, table
from b2bua.settings import Settings, SettingsError, advice, find, load, shown
from routing.digits import capacity

TTL = 300.0
"Seconds; what the capacity of a trunk's digits is shown against. Each tenant's own TTL is in `tandem tenants show`."

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="TOML file; without it TANDEM_CONFIG, ./tandem.toml, /etc/tandem/tandem.toml."),
]


def settings_or_exit(file: Path | None) -> Settings:
    """The configuration, or all its mistakes on standard error and exit status 1."""
    try:
        return load(find(file))
    except SettingsError as error:
        count = len(error.mistakes)
        fail(*map(str, error.mistakes), f"{count} mistake{'s' if count > 1 else ''}")


def add_to(app: typer.Typer, run: Callable[[Settings], None]) -> None:
    """The two commands that have no group."""

    @app.command()
    def serve(config: Config = None) -> None:
        """Run the server until SIGTERM or Ctrl-C."""
        run(settings_or_exit(config))

    @app.command()
    def check_config(
        config: Config = None,
        show: Annotated[bool, typer.Option("--show", help="Print the configuration in force, secrets masked.")] = False,
    ) -> None:
        """Check the configuration; all mistakes are told at once."""
        settings = settings_or_exit(config)
        if show:
            typer.echo(shown(settings))
            return
        say(f"{settings.file or 'embedded defaults'}: no mistakes")
        for key, what in advice(settings):
            say(f"note: {key}: {what}")
        table(trunk_rows(settings), ("trunk", "digits", "of", "numbers=sequence numbers", "rate"), "no trunks")


def trunk_rows(settings: Settings) -> list[dict[str, str]]:
    """How far each trunk's sequence numbers reach (R1-04)."""
    rows = []
    for name, profile in settings.profiles().items():
        plan = profile.plan
        reach = capacity(plan, TTL)
        width = plan.access_id_width
        digits = str(plan.fixed_width + width) if width else f"{plan.fixed_width} + access ID"
        rows.append(
            {
                "trunk": name,
                "digits": digits,
                "of": str(plan.max_digits),
                "numbers": f"{reach.numbers:,}",
                "rate": f"{reach.per_second:,.1f} a second, if each is kept {TTL:.0f} s",
            }
        )
    return rows
