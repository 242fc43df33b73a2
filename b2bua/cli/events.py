"""`tandem events follow`: what happens, as it happens, over the WebSocket of the API."""

import json as json_module
import sys
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import typer
from rich.text import Text
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import connect

from b2bua.cli.client import Url, local_url, token
from b2bua.cli.output import console, fail, say, text

app = typer.Typer(help="Event records.", no_args_is_help=True)

LONGEST_WAIT = 5.0
"Seconds between two tries to reach a server that is away."
MAX_MESSAGE = 4 * 1024 * 1024


@app.command()
def follow(
    after: Annotated[
        int | None, typer.Option(help="Start behind this number; without it, with what comes now.")
    ] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only events of this type; repeatable.")] = None,
    call: Annotated[str | None, typer.Option(help="Only events of this call.")] = None,
    count: Annotated[int, typer.Option(min=0, help="End after so many events; 0 means never.")] = 0,
    url: Url = "",
    json: Annotated[bool, typer.Option("--json", help="One record a line, as the server sends it.")] = False,
) -> None:
    """Print events as they happen, until Ctrl-C; when the server was away, go on behind the last one."""
    seen = 0
    try:
        for line in _lines(url or local_url(), token(), after):
            event = json_module.loads(line)
            if (type_ and event["type"] not in type_) or (call is not None and event["call"] != call):
                continue
            if json:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            else:
                console().print(Text(as_line(event)))
            seen += 1
            if seen == count:
                return
    except KeyboardInterrupt:
        return


def as_line(event: dict[str, Any]) -> str:
    """One event for people."""
    at = time.strftime("%H:%M:%S", time.localtime(event["time"]))
    data = " ".join(f"{key}={text(key, value)}" for key, value in event["data"].items() if value not in (None, "", {}))
    return f"{event['number']:>8}  {at}  {event['type']:<18} {event['call'] or '-'}  {data}".rstrip()


def _lines(url: str, key: str, after: int | None, pause: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """Every record from `after` on, across restarts of the server."""
    wait = 0.0
    reached = False
    while True:
        try:
            with connect(
                _feed(url, after),
                additional_headers={"Authorization": f"Bearer {key}"},
                max_size=MAX_MESSAGE,
                proxy=None,
            ) as socket:
                wait, reached = 0.0, True
                for message in socket:
                    line = message if isinstance(message, str) else message.decode()
                    after = json_module.loads(line)["number"]
                    yield line
        except InvalidStatus as refused:
            _refused(refused, reached)
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == 1008:
                fail(f"the server ended the feed: {closed.rcvd.reason}")
        except (OSError, TimeoutError) as error:
            if not reached:
                fail(f'no server answers at {url}: start it ("tandem serve"), or say where it is with --url ({error})')
        except WebSocketException as error:
            fail(f"{url} does not speak our API: {error}")
        wait = min(LONGEST_WAIT, wait * 2 or 0.5)
        say(f"the server is away; trying again in {wait:g} s")
        pause(wait)


def _refused(refused: InvalidStatus, reached: bool) -> None:
    """End, unless the server is only just starting or stopping."""
    status = refused.response.status_code
    if status == 503 and reached:
        return
    try:
        told = json_module.loads(refused.response.body or b"{}")
        detail = str(told.get("detail", ""))
    except ValueError:
        detail = ""
    fail(detail or f"the server answered {status}")


def _feed(url: str, after: int | None) -> str:
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    query = "" if after is None else f"after={after}"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/v1/events", query, ""))
