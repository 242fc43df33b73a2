"""`tandem trace CALL`: the call's signalling as a ladder, or as a capture file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from b2bua.cli.client import Json, Url, server
from b2bua.cli.output import as_json, console, harmless, say
from b2bua.cli.saving import saved_as

WIDTH = 30
"Columns between two parties."
US = "tandem"
STYLES = {"1": "green", "2": "green", "3": "yellow", "4": "red", "5": "red", "6": "red"}


def trace(
    call: Annotated[str, typer.Argument(help="The call's id, live or over.")],
    pcap: Annotated[Path | None, typer.Option(help="Write a capture file for Wireshark instead.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Print the whole messages below the ladder.")] = False,
    url: Url = "",
    json: Json = False,
) -> None:
    """The SIP messages of one call, as far as they are kept; secrets are masked."""
    path = f"/v1/calls/{quote(call, safe='')}/trace"
    with server(url) as api:
        if pcap is not None:
            with saved_as(pcap) as to:
                api.save(f"{path}.pcap", to)
            return
        found = api.get(path)
    if json:
        as_json(found)
        return
    if not found["messages"]:
        say("no message of this call is kept" + (_forgotten(found) or " (trace.memory, trace.keep)"))
        return
    out = console()
    for line in ladder(found["legs"], found["messages"]):
        out.print(line)
    if full:
        for message in found["messages"]:
            out.print(Text(f"\n{message['time']:.6f} {message['source']} -> {message['target']}", style="bold"))
            out.print(Text(harmless(message["text"].replace("\r\n", "\n"))))


def _forgotten(found: Mapping[str, Any]) -> str:
    return "" if found["oldest"] is None else " any more"


def ladder(legs: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]) -> list[Text]:
    """One line for each message: the caller on the left of us, everybody else on the right, in the order they came."""
    seen = list(dict.fromkeys(message["leg"] for message in messages))
    by_number = {leg["n"]: leg for leg in legs}
    left = [n for n in seen if n in by_number and by_number[n]["role"] == "caller"][:1]
    parties: list[int | str | None] = [*left, US, *(n for n in seen if n not in left)]
    names = [US if n == US else _name(by_number.get(n) if isinstance(n, int) else None) for n in parties]
    home = parties.index(US)
    head = " " * 12 + "".join(name[: WIDTH - 2].ljust(WIDTH) for name in names)
    lines = [Text(head.rstrip(), style="bold")]
    start = messages[0]["time"]
    for message in messages:
        there = parties.index(message["leg"])
        first, last = min(home, there), max(home, there)
        to_right = (there > home) == message["sent"]
        line = Text(f"{message['time'] - start:10.3f}  ")
        line.append(_rung(len(parties), first, last, to_right, _label(message)), style=_style(message["start_line"]))
        lines.append(line)
    return lines


def _rung(columns: int, first: int, last: int, to_right: bool, label: str) -> str:
    """The line of each party, and an arrow from one to the other."""
    cells = list("|".ljust(WIDTH) * (columns - 1) + "|")
    room = (last - first) * WIDTH - 1
    shaft = f" {harmless(label)[: room - 7]} ".center(room - 1, "-")
    cells[first * WIDTH + 1 : last * WIDTH] = f"{shaft}>" if to_right else f"<{shaft}"
    return "".join(cells)


def _label(message: Mapping[str, Any]) -> str:
    words = str(message["start_line"]).split(" ")
    if words[0].upper().startswith("SIP/"):
        cseq = _cseq(str(message["text"]))
        return f"{' '.join(words[1:])} ({cseq})" if cseq else " ".join(words[1:])
    sdp = " (SDP)" if "application/sdp" in str(message["text"]).lower() else ""
    return words[0] + sdp


def _cseq(message: str) -> str:
    """The method that a response answers."""
    for line in message.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "cseq":
            return value.split()[-1] if value.split() else ""
    return ""


def _style(start_line: str) -> str:
    words = start_line.split(" ")
    return STYLES.get(words[1][:1], "") if words[0].upper().startswith("SIP/") and len(words) > 1 else "cyan"


def _name(leg: Mapping[str, Any] | None) -> str:
    if leg is None:
        return "?"
    party = harmless(str(leg["party"] or ""))
    return f"{leg['role']} {party}".strip()
