"""Supervisors: they listen to live calls, whisper, barge in and leave, by API, by command and from their own phones."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e.legs import call_in, end, hear_each_other
from tests.e2e.queues import staff, state
from tests.peers import sound
from tests.peers.peer import Peer
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true


@pytest.fixture
async def chief() -> AsyncIterator[Phone]:
    """The phone of a supervisor."""
    async with await Phone.open("1003") as phone:
        yield phone
        print(phone.ladder())


async def hears_only(peer: Peer, *others: Peer) -> None:
    """Wait until exactly these are heard, each with its own tone, all at the same time; without any: silence."""
    if not others:
        await peer.sound.expect_silence()
        return
    tones = [other.sound.tone or 0.0 for other in others]

    def only() -> bool:
        shares = [peer.sound.heard(tone) for tone in tones]
        return min(shares) > 0.6 / len(tones) and sum(shares) > 0.9

    await eventually(only, f"{peer.name} hears {[other.name for other in others]}: {peer.sound.describe()}")


def never_heard(peer: Peer, other: Peer, seconds: float) -> None:
    """Not one block of the last seconds has the other one's tone in it."""
    heard = peer.sound.samples(seconds)
    assert len(heard) > sound.RATE
    share = max(
        sound.share(heard[at : at + sound.BLOCK], other.sound.tone or 0.0)
        for at in range(0, len(heard) - sound.BLOCK + 1, sound.BLOCK)
    )
    assert share < 0.01, f"{peer.name} has heard {other.name}: {share:.3f}"


async def talk(server: Server, caller: Caller, phone: Phone, chief: Phone, *, monitors: str = "all") -> str:
    """The caller talks to agent 1001, agent 1003 may listen; the call's id."""
    await call_in(server, caller, phone.uri)
    await phone.answers()
    await caller.answered()
    await hear_each_other(caller, phone)
    await staff(server, chief, "1003", (), at_work=False, monitors=monitors)
    return str((await server.api.calls())[0]["id"])


async def listening(server: Server, call: str, **wanted: str) -> dict[str, Any]:
    """Once a supervisor whose phone is up is like this."""

    async def there() -> dict[str, Any]:
        found = (await server.api.get(f"/v1/calls/{call}/monitor"))["monitors"]
        up = [one for one in found if one["since"] and wanted.items() <= one.items()]
        return dict(up[0]) if up else {}

    return await eventually_true(there, f"a supervisor with {wanted}")


async def test_a_supervisor_listens_whispers_and_barges_in(
    server: Server, caller: Caller, phone: Phone, chief: Phone
) -> None:
    """Who hears whom in each way, by API; the caller hears him in none but the last; he leaves and nobody notices."""
    listener = await server.listen()
    call = await talk(server, caller, phone, chief)
    await server.api.post("/v1/agents/1003/login", None)
    path = f"/v1/calls/{call}/monitor"
    rung = await server.api.post(path, {"supervisor": "1003"})
    assert (rung["agent"], rung["mode"], rung["since"]) == ("1001", "listen", None)
    ring = await chief.rings()
    assert ring.get("X-Tandem-Call-ID") == call
    assert ring.get("X-Tandem-Monitor") == "1001;mode=listen"
    ring.reply(200)
    await chief.expect("ACK")
    began = await listener.expect("call.monitor.started", call=call)
    assert {key: began["data"][key] for key in ("supervisor", "agent", "mode")} == {
        "supervisor": "1003", "agent": "1001", "mode": "listen",
    }  # fmt: skip
    await hears_only(chief, caller, phone)
    await hears_only(caller, phone)
    await hears_only(phone, caller)
    assert (await state(server, "1003", "talking"))["call"] == f"monitor:{call}"
    [shown] = (await server.api.calls())[0]["supervisors"]
    assert (shown["supervisor"], shown["mode"]) == ("1003", "listen")

    await server.api.patch(path, {"mode": "whisper"})
    await hears_only(phone, caller, chief)
    await hears_only(chief, caller, phone)
    await hears_only(caller, phone)
    never_heard(caller, chief, 2.0)

    await server.api.patch(path, {"mode": "barge", "supervisor": "1003"})
    await hears_only(caller, phone, chief)
    await hears_only(phone, caller, chief)
    await hears_only(chief, caller, phone)

    await server.api.patch(path, {"mode": "listen"})
    await hears_only(caller, phone)
    await hears_only(phone, caller)
    await server.api.delete(path)
    await chief.expect("BYE")
    ended = await listener.expect("call.monitor.ended", call=call)
    assert ended["data"]["why"] == "stopped"
    await state(server, "1003", "available")
    await hear_each_other(caller, phone)
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert [(part["role"], part["party"]) for part in cdr["parts"]][1:] == [("agent", "1001"), ("supervisor", "1003")]
    assert cdr["parts"][2]["answered_at"] is not None
    assert (cdr["extension"], cdr["cause"], cdr["ended_by"]) == ("1001", "normal", "caller")
    notes = [one["action"] for one in (await server.api.get("/v1/audit"))["entries"] if one["key"] == call]
    assert sorted(notes) == ["monitor", "monitor barge", "monitor end", "monitor listen", "monitor whisper"]
