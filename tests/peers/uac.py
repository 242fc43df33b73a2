"""The calling side: a trunk, or anybody else who places calls."""

from tests.peers.peer import Peer


class Caller(Peer):
    """A trunk as a test sees it.

    ```
    caller = await Caller.open()
    await caller.invite(
        server.outside, "4008100001", caller="02088880000", headers={"Diversion": "<sip:91000001@trunk>"}
    )
    await caller.expect(180)
    answer = await caller.answered()  # 200 and our ACK
    await caller.hears(phone)  # its tone, clearly
    await (await caller.bye()).expect(200)
    ```
    """
