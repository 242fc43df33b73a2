"""`tandem bans`: addresses that the gate gives no answer, over the API."""

from typing import Annotated
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, table

app = typer.Typer(help="Banned addresses: list, add, lift.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="An IPv4 or IPv6 address.")]


@app.command("list")
def list_(url: Url = "", json: Json = False) -> None:
    """Who is banned, why, and how many seconds yet."""
    with server(url) as api:
        answer = api.get("/v1/bans")
    if json:
        as_json(answer)
        return
    rows = [{**ban, "by": "gate" if ban["automatic"] else "hand", "left": round(ban["left"])} for ban in answer["bans"]]
    table(rows, ("address", "reason", "by", "since", "left=seconds left", "dropped"), "nobody is banned")


@app.command()
def add(
    address: Address,
    seconds: Annotated[float, typer.Option(help="How long it lasts.")] = 3600,
    reason: Annotated[str, typer.Option(help="For the list.")] = "by hand",
    url: Url = "",
    json: Json = False,
) -> None:
    """Give an address no answer for a while; trunks and offices cannot be banned."""
    with server(url) as api:
        found = api.post("/v1/bans", {"address": address, "seconds": seconds, "reason": reason})
    if json:
        as_json(found)
    else:
        typer.echo(f"{found['address']} is banned for {round(found['left'])} seconds")


@app.command()
def lift(address: Address, url: Url = "") -> None:
    """Answer it again, at once."""
    with server(url) as api:
        api.delete(f"/v1/bans/{quote(address, safe='')}")
    typer.echo(f"{address} is no longer banned")
