"""Messages made to break parsers (classes of RFC 4475 and RFC 5118): each gets the right reaction, and calls go on."""

from tests.attack.raw import raw
from tests.attack.torture import messages
from tests.e2e.bystander import bystander
from tests.peers.server import Server


async def test_each_torture_message_gets_its_reaction(server: Server) -> None:
    """Promise (c): no wrong reaction to any of them; a call that goes on beside hears nothing of it."""
    wrong = []
    async with bystander(server) as other, raw(server.outside) as peer:
        for torture in messages():
            try:
                statuses = await peer.ask(torture.make(peer.sender()))
            except TimeoutError:
                wrong.append(f"{torture.name}: the server says nothing any more")
                break
            final = [status for status in statuses if status >= 200]
            right = torture.silence if not final else final[-1] in torture.statuses
            if not right:
                wrong.append(f"{torture.name} ({torture.section}): {statuses}, not {sorted(torture.statuses)}")
        await other.goes_on()
    assert not wrong, "\n".join(wrong)
