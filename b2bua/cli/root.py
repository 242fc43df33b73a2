"""The tree of commands."""

from collections.abc import Callable

import typer

from b2bua.cli import (
    access_numbers,
    agents,
    api_keys,
    bans,
    calls,
    campaigns,
    cdrs,
    config,
    database,
    do_not_call,
    events,
    operation,
    phones,
    plan,
    queues,
    recordings,
    reports,
    routes,
    tenants,
    tokens,
    trace,
    trunks,
)
from b2bua.settings import Settings

_ABOUT = """A session border controller for call centres: a trunk call finds its caller's data and reaches the agent.

Commands that speak with a server need an API key in TANDEM_API_TOKEN ("tandem api-key create" makes one).
"""


def make_app(serve: Callable[[Settings], None]) -> typer.Typer:
    """All commands; `serve` runs the server until it is told to stop."""
    app = typer.Typer(
        name="tandem", help=_ABOUT, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    config.add_to(app, serve)
    app.command("import")(plan.import_)
    app.command()(plan.export)
    app.command()(trace.trace)
    operation.add_to(app)
    for name, group in (
        ("db", database.app),
        ("api-key", api_keys.app),
        ("tenants", tenants.app),
        ("access-numbers", access_numbers.app),
        ("agents", agents.app),
        ("phones", phones.app),
        ("routes", routes.app),
        ("plan", plan.app),
        ("queues", queues.app),
        ("trunks", trunks.app),
        ("bans", bans.app),
        ("tokens", tokens.app),
        ("calls", calls.app),
        ("cdrs", cdrs.app),
        ("recordings", recordings.app),
        ("events", events.app),
        ("campaign", campaigns.app),
        ("do-not-call", do_not_call.app),
        ("report", reports.app),
    ):
        app.add_typer(group, name=name)
    return app


def main(serve: Callable[[Settings], None]) -> None:
    """Run the command of this process and exit."""
    make_app(serve)(prog_name="tandem")
