"""A call of somebody else: whatever a test does to the server, its sound must go on ("nothing else disturbed")."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.e2e.legs import hear_each_other
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

NUMBER, EXTENSION = "4008100099", "1099"
FRESH = 30
"Packets each way that must come anew: longer than the window in which a tone is recognised."


class Bystander:
    """A trunk call that needs no token, with sound both ways, and its agent."""

    def __init__(self, caller: Caller, phone: Phone) -> None:
        self.caller, self.phone = caller, phone

    async def goes_on(self) -> None:
        """Both ends have heard nothing but each other, without a gap, from before until now."""
        for end in (self.caller, self.phone):
            await end.sound.expect_packets(FRESH)
        await hear_each_other(self.caller, self.phone)
        for end in (self.caller, self.phone):
            assert not end.got("BYE"), end.ladder()
            assert end.sound.lost() == 0, end.sound.describe()
            assert len(end.sound.streams) == 1, end.sound.describe()


@asynccontextmanager
async def bystander(server: Server) -> AsyncIterator[Bystander]:
    """Such a call, already talking; at the end it is still talking, and hangs up as usual."""
    async with await Caller.open("passer") as caller, await Phone.open(EXTENSION) as phone:
        await server.api.add_agent(phone.uri, EXTENSION)
        entry = {"kind": "agent", "target": EXTENSION}
        await server.api.add_access_number(NUMBER, correlation="off", entry=entry)
        await caller.invite(server.outside, NUMBER, caller="13911112222")
        await phone.answers()
        await caller.answered()
        await hear_each_other(caller, phone)
        other = Bystander(caller, phone)
        yield other
        await other.goes_on()
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")
        assert (await server.api.cdr(called=NUMBER))["cause"] == "normal"
