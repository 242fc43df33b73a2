"""`tandem access-numbers`: what each called number expects of its calls, over the API."""

from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, sheet, table

app = typer.Typer(help="Access numbers: what each called number expects of its calls.", no_args_is_help=True)

COLUMNS = ("key", "correlation", "default_tenant", "entry", "default_route", "trunks")


class Correlation(StrEnum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


Key = Annotated[str, typer.Argument(help="As `tandem access-numbers list` shows it: FIRST, or FIRST-LAST.")]
CorrelationOption = Annotated[
    Correlation | None, typer.Option(help="Whether its calls must bring a token: required, optional, off.")
]
Tenant = Annotated[str | None, typer.Option("--default-tenant", help="The tenant of calls that bring no token.")]
Target = Annotated[
    str | None,
    typer.Option(
        "--to", "--agent", help='Where its calls lead when no token says: an extension, or "queue repairs", "vdn 3" ...'
    ),
]
RouteName = Annotated[str | None, typer.Option("--default-route", help="Route for calls whose caller's data fail.")]
Trunks = Annotated[list[str] | None, typer.Option("--trunk", help="Only on this trunk; repeatable. Without: any.")]


@app.command("list")
def list_(url: Url = "", json: Json = False) -> None:
    """All access numbers."""
    with server(url) as api:
        answer = api.get("/v1/access-numbers")
    if json:
        as_json(answer)
        return
    rows = [{**row, "entry": _entry(row.get("entry"))} for row in answer["access_numbers"]]
    table(rows, COLUMNS, "no access numbers yet: tandem access-numbers add NUMBER")


@app.command()
def show(key: Key, url: Url = "", json: Json = False) -> None:
    """One access number."""
    with server(url) as api:
        _show(api.get(_path(key)), json)


@app.command()
def add(
    first: Annotated[str, typer.Argument(help="The called number, or the first of a range.")],
    last: Annotated[str | None, typer.Argument(help="The last number of the range, of the same length.")] = None,
    correlation: CorrelationOption = None,
    default_tenant: Tenant = None,
    to: Target = None,
    default_route: RouteName = None,
    trunk: Trunks = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Add a called number, or a range of numbers."""
    body = {"first": first, "last": last} | _fields(correlation, default_tenant, to, default_route, trunk)
    with server(url) as api:
        _show(api.post("/v1/access-numbers", {key: value for key, value in body.items() if value is not None}), json)


@app.command()
def change(
    key: Key,
    correlation: CorrelationOption = None,
    default_tenant: Tenant = None,
    to: Target = None,
    default_route: RouteName = None,
    trunk: Trunks = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Change what is given; the rest stays."""
    body = _fields(correlation, default_tenant, to, default_route, trunk)
    if not body:
        fail("nothing to change: give at least one option")
    with server(url) as api:
        _show(api.patch(_path(key), body), json)


@app.command()
def remove(key: Key, url: Url = "") -> None:
    """Remove it; calls to it are refused from then on."""
    with server(url) as api:
        api.delete(_path(key))
    typer.echo(f"access number {key} is removed")


def _path(key: str) -> str:
    return f"/v1/access-numbers/{quote(key, safe='')}"


def _fields(
    correlation: Correlation | None,
    default_tenant: str | None,
    to: str | None,
    default_route: str | None,
    trunks: list[str] | None,
) -> dict[str, Any]:
    fields = {
        "correlation": correlation.value if correlation else None,
        "default_tenant": default_tenant,
        "entry": _goal(to),
        "default_route": default_route,
        "trunks": trunks or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _goal(text: str | None) -> dict[str, str] | None:
    """`queue repairs` as the API has it; a single word but hangup is an agent's extension."""
    if not text:
        return None
    kind, _, target = text.strip().partition(" ")
    if not target and kind != "hangup":
        kind, target = "agent", kind
    return {"kind": kind, "target": target.strip()}


def _entry(entry: dict[str, Any] | None) -> str:
    return f"{entry['kind']} {entry['target']}" if entry else ""


def _show(row: dict[str, Any], json: bool) -> None:
    if json:
        as_json(row)
    else:
        sheet({**row, "entry": _entry(row.get("entry"))})
