"""`tandem tokens`: leave a caller's data before his call comes, over the API."""

import csv
import json as json_module
import sys
from pathlib import Path
from typing import Annotated, Any, TextIO
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, sheet, table

app = typer.Typer(help="Tokens: a caller's data, left here before his call comes.", no_args_is_help=True)

BULK = 500
"Tokens in one request; the server takes no more."

COLUMNS = ("sequence", "state", "caller", "extension", "issued_at=issued", "expires_at=expires", "call")
ISSUED_COLUMNS = ("tenant", "sequence", "original_called_number=dial with", "expires_at=expires")

Tenant = Annotated[str | None, typer.Option("--tenant", "-t", help="Needed unless the API key belongs to a tenant.")]
Sequence = Annotated[str, typer.Argument(help="The sequence number.")]
Ttl = Annotated[float | None, typer.Option(help="Seconds it lives; without it, the tenant's.")]
Trunk = Annotated[str | None, typer.Option(help="The trunk the call will take, where numbers differ by trunk.")]


@app.command()
def issue(
    tenant: Tenant = None,
    caller: Annotated[str | None, typer.Option(help="The real caller's number.")] = None,
    extension: Annotated[str | None, typer.Option(help="The agent the call is meant for.")] = None,
    data: Annotated[
        list[str] | None, typer.Option("--data", "-d", help="KEY=VALUE for the screen; repeatable.")
    ] = None,
    sequence: Annotated[str | None, typer.Option(help="The tenant's own sequence number.")] = None,
    ttl: Ttl = None,
    trunk: Trunk = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Leave one caller's data; the answer is the number to dial with as the original called number."""
    body = _new(caller, extension, _pairs(data or []), sequence) | _given(tenant=tenant, ttl=ttl, trunk=trunk)
    with server(url) as api:
        issued = api.post("/v1/tokens", body)
    if json:
        as_json(issued)
    else:
        sheet(issued)


@app.command()
def bulk(
    file: Annotated[Path, typer.Argument(help="CSV with a heading, or JSON lines; - reads standard input.")],
    tenant: Tenant = None,
    ttl: Ttl = None,
    trunk: Trunk = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Leave many callers' data. Fields caller, extension, sequence are as in `issue`; all others are business data."""
    news = _read(file)
    issued: list[dict[str, Any]] = []
    with server(url) as api:
        for start in range(0, len(news), BULK):
            body = {"tokens": news[start : start + BULK]} | _given(tenant=tenant, ttl=ttl, trunk=trunk)
            try:
                issued += api.post("/v1/tokens/bulk", body)["tokens"]
            except typer.Exit:
                if not issued:
                    raise
                _show(issued, json=json)  # nobody could ask for them again
                fail(f"{len(issued)} tokens were issued before this; go on with row {start + 1} of the file")
    _show(issued, json=json)


@app.command("list")
def list_(
    tenant: Tenant = None,
    state: Annotated[str | None, typer.Option(help="free, claimed, consumed or revoked.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[str | None, typer.Option(help="Show those behind this sequence number.")] = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Tokens of a tenant, by sequence number."""
    with server(url) as api:
        answer = api.get("/v1/tokens", tenant=tenant, state=state, limit=limit, after=after)
    if json:
        as_json(answer)
    else:
        table(answer["tokens"], COLUMNS, "no tokens")


@app.command()
def show(sequence: Sequence, tenant: Tenant = None, url: Url = "", json: Json = False) -> None:
    """One token, whatever its state."""
    with server(url) as api:
        found = api.get(_path(sequence), tenant=tenant)
    if json:
        as_json(found)
    else:
        sheet(found)


@app.command()
def revoke(sequence: Sequence, tenant: Tenant = None, url: Url = "") -> None:
    """Withdraw a token that no call has used."""
    with server(url) as api:
        api.ask("DELETE", _path(sequence), query={"tenant": tenant})
    typer.echo(f"token {sequence} is revoked")


def _path(sequence: str) -> str:
    return f"/v1/tokens/{quote(sequence, safe='')}"


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _new(caller: str | None, extension: str | None, data: dict[str, Any], sequence: str | None) -> dict[str, Any]:
    return _given(caller=caller, extension=extension, data=data or None, sequence=sequence)


def _pairs(words: list[str]) -> dict[str, str]:
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            fail(f'"{word}" is not KEY=VALUE')
        pairs[key] = value
    return pairs


def _show(issued: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        as_json({"tokens": issued})
    else:
        table(issued, ISSUED_COLUMNS, "the file has no rows")


def _read(file: Path) -> list[dict[str, Any]]:
    """The rows of the file as bodies for the API."""
    try:
        if str(file) == "-":
            return _rows(sys.stdin, "standard input")
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return _rows(stream, str(file))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"cannot read {file}: {error}")


def _rows(stream: TextIO, name: str) -> list[dict[str, Any]]:
    text = stream.read()
    if text.lstrip().startswith("{"):
        return [_row(name, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    rows: list[dict[str, Any]] = []
    for row in csv.DictReader(text.splitlines()):
        if None in row:
            fail(f"{name}: row {len(rows) + 1} has more fields than the heading")
        rows.append(_split({key: value for key, value in row.items() if value}))
    return rows


def _row(name: str, number: int, line: str) -> dict[str, Any]:
    try:
        row = json_module.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        fail(f"{name}: line {number} is no JSON object")
    return row if isinstance(row.get("data"), dict) else _split(row)


def _split(row: dict[str, Any]) -> dict[str, Any]:
    own = {key: row.pop(key) for key in ("caller", "extension", "sequence") if key in row}
    return own | ({"data": row} if row else {})
