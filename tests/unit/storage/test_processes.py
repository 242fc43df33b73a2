"""Several processes on one database: a token still has one winner (R1-09)."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

from b2bua.storage import Storage
from b2bua.storage.tokens import NewToken, Tokens

ROOT = Path(__file__).parents[3]
PROCESSES = 4
NOW = 1_800_000_000.0


async def test_claims_of_several_processes_have_one_winner_each(url: str) -> None:
    """R1-09: 4 processes with 8 calls each go for the same numbers in the same moment, one number after the other."""
    storage = await Storage.open(url)
    issued = await Tokens(storage, "n0").issue_many("acme", [NewToken()] * 40, width=6, ttl=300.0, now=NOW)
    sequences = [token.sequence for token in issued]
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.unit.storage.claimer",
            url,
            f"n{n}",
            str(NOW),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for n in range(1, PROCESSES + 1)
    ]
    for child in children:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(child.communicate(json.dumps(sequences).encode() + b"\n") for child in children))
    assert [child.returncode for child in children] == [0] * PROCESSES
    winners = {sequence: call for out, _ in answers for sequence, call in json.loads(out)}
    counted = Counter(sequence for out, _ in answers for sequence, _ in json.loads(out))
    assert counted == dict.fromkeys(sequences, 1)
    for token in await Tokens(storage, "n0").page("acme"):
        assert token.call == winners[token.sequence]
    await storage.close()
