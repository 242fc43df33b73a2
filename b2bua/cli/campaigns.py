"""`tandem campaign`: write, check, fill and run campaigns, over the API."""

import json as json_module
import sys
import time
import tomllib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from b2bua.cli.client import LONGEST, Client, Json, Url, server
from b2bua.cli.output import as_json, console, fail, say, sheet, table

app = typer.Typer(help="Campaigns: whom they call, how far they are, what came of it.", no_args_is_help=True)

COLUMNS = ("id", "tenant", "mode", "state", "reason", "node", "name")
BATCH_COLUMNS = (
    "id", "state", "source", "rows", "contacts", "numbers", "duplicates", "invalid", "listed", "began_at=began",
    "error",
)  # fmt: skip
PROBLEM_COLUMNS = ("row", "kind", "value", "message")
CONTACT_COLUMNS = ("id", "number", "state", "reason", "attempts", "next_at=next", "priority", "agent", "batch", "row")
COMMAND_COLUMNS = (
    "id", "number", "at", "outcome", "agent", "disposition", "sip_code=SIP", "cause", "ended_at=ended", "call",
)  # fmt: skip
LOOK_EVERY = 0.2
"Seconds between two looks at an import."
FORMS = {".csv": "text/csv", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}

Id = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Id of the campaign.")]
BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="Id of the batch.")]
Limit = Annotated[int, typer.Option(min=1, max=200)]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the import until it is over.")]
Priority = Annotated[int, typer.Option(min=0, max=9, help="Of rows that name none; 9 is called first.")]


def path(id: str, *more: str) -> str:
    """Where the API has something of a campaign."""
    return "/".join(["/v1/campaigns", *(quote(part, safe=".") for part in (id, *more))])


@app.command("list")
def list_(
    tenant: Annotated[str | None, typer.Option("--tenant", "-t")] = None, url: Url = "", json: Json = False
) -> None:
    """All campaigns, by id."""
    with server(url) as api:
        answer = api.get("/v1/campaigns", tenant=tenant)
    if json:
        as_json(answer)
    else:
        table(answer["campaigns"], COLUMNS, "no campaigns")


@app.command()
def show(id: Id, url: Url = "", json: Json = False) -> None:
    """One campaign with everything that is set."""
    with server(url) as api:
        found = api.get(path(id))
    _show(found, json)


@app.command()
def put(
    file: Annotated[Path, typer.Argument(help="TOML or JSON with the campaign's fields; its id is in it.")],
    url: Url = "",
    json: Json = False,
) -> None:
    """Create a campaign, or replace its definition; all mistakes are told at once."""
    body = _definition(file)
    named = body.get("id")
    if not isinstance(named, str) or not named:
        fail(f"{file}: id is missing")
    with server(url) as api:
        made = api.put(path(named), body)
    _show(made, json)


@app.command()
def check(id: Id, url: Url = "") -> None:
    """Everything that keeps it from starting; exit status 1 when there is something."""
    with server(url) as api:
        errors = api.get(path(id, "mistakes"))["errors"]
    if errors:
        fail(*(f"{one['field']}: {one['message']}" if one["field"] else one["message"] for one in errors))
    say(f"campaign {id} can be started")


def _order(word: str, text: str) -> None:
    def give(
        id: Id, reason: Annotated[str, typer.Option(help="Kept with the campaign.")] = "", url: Url = ""
    ) -> None:  # fmt: skip
        with server(url) as api:
            made = api.post(path(id, word), {"reason": reason})
        typer.echo(f"campaign {id} is {made['state']}")

    give.__doc__ = text
    app.command(word)(give)


for _word, _text in {
    "start": "Begin to dial.",
    "pause": "Begin no new call; calls in progress go on.",
    "resume": "Go on.",
    "drain": "Begin no new call, and stop when the last one has ended.",
    "stop": "Begin no new call and end those that nobody has answered.",
}.items():
    _order(_word, _text)


@app.command()
def progress(
    id: Id,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until it is over, a bar of it.")] = False,
    url: Url = "",
    json: Json = False,
) -> None:
    """How far it is."""
    with server(url) as api:
        found = api.get(path(id, "progress"))
        if follow and not json:
            with _bar("contacts") as bar:
                task = bar.add_task(id, total=None)
                while found["state"] in ("running", "paused", "draining"):
                    bar.update(task, total=found["contacts"], completed=found["closed"], description=found["state"])
                    time.sleep(1.0)
                    found = api.get(path(id, "progress"))
    if json:
        as_json(found)
    else:
        counts = {name: count for name, count in found.pop("counts").items() if count}
        if found["due"]:
            del found["next_at"]  # they are: now
        sheet(found | counts)


@app.command()
def delete(id: Id, url: Url = "") -> None:
    """Remove a campaign with its contacts; what the law counts, its calls included, and its snapshots stay."""
    with server(url) as api:
        api.delete(path(id))
    typer.echo(f"campaign {id} is removed")


@app.command("import")
def import_(
    id: Id,
    file: Annotated[Path, typer.Argument(help="CSV with a heading, or JSON lines (.jsonl).")],
    batch: Annotated[str, typer.Option("--batch", "-b", help="Id of the batch; without it, the file's name.")] = "",
    priority: Priority = 5,
    wait: Wait = True,
    url: Url = "",
    json: Json = False,
) -> None:
    """Import contacts from a file as a batch; nobody of it is called before all of it is there."""
    name = batch or file.stem
    with server(url) as api:
        try:
            with file.open("rb") as stream:
                media_type = FORMS.get(file.suffix.lower(), "text/csv")
                begun = api.upload(path(id, "batches", name), stream, media_type, priority=priority)
        except OSError as error:
            fail(f"cannot read {file}: {error.strerror}")
        follow(api, path(id, "batches", name), begun, wait=wait, json=json, size=file.stat().st_size)


@app.command()
def fetch(
    id: Id,
    batch: BatchId,
    source: Annotated[str, typer.Option("--source", "-s", help="Name of a source in the server's configuration.")],
    priority: Priority = 5,
    wait: Wait = True,
    url: Url = "",
    json: Json = False,
) -> None:
    """Import the rows that a database has under this batch's id."""
    with server(url) as api:
        begun = api.post(path(id, "batches", batch, "fetch"), {"source": source, "priority": priority})
        follow(api, path(id, "batches", batch), begun, wait=wait, json=json)


@app.command()
def batches(id: Id, url: Url = "", json: Json = False) -> None:
    """The batches of a campaign and how their imports went."""
    with server(url) as api:
        answer = api.get(path(id, "batches"))
    if json:
        as_json(answer)
    else:
        table(answer["batches"], BATCH_COLUMNS, "no batches")


@app.command()
def problems(
    id: Id,
    batch: BatchId,
    csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV.")] = False,
    limit: Limit = 50,
    after: Annotated[str, typer.Option(help="The place that the page before named.")] = "",
    url: Url = "",
    json: Json = False,
) -> None:
    """What is wrong with the rows of a batch."""
    with server(url) as api:
        if csv:
            api.save(path(id, "batches", batch, "problems.csv"), sys.stdout.buffer)
            return
        answer = api.get(path(id, "batches", batch, "problems"), limit=limit, after=after)
    if json:
        as_json(answer)
    else:
        table(answer["problems"], PROBLEM_COLUMNS, "no problems")
        if answer["next"]:
            say(f"more with --after {answer['next']}")


@app.command()
def evidence(
    id: Id,
    first: Annotated[str | None, typer.Option(help="First day, such as 2026-06-01; else the last 30 days.")] = None,
    html: Annotated[bool, typer.Option("--html", help="A page to print, instead of CSV.")] = False,
    url: Url = "",
) -> None:
    """The proof of what was abandoned: the rates of each day with all that they are computed from."""
    with server(url) as api:
        api.save(path(id, "evidence"), sys.stdout.buffer, first=first, format="html" if html else "csv")


@app.command()
def withdraw(id: Id, batch: BatchId, url: Url = "") -> None:
    """Nobody of a batch is called any more; calls in progress end by themselves."""
    with server(url) as api:
        api.delete(path(id, "batches", batch))
    typer.echo(f"batch {batch} of campaign {id} is withdrawn")


@app.command()
def contacts(
    id: Id,
    state: Annotated[str | None, typer.Option(help="open, leased, held or closed.")] = None,
    batch: Annotated[str | None, typer.Option(help="Of this batch.")] = None,
    number: Annotated[str | None, typer.Option(help="With this number, +CC...")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV.")] = False,
    limit: Limit = 50,
    after: Annotated[str | None, typer.Option(help="Show those behind this id.")] = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Contacts of a campaign."""
    wanted = {"state": state, "batch": batch, "number": number}
    with server(url) as api:
        if csv:
            api.save(path(id, "contacts.csv"), sys.stdout.buffer, **wanted)
            return
        answer = api.get(path(id, "contacts"), **wanted, limit=limit, after=after)
    if json:
        as_json(answer)
        return
    rows = [one | {"number": one["numbers"][one["at_number"]]["number"]} for one in answer["contacts"]]
    table(rows, CONTACT_COLUMNS, "no contacts")


@app.command()
def commands(
    id: Id,
    outcome: Annotated[str | None, typer.Option(help="answered, busy ...; none: those without a record.")] = None,
    number: Annotated[str | None, typer.Option(help="To this number, +CC...")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV.")] = False,
    limit: Limit = 50,
    after: Annotated[str | None, typer.Option(help="Show those behind this id.")] = None,
    url: Url = "",
    json: Json = False,
) -> None:
    """Commands of a campaign, each with its final record."""
    wanted = {"outcome": outcome, "number": number}
    with server(url) as api:
        if csv:
            api.save(path(id, "commands.csv"), sys.stdout.buffer, **wanted)
            return
        answer = api.get(path(id, "commands"), **wanted, limit=limit, after=after)
    if json:
        as_json(answer)
    else:
        table(answer["commands"], COMMAND_COLUMNS, "no commands")


@app.command()
def snapshot(
    id: Id,
    kept: Annotated[bool, typer.Option("--kept", help="Show those that were kept instead of making one.")] = False,
    url: Url = "",
) -> None:
    """Make a snapshot now and keep it; it is printed as JSON."""
    with server(url) as api:
        as_json(api.get(path(id, "snapshots")) if kept else api.post(path(id, "snapshots"), {}, within=LONGEST))


def follow(
    api: Client,
    where: str,
    begun: dict[str, Any],
    *,
    wait: bool,
    json: bool,
    size: int | None = None,
    tenant: str | None = None,
) -> None:
    """An import until it is over, with a bar of it; exit status 1 when it failed."""
    found = begun
    if wait:
        with _bar("rows") as bar:
            task = bar.add_task(begun["id"], total=1.0 if size else None)
            while found["state"] == "loading":
                time.sleep(LOOK_EVERY)
                found = api.get(where, tenant=tenant)
                bar.update(task, completed=found["share"] if size else None, description=f"{found['rows']:,} rows")
    if json:
        as_json(found)
    else:
        sheet({name: value for name, value in found.items() if name not in ("share", "by")})
    if found["state"] == "failed":
        fail(found["error"])
    if wait and found["duplicates"] + found["invalid"] + found["listed"] and not json:
        say("each of them by row: problems")


def _bar(what: str) -> Progress:
    count = MofNCompleteColumn() if what == "contacts" else TaskProgressColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), count, TimeElapsedColumn())
    return Progress(*columns, console=console(error=True), transient=True)


def _definition(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        found = json_module.loads(text) if file.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    except (UnicodeDecodeError, ValueError) as error:
        fail(f"{file}: {error}")
    if not isinstance(found, dict):
        fail(f"{file} is no table of fields")
    return found


def _show(found: dict[str, Any], json: bool) -> None:
    if json:
        as_json(found)
    else:
        sheet(found)
