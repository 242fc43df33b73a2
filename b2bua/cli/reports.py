"""`tandem report`: statistics, over the API."""

import sys
import time
from typing import Annotated, Any

import typer

from b2bua.cli.cdrs import MOMENT, moment
from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, fail, say, table

app = typer.Typer(help="Statistics of queues, VDNs, agents, tenants and classes.", no_args_is_help=True)

BY = ("total", "tenant", "queue", "area", "vdn", "class", "agent")

CALLS = ("offered", "answered", "in_time=in time", "abandoned", "short_abandoned=short", "transfers")
SHARES = ("service_level=service level", "service_level_answered=of answered", "abandoned_share=abandoned %")
TIMES = ("mean_wait_answered=mean wait s", "wait_longest=longest s", "mean_talk=mean talk s")
STATES = ("available", "ringing", "talking", "wrap_up", "paused", "unreachable")

COLUMNS = {
    "total": ("calls", "calls_answered", *CALLS, *SHARES, *TIMES),
    "tenant": ("calls", "calls_answered", *CALLS, *SHARES, *TIMES),
    "agent": ("offered=rung", "answered", "transfers", "mean_talk=mean talk s", *STATES, "occupancy"),
}
"What people see; the CSV has everything."

PERCENT = frozenset({"service_level", "service_level_answered", "abandoned_share", "occupancy"})


@app.command()
def show(
    by: Annotated[str, typer.Argument(help=f"By what: {', '.join(BY)}.")] = "queue",
    span: Annotated[str, typer.Option(help="Length of a row: quarter, day, or whole for one sum.")] = "whole",
    since: Annotated[str | None, typer.Option(help=f"From then on; without it, a day back. {MOMENT}")] = None,
    until: Annotated[str | None, typer.Option(help=f"Before. {MOMENT}")] = None,
    key: Annotated[str | None, typer.Option(help="One queue, VDN, agent ... only.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Calls of this tenant only.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="All figures, as CSV.")] = False,
    url: Url = "",
    json: Json = False,
) -> None:
    """Figures by queue, VDN, agent ..."""
    if by not in BY:
        fail(f"there is no report by {by}; there are: {', '.join(BY)}")
    now = time.time()
    query: dict[str, Any] = {"span": span, "since": moment(since, now), "until": moment(until, now)}
    query |= {"key": key, "tenant": tenant}
    with server(url) as api:
        if as_csv:
            sys.stdout.write(api.text(f"/v1/reports/{by}.csv", **query))
            return
        answer = api.get(f"/v1/reports/{by}", **query)
    if json:
        as_json(answer)
        return
    when = () if span == "whole" else ("since=from",)
    table(
        [_row(row) for row in answer["rows"]],
        (*when, f"key={by}", *COLUMNS.get(by, (*CALLS, *SHARES, *TIMES))),
        "nothing yet",
    )
    if answer["more"]:
        say("there are more rows: ask for a shorter time, or for the CSV")


@app.command()
def rebuild(url: Url = "") -> None:
    """Count everything anew from the stored events, in the background."""
    with server(url) as api:
        since = api.post("/v1/reports/rebuild", None)["since"]
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(since)) if since else "the first event"
    say(f"the statistics from {when} on are being counted anew")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a table has it: shares in per cent."""
    made = {"since": row["start"], "key": row["key"], **row["counts"], **row["ratios"]}
    for name in PERCENT:
        made[name] = None if made[name] is None else f"{100 * made[name]:.1f} %"
    return made
