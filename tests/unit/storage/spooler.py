"""A process with a spool, for tests that kill it or fill its disk; its arguments are a mode and a folder."""

import asyncio
import json
import os
import resource
import sys
from pathlib import Path

from b2bua.storage import Storage
from b2bua.storage.calls import CallRecord
from b2bua.storage.recover import Heartbeat
from b2bua.storage.spool import Spool
from b2bua.storage.tokens import NewToken, Tokens
from tests.unit.storage.records import append_event, stored_numbers

NOW = 1_800_000_000.0


def say(word: object) -> None:
    """One line to the test, at once and past all buffers: it is only written when what it says is true."""
    os.write(1, f"{json.dumps(word)}\n".encode())


async def append_for_ever(storage: Storage, folder: Path) -> None:
    """Append events as fast as possible, saying each number once it is accepted; the drain runs beside it."""
    spool = Spool.open(folder / "spool", storage, segment_bytes=20_000)
    task = asyncio.create_task(spool.run())
    number = 0
    while not task.done():
        for _ in range(50):
            number += 1
            append_event(spool, number, "y" * (number % 700))
            say(number)
        await asyncio.sleep(0)


async def take_calls_for_ever(storage: Storage, folder: Path) -> None:
    """Take calls as the server does: claim, answer every other one, say what became of each; never end one."""
    spool = Spool.open(folder / "spool", storage, segment_bytes=20_000)
    heartbeat = Heartbeat(folder / "heartbeat")
    task = asyncio.create_task(spool.run())
    tokens = Tokens(storage, "n1")
    issued = await tokens.issue_many("acme", [NewToken()] * 5000, width=8, ttl=300.0, now=NOW)
    for n, token in enumerate(issued):
        if task.done():
            break
        call = f"call-{n:06}"
        await tokens.claim("acme", token.sequence, call, NOW)
        say(["claimed", call, token.sequence])
        if n % 2:
            record = CallRecord(
                call, "n1", "inbound", NOW + n, "acme", sequence=token.sequence, answered_at=NOW + n + 1
            )
            spool.append("consume", {"tenant": "acme", "sequence": token.sequence, "call": call, "at": NOW + n + 1})
            spool.append("call", record.as_record())
            heartbeat.beat(NOW + n + 2)
            say(["answered", call, token.sequence])


async def fill_the_disk(storage: Storage, folder: Path) -> None:
    """Have every file of this process refuse to grow, then let it grow again; say what was seen."""
    spool = Spool.open(folder / "spool", storage)
    task = asyncio.create_task(spool.run())
    for number in range(1, 51):
        append_event(spool, number, "y" * 500)
    await spool.drain()
    (segment,) = (folder / "spool").glob("*.jsonl")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The next line fits by half.
    resource.setrlimit(resource.RLIMIT_FSIZE, (segment.stat().st_size + 300, limit[1]))
    for number in range(51, 251):
        append_event(spool, number, "y" * 500)
    drained = await spool.drain(0.5)
    say([spool.alarm, drained, spool.pending, spool.lost, segment.read_bytes()[-1:] == b"\n"])
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    drained = await spool.drain(10)
    append_event(spool, 251)
    drained = drained and await spool.drain(10)
    sound = await storage.read(lambda conn: conn.exec_driver_sql("PRAGMA integrity_check").scalar())
    say([spool.alarm, drained, spool.pending, spool.lost, await stored_numbers(storage) == list(range(1, 252)), sound])
    task.cancel()
    await spool.close()


async def main(mode: str, folder: str) -> None:
    """Open the database in the folder and do it."""
    storage = await Storage.open(f"sqlite:///{folder}/tandem.db")
    modes = {"append": append_for_ever, "calls": take_calls_for_ever, "full": fill_the_disk}
    await modes[mode](storage, Path(folder))
    await storage.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
