"""`tandem trunks`: which are there, what they carry, and maintenance, over the API."""

from typing import Annotated
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, sheet, table

app = typer.Typer(help="Trunks: their state, what they carry, maintenance.", no_args_is_help=True)

COLUMNS = ("name", "state", "maintenance", "calls_in", "calls_out", "minutes_today", "registered", "addresses")

Name = Annotated[str, typer.Argument(help="The trunk's name.")]


@app.command("list")
def list_(url: Url = "", json: Json = False) -> None:
    """All trunks with their state."""
    with server(url) as api:
        answer = api.get("/v1/trunks")
    if json:
        as_json(answer)
        return
    rows = [
        {
            **trunk,
            "maintenance": "on" if trunk["maintenance"] else "",
            "addresses": ", ".join(f"{far['address']} {far['state']}" for far in trunk["far_ends"]),
        }
        for trunk in answer["trunks"]
    ]
    table(rows, COLUMNS, "no trunks: the configuration file has them")


@app.command()
def show(name: Name, url: Url = "", json: Json = False) -> None:
    """One trunk."""
    with server(url) as api:
        trunk = api.get(_path(name))
    if json:
        as_json(trunk)
        return
    far_ends = trunk.pop("far_ends")
    sheet(trunk)
    if far_ends:
        table(far_ends, ("address", "state", "losses", "priority", "weight", "left_alone"), "")


@app.command()
def maintenance(
    name: Name, switch: Annotated[str, typer.Argument(help="on: no new calls, running ones stay; off: as usual.")],
    url: Url = "",
) -> None:  # fmt: skip
    """Take a trunk out of service, or back into it."""
    if switch not in ("on", "off"):
        fail(f'"{switch}" is neither on nor off')
    with server(url) as api:
        api.post(f"{_path(name)}/maintenance", {"on": switch == "on"})
    typer.echo(f"trunk {name} {'gets no new calls' if switch == 'on' else 'gets calls as usual'} now")


def _path(name: str) -> str:
    return f"/v1/trunks/{quote(name, safe='')}"
