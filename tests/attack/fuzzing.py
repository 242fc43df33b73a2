"""A fuzzer against the running server: it must go on answering, whatever becomes of sound requests."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.attack.mutation import mutated
from tests.attack.raw import STATUS, Raw
from tests.attack.requests import request
from tests.attack.torture import messages

BURST = 200
"Messages between two looks whether the server still answers."
FRESH = 20_000
"Messages after which the seeds are made anew: finished transactions are gone by then."


@dataclass(slots=True)
class Tally:
    """What was sent and what came back."""

    sent: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    last: bytes = b""
    "The newest message: of interest where the server has ended."

    def __str__(self) -> str:
        found = ", ".join(f"{status} {count}" for status, count in sorted(self.answers.items()))
        return f"{self.sent} messages; answers: {found or 'none'}"


def seeds(peer: Raw) -> list[bytes]:
    """What is mutated: the torture set, and the plain requests of every method."""
    found = [torture.make(peer.sender()) for torture in messages()]
    for method in ("INVITE", "OPTIONS", "REGISTER", "BYE", "CANCEL", "ACK", "REFER", "INFO", "UPDATE", "SUBSCRIBE"):
        sender = peer.sender()
        found += [
            request(sender, method),
            request(sender, method, to=f"To: <sip:4008109999@{sender.to}>;tag=x\r\n"),
        ]
    return [one for one in found if len(one) < 6000]


async def fuzz(peer: Raw, count: int, dice: Random, tally: Tally) -> None:
    """Send so many; raises TimeoutError where the server does not answer an OPTIONS any more."""
    stock: list[bytes] = []
    while tally.sent < count:
        if tally.sent % FRESH < BURST or not stock:
            stock = seeds(peer)
        for _ in range(min(BURST, count - tally.sent)):
            data = mutated(dice.choice(stock), dice, stock)
            if data.strip():
                tally.last = data
                peer.send(data)
            tally.sent += 1
            if tally.sent % 20 == 0:
                _collect(peer, tally)
        probe = peer.sender()
        await peer.ask(request(probe, "OPTIONS", uri=f"sip:{probe.to}"), patience=30)
        _collect(peer, tally)
        await asyncio.sleep(0)


def _collect(peer: Raw, tally: Tally) -> None:
    """Count the answers, and acknowledge what wants it: else the server repeats it for half a minute."""
    for answer in peer.drain():
        found = STATUS.match(answer)
        if found is None:
            continue
        tally.answers[int(found[1])] += 1
        if found[1] >= b"200":
            peer.acknowledge(answer)
