"""`tandem cdrs`: call records, over the API."""

import sys
import time
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, say, sheet, table

app = typer.Typer(help="Call records.", no_args_is_help=True)

COLUMNS = (
    "id", "started_at=started", "trunk", "effective_caller=caller", "called", "tenant", "extension",
    "correlation", "talk=talk s", "cause",
)  # fmt: skip
PART_COLUMNS = ("n", "role", "party", "answered_at=answered", "sip_code", "cause", "codec", "rx_lost=lost", "mos")

MOMENT = "As 2026-11-21, 2026-11-21T14:30, or 15m, 2h, 3d ago."

Since = Annotated[str | None, typer.Option(help=f"Started at or after. {MOMENT}")]
Until = Annotated[str | None, typer.Option(help=f"Started before. {MOMENT}")]
Tenant = Annotated[str | None, typer.Option()]
Extension = Annotated[str | None, typer.Option(help="The agent's extension.")]
Caller = Annotated[str | None, typer.Option(help="Effective caller or billing number.")]
Called = Annotated[str | None, typer.Option(help="The called number.")]
Cause = Annotated[str | None, typer.Option(help="Why it ended, as in the record.")]
Answered = Annotated[bool | None, typer.Option("--answered/--unanswered")]
Correlation = Annotated[str | None, typer.Option(help="Outcome of the search for the caller's data.")]
Trunk = Annotated[str | None, typer.Option()]


@app.command("list")
def list_(
    since: Since = None,
    until: Until = None,
    tenant: Tenant = None,
    extension: Extension = None,
    caller: Caller = None,
    called: Called = None,
    cause: Cause = None,
    answered: Answered = None,
    correlation: Correlation = None,
    trunk: Trunk = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Records at most.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of them, however many, as CSV.")] = False,
    url: Url = "",
    json: Json = False,
) -> None:
    """Call records, newest first."""
    query: dict[str, Any] = {
        "since": moment(since, time.time()),
        "until": moment(until, time.time()),
        "tenant": tenant,
        "extension": extension,
        "caller": caller,
        "called": called,
        "cause": cause,
        "answered": None if answered is None else str(answered).lower(),
        "correlation": correlation,
        "trunk": trunk,
    }
    with server(url) as api:
        if as_csv:
            sys.stdout.write(api.text("/v1/cdrs.csv", **query))
            return
        answer = api.get("/v1/cdrs", limit=limit, cursor=cursor, **query)
    if json:
        as_json(answer)
        return
    table(answer["cdrs"], COLUMNS, "no records")
    if answer["next"]:
        say(f"there are more: --cursor {answer['next']}")


@app.command()
def show(
    call: Annotated[str, typer.Argument(help="The call's id.")],
    url: Url = "",
    json: Json = False,
) -> None:
    """One record with all its parts."""
    with server(url) as api:
        record = api.get(f"/v1/cdrs/{quote(call, safe='')}")
    if json:
        as_json(record)
        return
    parts = record.pop("parts", [])
    sheet(record)
    table(parts, PART_COLUMNS, "no parts")


def moment(text: str | None, now: float) -> float | None:
    """Epoch seconds of a moment as people write it: a local date or time, or how long ago."""
    if text is None:
        return None
    seconds = {"m": 60, "h": 3600, "d": 86400}.get(text[-1:], 0)
    if seconds and text[:-1].isascii() and text[:-1].isdigit():
        return now - int(text[:-1]) * seconds
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        fail(f'"{text}" is no moment. {MOMENT}')
