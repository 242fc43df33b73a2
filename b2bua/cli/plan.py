"""`tandem import`, `tandem export`, `tandem plan`: queues, VDNs, menus and all other data about who takes a call."""

import csv
import io
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import httpx
import typer

from b2bua.cli.client import Client, Json, Url, problem, server
from b2bua.cli.output import as_json, fail, say, sheet, table
from b2bua.cli.plan_cells import BadCell, as_cell
from b2bua.cli.plan_files import AGENTS, Item, Wrong, body_of, located, read_csv, read_toml, type_of, words
from b2bua.cli.plan_toml import write
from routing.plan import KINDS

app = typer.Typer(help="Queues, VDNs, menus ...: all data about who takes a call, by kind.", no_args_is_help=True)

KindOption = Annotated[
    str | None, typer.Option("--kind", "-k", help="Kind of the rows of a CSV file: queues, persons, agents ...")
]
KindArgument = Annotated[str, typer.Argument(help="queues, vdns, menus ...; `tandem plan kinds` lists them.")]
KeyArgument = Annotated[str, typer.Argument(help="The key of one value.")]
Tenant = Annotated[str | None, typer.Option("--tenant", "-t", help="Only what belongs to this tenant.")]

MOST_COLUMNS = 7
"Columns of a table on the screen."


def import_(
    file: Annotated[Path, typer.Argument(help="FILE.toml, or FILE.csv with --kind.", dir_okay=False)],
    kind: KindOption = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would come of it.")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="The file has all there shall be of its kinds: the rest is removed.")
    ] = False,
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help="With --whole: only what is his.")] = None,
    encoding: Annotated[str, typer.Option(help="Of the file.")] = "utf-8",
    url: Url = "",
    json: Json = False,
) -> None:
    """Create or replace what a file holds, all of it or nothing; what is in force stays when anything is wrong."""
    if tenant and not whole:
        fail("--tenant says what --whole may remove")
    if whole and kind == AGENTS:
        fail("agents are removed one by one: tandem agents remove EXTENSION")
    items, wrong = _read(file, kind, encoding)
    if wrong:
        _refuse(file, wrong)
    emptied = (
        [kind] if whole and kind is not None and kind in KINDS else []
    )  # a spreadsheet without rows: nobody is absent any more
    if not items and not emptied:
        fail(f"{file} holds no values")

    def explain(answer: httpx.Response) -> list[str]:
        errors = [one for one in _told(answer).get("errors", []) if isinstance(one, dict) and "message" in one]
        return _lines(file, located(items, errors)) if errors else problem(answer)

    with server(url) as api:
        query = {"rehearse": "true" if check else None, "whole": "true" if whole else None, "tenant": tenant}
        body = {**{word: [] for word in emptied}, **body_of(items)}
        done = api.ask("POST", "/v1/plan", query=query, body=body, explain=explain)
    if json:
        as_json(done)
        return
    would = "would be " if check else ""
    typer.echo(f"{done['created']} {would}created, {done['replaced']} {would}replaced, {done['unchanged']} as before")
    for name in done["removed"]:
        typer.echo(f"{would}removed: {name}")


def export(
    kind: KindOption = None,
    tenant: Tenant = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of TOML; needs --kind.")] = False,
    file: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of standard output.")] = None,
    url: Url = "",
) -> None:
    """Write what is in force as a file that `tandem import` reads; secrets are written as ***, which keeps them."""
    if as_csv and kind is None:
        fail("CSV has one kind in a file: give --kind")
    with server(url) as api:
        plan = {word: _values(api, word, tenant) for word in ([_known(kind)] if kind else words())}
    if as_csv and kind is not None:
        text = _as_csv(kind, plan[kind])
    else:
        text = write(plan, {word: type_of(word) for word in plan})
    if file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")
        say(f"{sum(map(len, plan.values()))} values are in {file}")


@app.command()
def kinds(url: Url = "", tenant: Tenant = None) -> None:
    """The kinds there are, and how many values each has."""
    with server(url) as api:
        found = api.get("/v1/plan", tenant=tenant)
    rows = [{"kind": word, "values": len(values), "key": KINDS[word].key_field} for word, values in found.items()]
    table(rows, ("kind", "values", "key"), "")


@app.command("list")
def list_(kind: KindArgument, tenant: Tenant = None, url: Url = "", json: Json = False) -> None:
    """All values of a kind."""
    with server(url) as api:
        values = _values(api, _known(kind), tenant)
    if json:
        as_json({kind.replace("-", "_"): values})
        return
    filled = [name for name in _fields(kind) if any(value.get(name) not in (None, "", [], {}) for value in values)]
    table(values, filled[:MOST_COLUMNS], f"no {kind} yet: tandem import FILE")


@app.command()
def show(kind: KindArgument, key: KeyArgument, url: Url = "", json: Json = False) -> None:
    """One value with all its fields."""
    with server(url) as api:
        value = api.get(f"/v1/{_known(kind)}/{quote(key, safe='')}")
    if json:
        as_json(value)
    else:
        sheet(value)


@app.command()
def remove(kind: KindArgument, key: KeyArgument, url: Url = "") -> None:
    """Remove a value that nothing names any more."""
    with server(url) as api:
        api.delete(f"/v1/{_known(kind)}/{quote(key, safe='')}")
    typer.echo(f"{KINDS[kind].one if kind in KINDS else 'agent'} {key} is removed")


def _read(file: Path, kind: str | None, encoding: str) -> tuple[list[Item], list[Wrong]]:
    try:
        text = file.read_bytes().decode(encoding).removeprefix("\ufeff")
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror or error}")
    except LookupError:
        fail(f"there is no encoding {encoding}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        fail(f"{file}:{line}: is no {encoding}: save it so, or say what it is with --encoding")
    if file.suffix.lower() == ".toml":
        return read_toml(text)
    if kind is None:
        fail("a CSV file holds one kind: say which with --kind")
    return read_csv(text, _known(kind))


def _refuse(file: Path, wrong: list[Wrong]) -> NoReturn:
    fail(*_lines(file, sorted(wrong, key=lambda one: one.line)))


def _lines(file: Path, wrong: list[Wrong]) -> list[str]:
    lines = [f"{file}:{one.line}: {one.message}" if one.line else one.message for one in wrong]
    return [
        *lines,
        f"{len(lines)} mistakes are listed; nothing was changed" if len(lines) > 1 else "nothing was changed",
    ]


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _known(kind: str) -> str:
    if kind not in words():
        fail(f"there is no kind {kind}; there are: {', '.join(words())}")
    return kind


def _values(api: Client, word: str, tenant: str | None) -> list[dict[str, Any]]:
    if word == AGENTS:
        agents: list[dict[str, Any]] = [] if tenant else api.get("/v1/agents")["agents"]
        return agents
    of_tenants = KINDS[word].of_tenants
    if tenant and not of_tenants:
        return []
    values: list[dict[str, Any]] = api.get(f"/v1/{word}", tenant=tenant)[KINDS[word].field]
    return values


def _fields(word: str) -> list[str]:
    names = list(type_of(word).__dataclass_fields__)
    if word in KINDS:  # its key first
        names.sort(key=lambda name: name != KINDS[word].key_field)
    return names


def _as_csv(word: str, values: list[dict[str, Any]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    names = _fields(word)
    writer.writerow(names)
    for value in values:
        row = []
        for name in names:
            try:
                row.append(as_cell(value.get(name)))
            except BadCell as error:
                fail(f"{word}: {name} {error}")
        writer.writerow(row)
    return out.getvalue()
