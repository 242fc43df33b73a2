"""`tandem phones`: where agents' phones have registered, over the API."""

import time
from typing import Annotated
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, table

app = typer.Typer(help="Registered phones of agents (docs/phones.md).", no_args_is_help=True)

COLUMNS = ("extension", "contact", "source", "transport", "seconds", "reachable", "user_agent")


@app.command("list")
def list_(
    extension: Annotated[str | None, typer.Argument(help="Only this extension's.")] = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Phones that are registered; `seconds`: for how long from now."""
    with server(url) as api:
        answer = api.get("/v1/registrations" + (f"?extension={quote(extension, safe='')}" if extension else ""))
    if json:
        as_json(answer)
        return
    now = time.time()
    rows = [{**one, "seconds": round(one["expires_at"] - now)} for one in answer["registrations"]]
    table(rows, COLUMNS, "no phone is registered")


@app.command()
def drop(
    extension: Annotated[str, typer.Argument(help="The agent's extension.")],
    contact: Annotated[str | None, typer.Option(help="Only the phone with this contact.")] = None,
    url: Url = "",
) -> None:
    """Forget phones. One that still has the password registers again: change that first to keep it out."""
    query = f"?contact={quote(contact, safe='')}" if contact else ""
    with server(url) as api:
        answer = api.delete(f"/v1/registrations/{quote(extension, safe='')}{query}")
    typer.echo(f"{(answer or {}).get('dropped', 0)} of {extension}'s phones are forgotten")
