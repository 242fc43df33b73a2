"""The record of a peer: every message in order, printed as a ladder when a test fails."""

import time
from dataclasses import dataclass

from tests.peers.message import Message
from tests.peers.wire import Route


@dataclass(frozen=True, slots=True)
class Rung:
    """One message on the wire."""

    time: float
    arrow: str
    "-> sent, <- received, <= received again."
    message: Message
    route: Route

    def line(self, start: float) -> str:
        """Time, direction, other end, start line, CSeq, body."""
        m = self.message
        body = f" [{len(m.body)} bytes {m.content_type}]" if m.body else ""
        return f"  {self.time - start:8.3f} {self.arrow} {self.route!r} {m.start} ({m.get('CSeq')}){body}"


class Ladder:
    """All rungs of one peer."""

    def __init__(self) -> None:
        self.rungs: list[Rung] = []

    def add(self, arrow: str, message: Message, route: Route) -> None:
        """Note a message that went or came now."""
        self.rungs.append(Rung(time.monotonic(), arrow, message, route))

    @property
    def sent(self) -> list[Message]:
        return [r.message for r in self.rungs if r.arrow == "->"]

    @property
    def received(self) -> list[Message]:
        """Everything received, repeats included."""
        return [r.message for r in self.rungs if r.arrow != "->"]

    def lines(self) -> str:
        """One line for each message."""
        return "\n".join(r.line(self.rungs[0].time) for r in self.rungs) or "  nothing sent, nothing received"

    def full(self) -> str:
        """The whole messages."""
        return "\n\n".join(f"{r.line(self.rungs[0].time)}\n{r.message.text}" for r in self.rungs)
