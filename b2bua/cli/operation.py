"""`tandem drain`, `undrain`, `reload` and `outside`: a running node as a whole, over the API."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, table, text


def add_to(app: typer.Typer) -> None:
    """The commands that have no group."""
    app.command()(drain)
    app.command()(undrain)
    app.command()(reload)
    app.command()(outside)


def drain(
    end_after: Annotated[
        float | None, typer.Option(help="Seconds after which calls that are left are ended; without it: never.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Only say whether the node is drained.")] = False,
    url: Url = "",
    json: Json = False,
) -> None:
    """Take no new calls (503 with Retry-After, OPTIONS too); those that live go on. Emergency calls pass."""
    with server(url) as api:
        found = api.get("/v1/drain") if show else api.put("/v1/drain", {"end_after": end_after})
    _tell(found, json)


def undrain(url: Url = "", json: Json = False) -> None:
    """Take new calls again."""
    with server(url) as api:
        found = api.delete("/v1/drain")
    _tell(found, json)


def reload(url: Url = "", json: Json = False) -> None:
    """Read the configuration again while calls go on; with mistakes in it everything stays as it was."""
    with server(url) as api:
        found = api.post("/v1/reload", {})
    if json:
        as_json(found)
        return
    for key in found["applied"]:
        typer.echo(f"in force: {key}")
    for key in found["waiting"]:
        typer.echo(f"needs a restart: {key}")
    if not found["applied"] and not found["waiting"]:
        typer.echo("nothing has changed")


def outside(url: Url = "", json: Json = False) -> None:
    """What calls to numbers have come to today, for each policy that counts."""
    with server(url) as api:
        found = api.get("/v1/outside")
    if json:
        as_json(found)
    else:
        table(found["counts"], ("policy", "key=of", "calls=calls now", "minutes", "cost"), "nothing is counted")


def _tell(found: Mapping[str, Any], json: bool) -> None:
    if json:
        as_json(found)
        return
    calls = f"{found['calls']} calls live"
    if not found["draining"]:
        typer.echo(f"new calls are taken; {calls}")
        return
    until = f", ended at {text('ends_at', found['ends_at'])} at the latest" if found["ends_at"] else ""
    typer.echo(f"no new calls are taken; {calls}{until}")
