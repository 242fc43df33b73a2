"""A process that claims tokens as fast as it can: run by tests with a URL, a name and a list of numbers."""

import asyncio
import json
import sys

from b2bua.storage import Storage
from b2bua.storage.tokens import ClaimOutcome, Tokens


async def main(url: str, name: str, now: str) -> None:
    """Wait for a line of numbers, claim each with 8 calls at once, print which were won and by which call."""
    storage = await Storage.open(url, pool=8)
    tokens = Tokens(storage, name)
    print("ready", flush=True)
    won: list[tuple[str, str]] = []
    for sequence in json.loads(sys.stdin.readline()):
        calls = [f"{name}-{n}" for n in range(8)]
        claims = await asyncio.gather(*(tokens.claim("acme", sequence, one, float(now), timeout=30) for one in calls))
        won += [
            (sequence, one) for one, claim in zip(calls, claims, strict=True) if claim.outcome is ClaimOutcome.CLAIMED
        ]
    print(json.dumps(won), flush=True)
    await storage.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
