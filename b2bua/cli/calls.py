"""`tandem calls`: live calls, over the API."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, sheet, table

app = typer.Typer(help="Live calls.", no_args_is_help=True)

COLUMNS = ("id", "state", "since", "trunk", "caller", "called", "tenant", "extension", "path")

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


@app.command()
def consult(
    call: CallId,
    agent: Annotated[str, typer.Argument(help="Extension of the colleague who is asked.")] = "",
    join: Annotated[bool, typer.Option("--join", help="All three talk.")] = False,
    complete: Annotated[bool, typer.Option("--complete", help="The caller stays with the colleague.")] = False,
    back: Annotated[bool, typer.Option("--back", help="The agent goes on with his caller alone.")] = False,
    url: Url = "",
) -> None:
    """Let the agent of a call ask a colleague while his caller waits; then one of the options."""
    if [bool(agent), join, complete, back].count(True) != 1:
        fail("give either a colleague's extension, --join, --complete or --back")
    path = f"{_path(call)}/consult"
    with server(url) as api:
        if agent:
            api.post(path, {"agent": agent})
        elif back:
            api.delete(path)
        else:
            api.patch(path, {"state": "joined" if join else "completed"})
    done = f"agent {agent} is asked" if agent else "joined" if join else "completed" if complete else "back"
    typer.echo(f"call {call}: {done}")


@app.command()
def monitor(
    call: CallId,
    supervisor: Annotated[str, typer.Argument(help="Extension of the supervisor; without it: who listens now.")] = "",
    mode: Annotated[str, typer.Option(help="listen, whisper or barge; of one who listens already, from now on.")] = "",
    agent: Annotated[str, typer.Option(help="Whom he would whisper to; without it, who serves the caller.")] = "",
    end: Annotated[bool, typer.Option("--end", help="He leaves; the others talk on.")] = False,
    url: Url = "",
    json: Json = False,
) -> None:
    """Let a supervisor listen to a call, whisper to its agent, barge in, or leave."""
    path = f"{_path(call)}/monitor"
    with server(url) as api:
        if supervisor and end:
            api.delete(f"{path}?supervisor={quote(supervisor, safe='')}")
            typer.echo(f"supervisor {supervisor} leaves call {call}")
            return
        listening = api.get(path)
        if not supervisor:
            if json:
                as_json(listening)
            else:
                table(listening["monitors"], ("supervisor", "agent", "mode", "by", "since"), "nobody listens")
        elif any(one["supervisor"] == supervisor for one in listening["monitors"]):
            wanted = {"supervisor": supervisor, "mode": mode or "listen"}
            api.patch(path, wanted)
            typer.echo(f"supervisor {supervisor} in call {call}: {wanted['mode']}")
        else:
            wanted = {"supervisor": supervisor, "mode": mode or "listen"} | ({"agent": agent} if agent else {})
            answer = api.post(path, wanted)
            typer.echo(f"supervisor {supervisor} is rung for call {call}, agent {answer['agent']}: {answer['mode']}")


def _path(call: str) -> str:
    return f"/v1/calls/{quote(call, safe='')}"


def _party(word: str) -> dict[str, str]:
    number, at, trunk = word.partition("@")
    if not at:
        return {"agent": word}
    if not number or not trunk:
        fail(f'"{word}" is neither an extension nor NUMBER@TRUNK')
    return {"number": number, "trunk": trunk}
