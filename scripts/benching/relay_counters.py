"""What the relay itself counts while calls speak: nothing that it has read may be missing from what it sent."""

import re
from dataclasses import dataclass

from .console import note
from .media_load import Ends, MediaServer
from .tandem import Tandem

METRIC = re.compile(r'^tandem_relay_packets_total\{result="(\w+)"\}$')
REST = 0.3
"Seconds of silence after which no packet is on its way any more."


@dataclass(frozen=True, slots=True)
class Counted:
    """Packets between two moments of silence."""

    calls: int
    offered: int
    "Sent by the generator."
    received: int
    "Read from the sockets of relayed legs."
    sent: int
    "Forwarded, including those that took the other leg's socket by surprise."
    refused: int
    "Turned away for a reason: a stranger's, broken, not for this leg."

    @property
    def lost(self) -> int:
        """Read, neither sent nor refused."""
        return self.received - self.sent - self.refused

    @property
    def dropped_before(self) -> int:
        """Sent by the generator, and dropped by the kernel before the relay could read it."""
        return max(0, self.offered - self.received)


def count(server: MediaServer, ends: Ends, seconds: float) -> Counted | None:
    """All packets of some seconds; None where the server relays nothing."""
    assert isinstance(server, Tandem)
    rtp, calls = ends.rtp, len(ends.sip.up)
    rtp.pause()
    ends.sip.idle(REST)
    rtp.report()
    before = relayed(server)
    rtp.resume()
    ends.sip.idle(seconds)
    rtp.pause()
    ends.sip.idle(REST)
    offered, after = rtp.report().sent, relayed(server)
    rtp.resume()
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    if not grown.get("received"):
        note("nothing was relayed: no counters")
        return None
    found = Counted(calls, offered, grown["received"], grown.get("sent", 0), grown.get("refused", 0))
    note(
        f"{calls} calls: {offered} packets, the relay read {found.received}, sent {found.sent}, "
        f"refused {found.refused}: {found.lost} lost ({found.dropped_before} before it)"
    )
    return found


def relayed(server: Tandem) -> dict[str, int]:
    """The relay's counters, by what became of a packet; empty where there is no relay."""
    found = ((METRIC.match(name), value) for name, value in server.metrics().items())
    return {match[1]: int(value) for match, value in found if match}
