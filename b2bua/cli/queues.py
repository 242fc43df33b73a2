"""`tandem queues`: who waits where and why, over the API."""

from typing import Annotated
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, table

app = typer.Typer(help="Callers who wait in queues.", no_args_is_help=True)

COLUMNS = ("position", "call", "waited", "estimate", "priority", "area", "number", "tenant", "offered")

CallId = Annotated[str, typer.Argument(help="The call's id.")]


@app.command()
def waiting(queue: Annotated[str, typer.Argument(help="The queue's id.")], url: Url = "", json: Json = False) -> None:
    """Callers of a queue, the next one first."""
    with server(url) as api:
        answer = api.get(f"/v1/queues/{quote(queue, safe='')}/waiting")
    if json:
        as_json(answer)
    else:
        table(answer["waiting"], COLUMNS, "nobody waits")


@app.command()
def explain(call: CallId, url: Url = "", json: Json = False) -> None:
    """Why a waiting caller is where he is, and who comes before him."""
    with server(url) as api:
        answer = api.get(f"/v1/calls/{quote(call, safe='')}/explanation")
    if json:
        as_json(answer)
        return
    typer.echo(answer["text"])
    if answer["before"]:
        table(answer["before"], ("call", "queue", "priority", "waited", "why"), "")


@app.command()
def priority(
    call: CallId,
    name: Annotated[str, typer.Argument(help='The priority class; "none" takes him out of any.')],
    url: Url = "",
) -> None:
    """Put a waiting caller into another priority class, at once."""
    with server(url) as api:
        api.post(f"/v1/calls/{quote(call, safe='')}/priority", {"priority": None if name == "none" else name})
    typer.echo(f"call {call} is in {'no class' if name == 'none' else f'class {name}'} now")
