"""`tandem calls`: live calls, over the API."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, sheet, table

app = typer.Typer(help="Live calls.", no_args_is_help=True)

COLUMNS = ("id", "state", "since", "trunk", "caller", "called", "tenant", "extension")

CallId = Annotated[str, typer.Argument(help="The call's id.")]
PARTY = "An agent's extension, or NUMBER@TRUNK."


@app.command("list")
def list_(
    tenant: Annotated[str | None, typer.Option(help="Only calls of this tenant.")] = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Calls that live now, oldest first."""
    with server(url) as api:
        answer = api.get("/v1/calls", tenant=tenant)
    if json:
        as_json(answer)
        return
    table(answer["calls"], COLUMNS, "no calls")
    if answer["total"] > len(answer["calls"]):
        typer.echo(f"{len(answer['calls'])} of {answer['total']} calls")


@app.command()
def show(call: CallId, url: Url = "", json: Json = False) -> None:
    """One live call, with its business data."""
    with server(url) as api:
        found = api.get(_path(call))
    if json:
        as_json(found)
    else:
        sheet(found)


@app.command()
def hangup(call: CallId, url: Url = "") -> None:
    """End a call on both sides."""
    with server(url) as api:
        api.delete(_path(call))
    typer.echo(f"call {call} is being ended")


@app.command()
def transfer(
    call: CallId,
    kind: Annotated[str, typer.Argument(help="agent, person, queue, vdn, menu, voicemail or number.")],
    target: Annotated[str, typer.Argument(help="Extension, id, VDN or digits to dial.")],
    url: Url = "",
) -> None:
    """Send a call elsewhere from where it is."""
    with server(url) as api:
        api.post(f"{_path(call)}/transfer", {"kind": kind, "target": target})
    typer.echo(f"call {call} goes to {kind} {target}")


@app.command()
def park(
    call: CallId,
    slot: Annotated[str, typer.Argument(help="Number of a parking slot; without it the first that is free.")] = "",
    url: Url = "",
) -> None:
    """Let a call wait at a parking slot."""
    with server(url) as api:
        answer = api.post(f"{_path(call)}/park", {"slot": slot})
    typer.echo(f"call {call} is parked at {answer['slot']}")


@app.command()
def parked(url: Url = "", json: Json = False) -> None:
    """Calls that are parked, by slot."""
    with server(url) as api:
        answer = api.get("/v1/parked")
    if json:
        as_json(answer)
    else:
        table(answer["parked"], ("slot", "call", "by", "since", "caller", "tenant"), "nobody is parked")


@app.command()
def start(
    first: Annotated[str, typer.Argument(help=f"Who is called first. {PARTY}")],
    second: Annotated[str, typer.Argument(help=f"Who is called once the first has answered. {PARTY}")],
    tenant: Annotated[str | None, typer.Option(help="Whose call it is, for its record.")] = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Call two parties and connect them."""
    body: dict[str, Any] = {"a": _party(first), "b": _party(second)}
    if tenant is not None:
        body["tenant"] = tenant
    with server(url) as api:
        started = api.post("/v1/calls", body)
    if json:
        as_json(started)
    else:
        typer.echo(started["id"])


def _path(call: str) -> str:
    return f"/v1/calls/{quote(call, safe='')}"


def _party(word: str) -> dict[str, str]:
    number, at, trunk = word.partition("@")
    if not at:
        return {"agent": word}
    if not number or not trunk:
        fail(f'"{word}" is neither an extension nor NUMBER@TRUNK')
    return {"number": number, "trunk": trunk}
