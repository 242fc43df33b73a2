"""A call's inbox at its end, and REFERs of those who talk to nobody."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from b2bua.calls.moving import Handed, Packet
from b2bua.calls.parties import Party, Role
from b2bua.calls.record import Record
from b2bua.calls.session import Session
from b2bua.sip.engine import Headers
from b2bua.sip.leg import Leg
from b2bua.sip.refer import Referral
from b2bua.sip.signals import Closed, Refer


class Far:
    """A leg whose far end is up, and goes when it is told to."""

    def __init__(self, id: int) -> None:
        self.id, self.sip_call_id, self.owner, self.referrals = id, f"call-{id}", "1001", 0
        self.sink: Callable[[Any], None] | None = None
        self.hung_up = False
        self.heard: list[tuple[int, int]] = []
        "Code and number of each NOTIFY."

    def hang_up(self, code: int, headers: Headers) -> None:
        self.hung_up = True
        if self.sink is not None:
            self.sink(Closed(self.id, 200, by_peer=False))

    def notify(self, code: int, phrase: str, *, final: bool, number: int) -> bool:
        self.heard.append((code, number))
        return True


class Quiet:
    """The sound of a leg that nobody listens to."""

    def close(self) -> None:
        """Nothing is open."""


def a_call(far: Far, role: Role) -> Session:
    """A call with one leg."""
    record = Record("c1", "node", "inbound", 0.0, asyncio.get_running_loop().time())
    call = Session(cast("Any", None), record)
    far.sink = call.deliver
    call.legs[far.id], call.sounds[far.id] = cast("Any", far), cast("Any", Quiet())
    call.parties.adopt(far.id, Party(role, Leg.UP))
    return call


async def test_a_leg_that_is_handed_over_while_the_caller_leaves_is_hung_up() -> None:
    """Nobody else knows it by then: its dialog would stay up for ever."""
    handed = Far(2)
    call = a_call(Far(1), Role.CALLER)
    call.caller = 1
    call.deliver(Closed(1, 200, by_peer=True))
    party = Party(Role.AGENT, Leg.UP)
    call.deliver(Handed(Packet(cast("Any", handed), party, cast("Any", Quiet()), "1002", "", "c2")))
    await call.clear(1.0)
    assert handed.hung_up
    assert call.parties.state(2) is Leg.GONE


async def test_a_second_refer_of_who_talks_to_nobody_is_told_from_the_first() -> None:
    """RFC 3515 2.4.6: the NOTIFY of every REFER but the first in its dialog has an id."""
    waits = Far(1)
    call = a_call(waits, Role.AGENT)
    for number in (7, 8):
        call.deliver(Refer(1, Referral("1002", "", number=number)))
        await call.next()
    call.deliver(Refer(1, Referral("1002", "", notify=False, number=9)))
    call.deliver(Refer(5, Referral("1002", "", number=9)))
    call.catch_up()
    assert waits.heard == [(480, 0), (480, 8)]
    assert waits.referrals == 3
