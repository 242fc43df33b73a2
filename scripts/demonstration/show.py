"""How the demonstration looks: numbered steps, and tables of what the server keeps and tells."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

CDR_ROWS = (
    "id", "result", "tenant", "trunk", "called", "billing_number", "effective_caller", "original_called", "correlation",
    "source", "access_id", "sequence", "extension", "route", "duration", "talk", "cause", "sip_code", "ended_by",
)  # fmt: skip


class Show:
    """Prints to standard output; colours only where it is a terminal."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = 110
        self.number = 0

    def title(self) -> None:
        self.console.print(
            Panel(
                "A caller of Acme's voice platform asks for a person. The platform calls the contact centre under"
                " its one billing number, so the number says nothing about the caller. Tandem finds out who it is,"
                " and tells the agent.",
                title="Tandem: a trunk call finds its caller's data and reaches the agent",
                width=min(100, self.console.width),
            )
        )

    def step(self, text: str) -> None:
        """The next thing that happens."""
        self.number += 1
        self.console.print(f"\n[bold cyan]{self.number}[/] [bold]{text}[/]")

    def say(self, text: str) -> None:
        """A line below the step."""
        self.console.print(Text("  " + text))

    def done(self, text: str) -> None:
        """A fact that was checked."""
        self.console.print(Text.assemble(("  ok ", "bold green"), text))

    def json(self, what: Mapping[str, Any]) -> None:
        """An answer or event as it is."""
        self.console.print(Text("  " + json.dumps(what, ensure_ascii=False), style="yellow"))

    def screen_pop(self, data: Mapping[str, Any]) -> None:
        """What the agent's screen would show."""
        table = Table(title="Agent's screen", show_header=False, title_justify="left")
        for name, value in data.items():
            table.add_row(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        self.console.print(table)

    def events(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Event records of one call."""
        table = Table(title="Events (TCP socket, JSON lines)", title_justify="left")
        for name in ("number", "time", "type", "data"):
            table.add_column(name, overflow="fold")
        for event in events:
            at = datetime.fromtimestamp(event["time"]).strftime("%H:%M:%S.%f")[:-3]
            table.add_row(str(event["number"]), at, event["type"], json.dumps(event["data"], ensure_ascii=False))
        self.console.print(table)

    def cdr(self, record: Mapping[str, Any]) -> None:
        """A call record with its legs."""
        table = Table(title="Call record (GET /v1/cdrs/{id})", show_header=False, title_justify="left")
        for name in CDR_ROWS:
            if record.get(name) is not None:
                table.add_row(name, _short(record[name]))
        self.console.print(table)
        legs = Table(title="Its legs", title_justify="left")
        columns = ("role", "party", "codec", "rx_packets", "rx_lost", "jitter_ms", "mos", "cause")
        for name in columns:
            legs.add_column(name, overflow="fold")
        for part in record["parts"]:
            legs.add_row(*(_short(part.get(name)) for name in columns))
        self.console.print(legs)

    def failure(self, error: BaseException, log: str) -> None:
        """What went wrong, and the server's view of it."""
        self.console.print(Text(f"\nFAILED: {error or type(error).__name__}", style="bold red"))
        self.console.print(Panel(Text(log or "(nothing)"), title="the server's log, newest lines"))

    def end(self, seconds: float) -> None:
        self.console.print(
            f"\n[bold green]Everything was as it should be[/] ({seconds:.1f} s). "
            "Next: [bold]make serve[/], and README.md has a first configuration."
        )


def _short(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
