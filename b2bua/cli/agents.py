"""`tandem agents`: who takes calls, over the API."""

import sys
from typing import Annotated, Any
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, sheet, table

app = typer.Typer(help="Agents: who takes calls, each at the contact of a phone.", no_args_is_help=True)

COLUMNS = ("extension", "name", "contact", "listener", "password", "srtp", "enabled")

STATES = ("extension", "state", "since", "reason", "queue", "call")

Extension = Annotated[str, typer.Argument(help="The agent's extension.")]
Name = Annotated[str | None, typer.Option(help="Name for people.")]
Contact = Annotated[str | None, typer.Option(help="SIP URI of the phone, for example sip:8001@192.0.2.10:5060.")]
ListenerName = Annotated[str | None, typer.Option(help="The inside listener that reaches the phone.")]
PasswordStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the phone's password from standard input; it can then register."),
]
NoPassword = Annotated[bool, typer.Option("--no-password", help="The phone cannot register any more.")]
Srtp = Annotated[
    str | None,
    typer.Option(help="Encrypted sound of the phone: off, optional, required, or `listener`, as its listener has it."),
]
SrtpKeys = Annotated[str | None, typer.Option(help="How its keys are agreed on, best first: `dtls`, `sdes,dtls` ...")]
Enabled = Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether calls are offered.")]


@app.command("list")
def list_(url: Url = "", json: Json = False) -> None:
    """All agents."""
    with server(url) as api:
        answer = api.get("/v1/agents")
    if json:
        as_json(answer)
    else:
        table(answer["agents"], COLUMNS, "no agents yet: tandem agents add EXTENSION --contact URI")


@app.command()
def show(extension: Extension, url: Url = "", json: Json = False) -> None:
    """One agent."""
    with server(url) as api:
        _show(api.get(_path(extension)), json)


@app.command()
def add(
    extension: Extension,
    contact: Contact = None,
    name: Name = None,
    listener: ListenerName = None,
    password_stdin: PasswordStdin = False,
    srtp: Srtp = None,
    srtp_keys: SrtpKeys = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Add an agent: at the contact of his phone, or with a password, for a phone that registers."""
    if contact is None and not password_stdin:
        fail("an agent needs --contact, or --password-stdin")
    where = listener or ("inside" if contact else "")
    body = {"extension": extension, "name": name or extension, "contact": contact or "", "listener": where}
    body |= _encryption(srtp, srtp_keys)
    if password_stdin:
        body["password"] = _password()
    with server(url) as api:
        _show(api.post("/v1/agents", body), json)


@app.command()
def change(
    extension: Extension,
    contact: Contact = None,
    name: Name = None,
    listener: ListenerName = None,
    enabled: Enabled = None,
    password_stdin: PasswordStdin = False,
    no_password: NoPassword = False,
    srtp: Srtp = None,
    srtp_keys: SrtpKeys = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Change what is given; the rest stays. `--contact ""`: from now on where his phone registers."""
    fields = {"contact": contact, "name": name, "listener": listener, "enabled": enabled}
    body: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    body |= _encryption(srtp, srtp_keys)
    if password_stdin or no_password:
        body["password"] = _password() if password_stdin else None
    if not body:
        fail("nothing to change: give at least one option")
    with server(url) as api:
        _show(api.patch(_path(extension), body), json)


@app.command()
def remove(extension: Extension, url: Url = "") -> None:
    """Remove an agent that nothing names any more."""
    with server(url) as api:
        api.delete(_path(extension))
    typer.echo(f"agent {extension} is removed")


@app.command()
def states(url: Url = "", json: Json = False) -> None:
    """What all agents are doing."""
    with server(url) as api:
        answer = api.get("/v1/agent-states")
    if json:
        as_json(answer)
    else:
        table(answer["agents"], STATES, "no agents yet: tandem agents add EXTENSION --contact URI")


@app.command()
def login(extension: Extension, url: Url = "", json: Json = False) -> None:
    """Let him take calls."""
    _state(extension, "login", None, url, json)


@app.command()
def logout(extension: Extension, url: Url = "", json: Json = False) -> None:
    """Let him take no more calls; one that he has goes on to its end."""
    _state(extension, "logout", None, url, json)


@app.command()
def pause(
    extension: Extension,
    reason: Annotated[str, typer.Option(help="Why, for the wallboard and the reports.")] = "pause",
    url: Url = "",
    json: Json = False,
) -> None:
    """Offer him nothing until he resumes."""
    _state(extension, "pause", {"reason": reason}, url, json)


@app.command()
def resume(extension: Extension, url: Url = "", json: Json = False) -> None:
    """End his pause."""
    _state(extension, "resume", None, url, json)


def _state(extension: str, change: str, body: dict[str, Any] | None, url: str, json: bool) -> None:
    with server(url) as api:
        _show(api.post(f"{_path(extension)}/{change}", body), json)


def _encryption(srtp: str | None, keys: str | None) -> dict[str, Any]:
    """The fields that these options set."""
    body: dict[str, Any] = {}
    if srtp is not None:
        body["srtp"] = None if srtp == "listener" else srtp
    if keys is not None:
        body["srtp_keys"] = [key.strip() for key in keys.split(",") if key.strip()]
    return body


def _password() -> str:
    """One line; never an argument, which other users of the machine could read."""
    if sys.stdin.isatty():
        return str(typer.prompt("password", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _path(extension: str) -> str:
    return f"/v1/agents/{quote(extension, safe='')}"


def _show(agent: dict[str, Any], json: bool) -> None:
    if json:
        as_json(agent)
    else:
        sheet(agent)
