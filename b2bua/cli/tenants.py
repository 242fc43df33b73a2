"""`tandem tenants`: customer systems, over the API."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, sheet, table

app = typer.Typer(help="Tenants: the customer systems whose callers we serve.", no_args_is_help=True)

COLUMNS = (
    "id", "name", "access_id", "trunks", "billing_numbers", "token_ttl=TTL s", "default_extension", "enabled", "record",
)  # fmt: skip

Id = Annotated[str, typer.Argument(help="The tenant's id.")]
Name = Annotated[str | None, typer.Option(help="Name for people.")]
AccessId = Annotated[str | None, typer.Option(help="Digits that mark its numbers; none may begin another tenant's.")]
Trunks = Annotated[list[str] | None, typer.Option("--trunk", help="A trunk its numbers may arrive on; repeatable.")]
Billing = Annotated[
    list[str] | None, typer.Option("--billing-number", help="A number its system calls under; repeatable.")
]
Ttl = Annotated[float | None, typer.Option(help="Seconds a token lives.")]
Extension = Annotated[str | None, typer.Option("--default-extension", help="The agent for tokens that name none.")]
Enabled = Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether its calls are served.")]
Record = Annotated[bool | None, typer.Option("--record/--no-record", help="Whether its calls are recorded.")]
Keep = Annotated[int | None, typer.Option("--keep-recordings", help="Days that they are kept; 0: for ever.")]
PullUrl = Annotated[str | None, typer.Option("--system-url", help="Where its own system answers (JSON or XML-RPC).")]
TimeoutMs = Annotated[int | None, typer.Option(help="Milliseconds its system has to answer.")]
SecretFile = Annotated[
    Path | None, typer.Option(help="File with the secret its system asks for; - reads standard input.")
]


class Kind(StrEnum):
    JSON = "json"
    XMLRPC = "xmlrpc"


class Mode(StrEnum):
    PUSH = "push"
    PULL = "pull"
    BOTH = "both"


KindOption = Annotated[Kind | None, typer.Option(help="How its system is spoken to.")]
ModeOption = Annotated[
    Mode | None, typer.Option(help="Where a call's data come from: tokens left here, its system, both.")
]


@app.command("list")
def list_(url: Url = "", json: Json = False) -> None:
    """All tenants."""
    with server(url) as api:
        answer = api.get("/v1/tenants")
    if json:
        as_json(answer)
    else:
        table(answer["tenants"], COLUMNS, "no tenants yet: tandem tenants add ID ...")


@app.command()
def show(id: Id, url: Url = "", json: Json = False) -> None:
    """One tenant, with how far its sequence numbers reach."""
    with server(url) as api:
        _show(api.get(_path(id)), json)


@app.command()
def add(
    id: Id,
    name: Name = None,
    access_id: AccessId = None,
    trunk: Trunks = None,
    billing_number: Billing = None,
    token_ttl: Ttl = None,
    default_extension: Extension = None,
    record: Record = None,
    keep_recordings: Keep = None,
    kind: KindOption = None,
    system_url: PullUrl = None,
    mode: ModeOption = None,
    timeout_ms: TimeoutMs = None,
    secret_file: SecretFile = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Add a tenant."""
    if access_id is None or not trunk or not billing_number:
        fail("a tenant needs --access-id, at least one --trunk and at least one --billing-number")
    body = _fields(name or id, access_id, trunk, billing_number, token_ttl, default_extension, None)
    body |= _recording(record, keep_recordings)
    if connection := _connection(kind, system_url, mode, timeout_ms, secret_file):
        body["connection"] = connection
    with server(url) as api:
        _show(api.post("/v1/tenants", {"id": id, **body}), json)


@app.command()
def change(
    id: Id,
    name: Name = None,
    access_id: AccessId = None,
    trunk: Trunks = None,
    billing_number: Billing = None,
    token_ttl: Ttl = None,
    default_extension: Extension = None,
    enabled: Enabled = None,
    record: Record = None,
    keep_recordings: Keep = None,
    kind: KindOption = None,
    system_url: PullUrl = None,
    mode: ModeOption = None,
    timeout_ms: TimeoutMs = None,
    secret_file: SecretFile = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Change what is given; the rest stays. Lists are replaced as a whole."""
    body = _fields(name, access_id, trunk, billing_number, token_ttl, default_extension, enabled)
    body |= _recording(record, keep_recordings)
    if connection := _connection(kind, system_url, mode, timeout_ms, secret_file):
        body["connection"] = connection
    if not body:
        fail("nothing to change: give at least one option")
    with server(url) as api:
        _show(api.patch(_path(id), body), json)


@app.command()
def remove(id: Id, url: Url = "") -> None:
    """Remove a tenant, its tokens and its API keys."""
    with server(url) as api:
        api.delete(_path(id))
    typer.echo(f"tenant {id} is removed")


def _path(id: str) -> str:
    return f"/v1/tenants/{quote(id, safe='')}"


def _fields(
    name: str | None,
    access_id: str | None,
    trunks: list[str] | None,
    billing_numbers: list[str] | None,
    token_ttl: float | None,
    default_extension: str | None,
    enabled: bool | None,
) -> dict[str, Any]:
    fields = {
        "name": name,
        "access_id": access_id,
        "trunks": trunks or None,
        "billing_numbers": billing_numbers or None,
        "token_ttl": token_ttl,
        "default_extension": default_extension,
        "enabled": enabled,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _recording(record: bool | None, keep: int | None) -> dict[str, Any]:
    fields = {"record": record, "keep_recordings": keep}
    return {key: value for key, value in fields.items() if value is not None}


def _connection(
    kind: Kind | None, url: str | None, mode: Mode | None, timeout_ms: int | None, secret_file: Path | None
) -> dict[str, Any]:
    fields = {
        "kind": kind.value if kind else None,
        "url": url,
        "mode": mode.value if mode else None,
        "timeout_ms": timeout_ms,
        "secret": _secret(secret_file) if secret_file else None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _secret(file: Path) -> str:
    try:
        return (sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read the secret from {file}: {error}")


def _show(tenant: dict[str, Any], json: bool) -> None:
    if json:
        as_json(tenant)
        return
    reach = tenant.pop("capacity", [])
    sheet(tenant)
    if reach:
        table(reach, ("trunk", "digits", "numbers", "ttl=TTL s", "per_second"), "")
