"""Carriers played by SIPp, each number doing what its last digit says, and campaigns that call over them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence

from dialer.command import Record
from dialer.outcome import Outcome
from tests.e2e.dialling import CONFIG, centre
from tests.e2e.queues import log_in
from tests.peers.configuration import Changes
from tests.peers.message import user_of
from tests.peers.server import Server
from tests.peers.sipp import Run, Sipp, Traced

TALKED = frozenset({Outcome.ANSWERED, Outcome.ABANDONED})
BY_DIGIT = {
    **dict.fromkeys("01234", TALKED), "5": {Outcome.BUSY}, "6": {Outcome.NO_ANSWER}, "7": {Outcome.INVALID_NUMBER},
    "8": {Outcome.REJECTED}, "9": TALKED,
}  # fmt: skip
"""What the phones of `carrier-by-number` do; 9 is the first carrier's fault, and answered over the second one."""


def config(carrier: Sipp, second: Sipp) -> Changes:
    """A server whose calls go to these two."""
    south = {"listener": "outside", "addresses": ["192.0.2.9/32"], "target": _address(second), "command_header": True}
    north = {**(CONFIG["trunks.carrier"] or {}), "target": _address(carrier)}
    return {**CONFIG, "trunks.carrier": north, "trunks.south": south}


def _address(peer: Sipp) -> str:
    return f"{peer.host}:{peer.port}"


async def agents_at_work(server: Server, agent: Sipp, extensions: Sequence[str]) -> None:
    """All behind one SIPp, each with a user of his own; their phones answer by themselves and their talks are short."""
    await centre(server)
    await agent.answers("agent-talks-shortly", messages=False)
    for extension in extensions:
        await server.api.add_agent(agent.uri.replace("sip:agent@", f"sip:{extension}@"), extension)
        body = {"extension": extension, "queues": {"orders": 1}, "connection": "auto-answer"}
        await server.api.request("PUT", f"/v1/agent-profiles/{extension}", body)
        await log_in(server, extension)


def rung(*runs: Run) -> dict[str, list[Traced]]:
    """The calls that carriers were sent, by number; a repeated INVITE counts once."""
    found: dict[str, list[Traced]] = defaultdict(list)
    seen: set[str] = set()
    for message in itertools.chain.from_iterable(run.received("INVITE") for run in runs):
        if message.call_id not in seen:
            seen.add(message.call_id)
            found[number_of(message)].append(message)
    return found


def number_of(invite: Traced) -> str:
    """Who is called by it."""
    return user_of(invite.start.split(" ")[1])


def wrong(records: Sequence[tuple[str, Record | None]]) -> list[tuple[str, object]]:
    """Records that say something else than the number's phone did."""
    return [
        (number, record and record.outcome)
        for number, record in records
        if record is None or record.outcome not in BY_DIGIT[number[-1]]
    ]
