"""`tandem routes`: named destinations for calls that no token directs, over the API."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, sheet, table

app = typer.Typer(help="Routes: named destinations for calls that no token directs.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The route's name.")]
Extension = Annotated[str, typer.Argument(help="Extension of the agent it leads to.")]


@app.command("list")
def list_(url: Url = "", json: Json = False) -> None:
    """All routes."""
    with server(url) as api:
        answer = api.get("/v1/routes")
    if json:
        as_json(answer)
    else:
        table(answer["routes"], ("name", "extension"), "no routes yet: tandem routes add NAME EXTENSION")


@app.command()
def show(name: Name, url: Url = "", json: Json = False) -> None:
    """One route."""
    with server(url) as api:
        _show(api.get(_path(name)), json)


@app.command()
def add(name: Name, extension: Extension, url: Url = "", json: Json = False) -> None:
    """Add a route."""
    with server(url) as api:
        _show(api.post("/v1/routes", {"name": name, "extension": extension}), json)


@app.command()
def change(name: Name, extension: Extension, url: Url = "", json: Json = False) -> None:
    """Let a route lead to another agent; calls after this take it."""
    with server(url) as api:
        _show(api.put(_path(name), {"extension": extension}), json)


@app.command()
def remove(name: Name, url: Url = "") -> None:
    """Remove a route that nothing names any more."""
    with server(url) as api:
        api.delete(_path(name))
    typer.echo(f"route {name} is removed")


def _path(name: str) -> str:
    return f"/v1/routes/{quote(name, safe='')}"


def _show(route: dict[str, Any], json: bool) -> None:
    if json:
        as_json(route)
    else:
        sheet(route)
