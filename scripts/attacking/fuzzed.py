"""Mutated messages, as many as one likes: the process must live, and answer."""

import asyncio
import time
from pathlib import Path
from random import Random

from benching.console import headline, note
from benching.cores import Cores
from tests.attack.fuzzing import Tally, fuzz
from tests.attack.raw import raw

from .target import TRUNK, Target
from .verdict import Verdict

CHUNK = 50_000


def measure(folder: Path, cores: Cores, *, count: int, seed: int) -> list[Verdict]:
    """`count` messages by the trunk, so that they get as deep as messages can."""
    headline(f"{count:,} mutated messages, seed {seed}")
    tally = Tally()
    with Target(folder / "fuzzed", prefix=cores.on_server([])) as server:
        server.start()
        server.serve_one_tenant("sip:agent@127.0.0.1:9")
        why = asyncio.run(_run(server, tally, count, seed))
        alive = server.child is not None and server.child.alive
        faults = [line for line in server.log_tail(10**6).splitlines() if "Traceback" in line or " error " in line]
        if not alive or why:
            crash = folder / "last-message"
            crash.write_bytes(tally.last)
            note(f"the newest message is in {crash}; its log ends with\n{server.log_tail(30)}")
    return [
        Verdict("fuzz", "messages until the process ended or fell silent", f"{tally.sent:,}{why}", f"{count:,}",
                alive and not why),
        Verdict("fuzz", "faults in the log", str(len(faults)), "0", not faults),
    ]  # fmt: skip


async def _run(server: Target, tally: Tally, count: int, seed: int) -> str:
    """Empty, or why it ended early."""
    begin = time.monotonic()
    async with raw(server.address, TRUNK) as peer:
        while tally.sent < count:
            try:
                await fuzz(peer, min(count, tally.sent + CHUNK), Random(f"{seed}/{tally.sent}"), tally)
            except TimeoutError:
                return " (no answer any more)"
            note(f"{tally} ({tally.sent / (time.monotonic() - begin):,.0f}/s)")
    return ""
