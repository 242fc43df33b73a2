"""`tandem do-not-call`: numbers that no campaign calls, over the API."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from b2bua.cli.campaigns import FORMS, Wait, follow
from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, table

app = typer.Typer(help="Do-not-call lists: in force for the next call.", no_args_is_help=True)

LISTS = ("list", "tenant", "numbers", "as_of=of", "imported_at=imported", "source")
ENTRIES = ("number", "reason", "added_at=added")

Tenant = Annotated[
    str | None,
    typer.Option("--tenant", "-t", help='Needed unless the API key belongs to a tenant; "" is a list for all tenants.'),
]
Name = Annotated[str, typer.Option("--list", "-l", help="Name of the list; `own` is the tenant's.")]
Numbers = Annotated[list[str], typer.Argument(help="Numbers with +CC, or as --region writes them.")]
Region = Annotated[str, typer.Option(help="Country (US) of numbers without +CC.")]


@app.command("lists")
def lists(tenant: Tenant = None, url: Url = "", json: Json = False) -> None:
    """Imported lists that a tenant's campaigns may name, and how old they are."""
    with server(url) as api:
        answer = api.get("/v1/do-not-call", tenant=tenant)
    if json:
        as_json(answer)
    else:
        table(answer["lists"], LISTS, "no list was imported")


@app.command()
def show(
    list_: Name = "own",
    tenant: Tenant = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    after: Annotated[str | None, typer.Option(help="Show those behind this number.")] = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Numbers of a list."""
    with server(url) as api:
        answer = api.get(_path(list_), tenant=tenant, limit=limit, after=after)
    if json:
        as_json(answer)
    else:
        table(answer["entries"], ENTRIES, "the list is empty")


@app.command()
def add(
    numbers: Numbers,
    list_: Name = "own",
    tenant: Tenant = None,
    reason: Annotated[str, typer.Option(help="Kept with the numbers.")] = "by hand",
    region: Region = "",
    url: Url = "",
) -> None:
    """Put numbers on a list: from now on nobody of it is called."""
    body = {"numbers": numbers, "reason": reason, "region": region}
    with server(url) as api:
        answer = api.ask("POST", f"{_path(list_)}/numbers", query={"tenant": tenant}, body=body)
    typer.echo(f"{answer['changed']} new on list {list_}")


@app.command()
def remove(
    numbers: Numbers, list_: Name = "own", tenant: Tenant = None, region: Region = "", url: Url = ""
) -> None:  # fmt: skip
    """Take numbers off a list."""
    body = {"numbers": numbers, "region": region}
    with server(url) as api:
        answer = api.ask("POST", f"{_path(list_)}/numbers/remove", query={"tenant": tenant}, body=body)
    typer.echo(f"{answer['changed']} taken off list {list_}")


@app.command("import")
def import_(
    list_: Annotated[str, typer.Argument(metavar="LIST", help="Name of the list.")],
    file: Annotated[Path, typer.Argument(help="CSV with a heading (number), or JSON lines.")],
    tenant: Tenant = None,
    region: Region = "",
    as_of: Annotated[
        float | None, typer.Option(help="The day its numbers are of, epoch seconds; without it, now.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Also where more than a fifth of its rows cannot be read.")] = False,
    wait: Wait = True,
    url: Url = "",
    json: Json = False,
) -> None:
    """Import a whole list: numbers that it does not have any more are taken off."""
    with server(url) as api:
        try:
            with file.open("rb") as stream:
                media_type = FORMS.get(file.suffix.lower(), "text/csv")
                query = {"tenant": tenant, "region": region, "as_of": as_of, "force": "true" if force else None}
                begun = api.upload(_path(list_), stream, media_type, **query)
        except OSError as error:
            fail(f"cannot read {file}: {error.strerror}")
        where, size = f"{_path(list_)}/import", file.stat().st_size
        follow(api, where, begun, wait=wait, json=json, size=size, tenant=tenant)


def _path(name: str) -> str:
    return f"/v1/do-not-call/{quote(name, safe='')}"
