"""The answering side: an agent's phone, or the several phones behind one address."""

from tests.peers.exchange import Received
from tests.peers.peer import Peer


class Phone(Peer):
    """An agent's phone as a test sees it.

    ```
    phone = await Phone.open("1001")
    ring = await phone.expect("INVITE")
    ring.reply(180)
    ring.reply(200)  # with our SDP; sound starts
    await phone.expect("ACK")
    await phone.bye()
    ```
    """

    async def rings(self, user: str | None = None, within: float | None = None) -> Received:
        """Wait for a call (to this user, when several phones share the address) and send 180."""
        ring = await self.expect("INVITE", user=user, within=within)
        ring.reply(180)
        return ring

    async def answers(self, user: str | None = None, within: float | None = None) -> Received:
        """Wait for a call, ring, answer it and wait for the ACK; returns the INVITE."""
        ring = await self.rings(user, within)
        ring.reply(200)
        await self.expect("ACK", call=ring.call)
        return ring

    async def rejects(self, status: int = 486, user: str | None = None) -> Received:
        """Wait for a call, refuse it and wait for the ACK; returns the INVITE."""
        ring = await self.expect("INVITE", user=user)
        ring.reply(status)
        await self.expect("ACK", call=ring.call)
        return ring
