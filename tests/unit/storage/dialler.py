"""A dialler that is killed in the middle: it says each INVITE it would send, and books results as fast as it can."""

import asyncio
import json
import secrets
import sys
import time

from b2bua.storage import Storage
from b2bua.storage.dial_store import DialStore
from dialer.command import Command, CommandIds, Record
from dialer.outcome import Outcome
from dialer.ports import Written

CAMPAIGN, NODE = "spring", "n1"


async def recover(store: DialStore, now: float) -> int:
    """What a node does at its start: unfinished commands become unknown, leases without a command end."""
    left = await store.unfinished(NODE)
    for command in left:
        await store.book(Record(command.id, Outcome.UNKNOWN, now), now)
    await store.give_back_all(NODE)
    return len(left)


async def call(store: DialStore, ids: CommandIds, contact: str, number: str, now: float, *, at_once: bool) -> None:
    """One call, as the law of this store wants it: command, INVITE, record."""
    command = Command(ids.next(time.time()), CAMPAIGN, "acme", contact, number, 1, NODE, now)
    if await store.write_command(command) is not Written.OK:
        return
    print(json.dumps([command.id, contact, number]), flush=True)
    if not at_once:
        await asyncio.sleep(0.002)
    outcome = (Outcome.BUSY, Outcome.NO_ANSWER, Outcome.ANSWERED)[int(command.id[-1], 16) % 3]
    await store.book(Record(command.id, outcome, now), now)


async def main(url: str) -> None:
    """Until nothing is due; `done` is the last word."""
    storage = await Storage.open(url, upgrade=False)
    store, ids = DialStore(storage), CommandIds(secrets.randbits)
    await recover(store, time.time())
    while some := await store.take(CAMPAIGN, 20, time.time(), node=NODE):
        await asyncio.gather(
            *(
                call(store, ids, one.id, one.number.number, time.time(), at_once=n % 2 == 0)
                for n, one in enumerate(some)
            )
        )
    print(json.dumps("done"), flush=True)
    await storage.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
