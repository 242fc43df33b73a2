"""What the relay itself counts while calls speak: nothing that it has read may be missing from what it sent."""

import re
from dataclasses import dataclass

from .console import note
from .media_load import Ends, MediaServer
from .tandem import Tandem

METRIC = re.compile(r'^tandem_sound_packets_total\{result="(\w+)"\}$')
SETTLED = ("refused", "mixed", "relayed", "repeated", "withheld", "unsent", "idle", "other")
"What can become of a packet that was read (native/relay.h)."
REST = 0.3
"Seconds of silence after which a packet is hardly on its way any more."
TRIES = 20


@dataclass(frozen=True, slots=True)
class Counted:
    """Packets between two moments of silence."""

    calls: int
    offered: int
    "Sent by the generator."
    received: int
    "Read from the legs' sockets."
    became: dict[str, int]
    "What became of them."

    @property
    def lost(self) -> int:
        """Read and not sent on, though they were to be: nothing was refused, and nobody else listened."""
        return self.received - self.became.get("relayed", 0) - self.became.get("refused", 0)

    @property
    def dropped_before(self) -> int:
        """Sent by the generator, and dropped by the kernel before the relay could read it."""
        return max(0, self.offered - self.received)


def count(server: MediaServer, ends: Ends, seconds: float) -> Counted | None:
    """All packets of some seconds; None where the server relays nothing."""
    assert isinstance(server, Tandem)
    rtp, calls = ends.rtp, len(ends.sip.up)
    before = _silent(server, ends)
    rtp.report()
    rtp.resume()
    ends.sip.idle(seconds)
    after = _silent(server, ends)
    offered = rtp.report().sent
    rtp.resume()
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    if not grown.get("relayed"):
        why = {name: value for name, value in server.metrics().items() if name.startswith("tandem_bridge") and value}
        note(f"nothing was relayed: {grown}, {why}")
        return None
    became = {name: grown[name] for name in SETTLED if grown.get(name)}
    found = Counted(calls, offered, grown["received"], became)
    said = ", ".join(f"{name} {number}" for name, number in became.items())
    note(f"{calls} calls: {offered} packets, the relay read {found.received} ({said}): {found.lost} lost")
    return found


def _silent(server: Tandem, ends: Ends) -> dict[str, int]:
    """All streams pause; the counters once they stand still, so that no packet is on its way."""
    ends.rtp.pause()
    now = relayed(server)
    for _ in range(TRIES):
        ends.sip.idle(REST)
        before, now = now, relayed(server)
        if before.get("received") == now.get("received"):
            break
    return now


def relayed(server: Tandem) -> dict[str, int]:
    """The relay's counters, by what became of a packet; empty where there is no relay."""
    found = ((METRIC.match(name), value) for name, value in server.metrics().items())
    return {match[1]: int(value) for match, value in found if match}
