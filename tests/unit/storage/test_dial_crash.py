"""kill -9 of a dialler: no contact is lost, nobody is called twice."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from b2bua.storage import Storage
from b2bua.storage.dial_tables import dial_commands
from tests.unit.storage.contacts import CAMPAIGN, make, number, prepared

ROOT = Path(__file__).parents[3]
CONTACTS = 240


async def life(url: str, words: int) -> list[list[str]]:
    """One run of the dialler, killed after so many INVITEs; what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.unit.storage.dialler", url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    heard: list[list[str]] = []
    while line := await process.stdout.readline():
        if line.endswith(b"\n") and (word := json.loads(line)) != "done":
            heard.append(word)
            if len(heard) == words:
                os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    return heard


async def test_a_killed_dialler_calls_nobody_twice_and_forgets_nobody(url: str) -> None:
    """R3-04, R3-13: two lives are killed in the middle, the third ends; every contact has exactly one command."""
    storage = await Storage.open(url)
    once = replace(CAMPAIGN, retries={}, redial_gap=1e9)
    store = await make(storage, once, [prepared(n, number(n)) for n in range(1, CONTACTS + 1)])
    invites: list[list[str]] = []
    for words in (57, 83, 0):
        invites += await life(url, words)
    assert max(Counter(contact for _, contact, _ in invites).values()) == 1
    assert len({command for command, _, _ in invites}) == len(invites)
    query = sa.select(dial_commands.c.contact, dial_commands.c.outcome)
    rows = await storage.read(lambda conn: [tuple(row) for row in conn.execute(query)])
    assert len(rows) == len({contact for contact, _ in rows}) == CONTACTS
    unknown = {contact for contact, outcome in rows if outcome == "unknown"}
    progress = await store.progress("spring", 0.0)
    assert (progress.leased, progress.in_call, progress.open) == (0, 0, len(unknown))
    assert progress.counts.unknown == len(unknown)
    assert {contact for contact, _ in rows} - {contact for _, contact, _ in invites} <= unknown
    await storage.close()
