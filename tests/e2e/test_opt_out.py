"""A call to the call-back number: who called says so, and a key puts the caller on the do-not-call list."""

import sqlite3
from contextlib import closing

from tests.e2e.ivr import HELLO, OVER, THANKS, WHICH, WRONG, open_ivr, over
from tests.peers.api import ACCESS_NUMBER, Json
from tests.peers.server import Server
from tests.peers.uac import Caller

NUMBER = "+447911123456"
MENU: Json = {
    "identity": {"kind": "prompt", "say": ["hello.wav"], "next": "offer", "barge_in": False},
    "offer": {"kind": "choice", "say": ["which.wav"], "keys": {"9": "list"}, "otherwise": "over"},
    "list": {"kind": "opt-out", "say": ["thanks.wav"], "otherwise": "failed"},
    "failed": {"kind": "prompt", "say": ["wrong.wav"], "next": "over"},
    "over": OVER,
}


def listed(server: Server) -> list[tuple[str, str, str]]:
    """Tenant, number and reason of everybody on a list."""
    with closing(sqlite3.connect(server.data / "tandem.db")) as database:
        return database.execute("SELECT tenant, number, reason FROM do_not_call").fetchall()


async def test_a_key_puts_a_caller_on_the_list_and_ends_the_call(server: Server, caller: Caller) -> None:
    """R3-12: identity first, whatever he presses meanwhile; then one key, no second question, and the number is on
    the tenant's own list before he is told so. A caller without a number is promised nothing."""
    await open_ivr(server, None, MENU, "identity")
    listener = await server.listen()
    await caller.invite(server.outside, ACCESS_NUMBER, caller=NUMBER)
    await caller.answered()
    await caller.hears(HELLO)
    caller.sound.press("9", 60)
    await caller.hears(WHICH)
    assert listed(server) == []
    caller.sound.press("9", 60)
    await caller.hears(THANKS)
    told = await listener.expect("call.opted-out")
    assert (told["data"]["tenant"], told["data"]["numbers"]) == ("acme", [NUMBER])
    assert listed(server) == [("acme", NUMBER, "opted-out")]
    await over(caller)
    await caller.invite(server.outside, ACCESS_NUMBER, caller="anonymous")
    await caller.answered()
    await caller.hears(WHICH)
    caller.sound.press("9", 60)
    await caller.hears(WRONG)
    await over(caller)
    assert len(listed(server)) == 1
