"""Mutated messages against the running server, bounded; `scripts/attack fuzz` runs a million."""

from random import Random

from tests.attack.fuzzing import Tally, fuzz
from tests.attack.raw import raw
from tests.e2e.bystander import bystander
from tests.peers.server import Server

COUNT = 6000


async def test_mutated_messages_end_no_process_and_no_call(server: Server) -> None:
    """Promise (c): 0 crashes; the call beside them goes on, at both listeners."""
    seed = Random().randrange(10**6)
    tally = Tally()
    print(f"seed {seed}")
    async with bystander(server) as other, raw(server.outside) as trunk, raw(server.inside) as inside:
        await fuzz(trunk, COUNT, Random(seed), tally)
        await fuzz(inside, COUNT // 3, Random(seed + 1), Tally())
        print(tally)
        await other.goes_on()
    assert {400, 404} <= tally.answers.keys(), "broken ones and sound ones were read"
