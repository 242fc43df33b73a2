"""Supervisors: they listen to live calls, whisper, barge in and leave, by API, by command and from their own phones."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from typer.testing import CliRunner

from b2bua.cli import make_app
from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_in, end, hear_each_other
from tests.e2e.phones import OFFICE, hire, invite, register
from tests.e2e.queues import log_in, staff, state
from tests.e2e.test_refer import here
from tests.peers import sound
from tests.peers.peer import Peer
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

BEEP = 1400.0
"Hertz of the tone that an agent hears."


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
    never_heard_tone(peer, other.sound.tone or 0.0, seconds)


def never_heard_tone(peer: Peer, tone: float, seconds: float) -> None:
    """The same for a tone of ours."""
    heard = peer.sound.samples(seconds)
    blocks = [heard[at : at + sound.BLOCK] for at in range(0, len(heard) - sound.BLOCK + 1, sound.BLOCK)]
    share = max(sound.share(block, tone) for block in blocks)
    assert share < 0.01, f"{peer.name} has heard {tone:g} Hz: {share:.3f}"


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


async def path_of(server: Server) -> tuple[str, str]:
    """The way that the sound of the only call takes, and why."""
    [call] = await server.api.calls()
    return call["path"], call["path_reason"]


async def relayed(server: Server) -> bool:
    return (await path_of(server))[0] == "relay"


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
    assert await path_of(server) == ("conference", "supervisor")

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
    await eventually_true(lambda: relayed(server), "the sound takes the short way again")
    await hear_each_other(caller, phone)
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert [(part["role"], part["party"]) for part in cdr["parts"]][1:] == [("agent", "1001"), ("supervisor", "1003")]
    assert cdr["parts"][2]["answered_at"] is not None
    assert (cdr["extension"], cdr["cause"], cdr["ended_by"]) == ("1001", "normal", "caller")
    notes = [one["action"] for one in (await server.api.get("/v1/audit"))["entries"] if one["key"] == call]
    assert sorted(notes) == ["monitor", "monitor barge", "monitor end", "monitor listen", "monitor whisper"]


async def test_a_supervisor_dials_for_an_agent_and_goes_with_the_call(
    server: Server, caller: Caller, phone: Phone, chief: Phone
) -> None:
    """*51001 from his own phone, 5 and 6 change the way, no key of his reaches anybody; after a transfer he listens to
    the new agent, and no more than that; the end of the call is his end."""
    listener = await server.listen()
    async with await Phone.open("1002") as other:
        await staff(server, chief, "1003", (), at_work=False)
        await (await chief.invite(here(server, "*51001"), "*51001", caller="1003")).expect(403)
        await server.api.patch("/v1/agent-profiles/1003", {"monitors": "all"})
        await call_in(server, caller, phone.uri)
        await (await chief.invite(here(server, "*51001"), "*51001", caller="1003")).expect(404)
        await phone.answers()
        await caller.answered()
        call = str((await server.api.calls())[0]["id"])
        await (await chief.invite(here(server, "*51001"), "*51001", caller="1003")).answered()
        await hears_only(chief, caller, phone)
        chief.sound.press("95")
        assert (await listening(server, call, mode="whisper"))["by"] == "agent 1003"
        await hears_only(phone, caller, chief)
        await hears_only(caller, phone)
        chief.sound.press("6")
        await hears_only(caller, phone, chief)
        assert (caller.sound.digits, phone.sound.digits) == ("", "")

        await server.api.add_agent(other.uri, "1002")
        await server.api.post(f"/v1/calls/{call}/transfer", {"kind": "agent", "target": "1002"})
        await phone.expect("BYE")
        await other.answers()
        moved = await listener.expect("call.monitor.moved", call=call)
        assert (moved["data"]["from"], moved["data"]["agent"], moved["data"]["mode"]) == ("1001", "1002", "listen")
        await hears_only(chief, caller, other)
        await hears_only(caller, other)
        await hears_only(other, caller)
        await (await other.bye()).expect(200)
        await caller.expect("BYE")
        await chief.expect("BYE")
        assert (await listener.expect("call.monitor.ended", call=call))["data"]["why"] == "call-ended"
        parts = (await server.api.cdr())["parts"]
        assert [part["role"] for part in parts] == ["caller", "agent", "supervisor", "agent"]


async def test_a_supervisor_leaves_and_nobody_notices(
    server: Server, caller: Caller, phone: Phone, chief: Phone
) -> None:
    """By his own BYE, from every way; a phone that refuses, and one that is rung in vain; keys that are tones."""
    listener = await server.listen()
    call = await talk(server, caller, phone, chief)
    path = f"/v1/calls/{call}/monitor"
    await server.api.post(path, {"supervisor": "1003", "mode": "barge"})
    assert (await server.api.http.post(path, json={"supervisor": "1003"})).status_code == 409, "he is rung already"
    await chief.rejects(486)
    assert (await listener.expect("call.monitor.failed"))["data"]["why"] == "status 486"
    await server.api.post(path, {"supervisor": "1003"})
    await chief.rings()
    await server.api.delete(path, supervisor="1003")
    await chief.expect("CANCEL")
    assert (await listener.expect("call.monitor.failed"))["data"]["why"] == "stopped"
    for mode in ("barge", "listen"):
        await server.api.post(path, {"supervisor": "1003", "mode": mode})
        ring = await chief.rings()
        ring.reply(200, sdp=chief.sdp(events=False))
        await chief.expect("ACK")
        await hears_only(caller, *((phone, chief) if mode == "barge" else (phone,)))
        await hears_only(chief, caller, phone)
        chief.sound.press_tones("5")
        await listening(server, call, mode="whisper")
        await hears_only(caller, phone)
        await hears_only(chief, caller, phone)
        await (await chief.bye()).expect(200)
        assert (await listener.expect("call.monitor.ended"))["data"]["why"] == "left"
        await hears_only(phone, caller)
    assert (await server.api.http.request("DELETE", path)).status_code == 409
    assert (await server.api.http.patch(path, json={"mode": "barge", "supervisor": "1003"})).status_code == 404
    await end(caller, phone)
    parts = (await server.api.cdr())["parts"]
    assert [part["sip_code"] for part in parts if part["role"] == "supervisor"] == [486, 487, 200, 200]


async def test_only_who_has_the_right_listens(server: Server, caller: Caller, phone: Phone, chief: Phone) -> None:
    """`monitors` of a profile decides: nobody, those of a queue of his, all; keys: a tenant's its own calls, an
    agent's himself."""
    call = await talk(server, caller, phone, chief, monitors="nobody")
    path = f"/v1/calls/{call}/monitor"
    tenant = {"name": "other", "role": "tenant", "tenant": "other"}
    await server.api.add_tenant("other", "7002", billing_numbers=("02099990000",))
    asked: dict[str, dict[str, str]] = {"admin": {}}
    for name, body in (
        ("other", tenant),
        ("acme", {**tenant, "tenant": "acme"}),
        ("1001", {"name": "1001", "role": "agent", "extension": "1001"}),
        ("1003", {"name": "1003", "role": "agent", "extension": "1003"}),
    ):
        asked[name] = {"Authorization": f"Bearer {(await server.api.post('/v1/api-keys', body))['secret']}"}

    async def answers(body: dict[str, str]) -> dict[str, int]:
        return {
            name: (await server.api.http.post(path, json=body, headers=headers)).status_code
            for name, headers in asked.items()
        }

    nobody = {"admin": 403, "other": 404, "acme": 403, "1001": 403, "1003": 403}
    assert await answers({"supervisor": "1003"}) == nobody
    await server.api.request("PUT", "/v1/queues/orders", {"id": "orders", "name": "orders"})
    profile = {"extension": "1003", "queues": {"orders": 1}, "monitors": "queues"}
    await server.api.request("PUT", "/v1/agent-profiles/1003", profile)
    assert await answers({"supervisor": "1003"}) == nobody
    await server.api.request("PUT", "/v1/agent-profiles/1001", {"extension": "1001", "queues": {"orders": 1}})
    for name in ("acme", "1003"):
        body = {} if name == "1003" else {"supervisor": "1003"}
        answer = await server.api.http.post(path, json=body, headers=asked[name])
        assert answer.status_code == 202, answer.text
        await chief.answers()
        await hears_only(chief, caller, phone)
        seen = (await server.api.http.get(path, headers=asked["1001"])).json()
        assert seen == {"monitors": []}, "an agent is not told who listens"
        await server.api.delete(path)
        await chief.expect("BYE")


async def test_listening_ends_where_no_agent_talks(start_server: StartServer, caller: Caller, chief: Phone) -> None:
    """A phone that has registered dials for it; the agent hears a tone where that is configured; sent outside, the
    caller talks to nobody of ours."""
    caller.sound.tone, chief.sound.tone = 500.0, 800.0
    async with await Caller.open("outside", tone=1100.0) as outside, await Phone.open("1001", tone=2000.0) as phone:
        server = await start_server(
            {
                **OFFICE,
                "trunks.carrier": {"target": f"127.0.0.1:{outside.port}"},
                "monitoring": {"tone": True},
            }
        )
        listener = await server.listen()
        await call_in(server, caller, phone.uri)
        await phone.answers()
        await caller.answered()
        await hear_each_other(caller, phone)
        call = (await server.api.calls())[0]["id"]
        await hire(server, "1003")
        await server.api.request("PUT", "/v1/agent-profiles/1003", {"extension": "1003", "monitors": "all"})
        await register(server, chief, f"<{chief.uri}>", "1003")
        await invite(server, chief, "*51001", "1003")
        await chief.answered()
        await phone.sound.expect_tone(BEEP, clear=0.1)
        chief.sound.press("6")
        await hears_only(caller, phone, chief)
        never_heard_tone(caller, BEEP, 2.0)
        await server.api.post(f"/v1/calls/{call}/transfer", {"kind": "number", "target": "13900000009"})
        ring = await outside.expect("INVITE")
        ring.reply(200)
        await outside.expect("ACK")
        await chief.expect("BYE")
        assert (await listener.expect("call.monitor.ended"))["data"]["why"] == "no-agent"
        await hears_only(caller, outside)
        never_heard(outside, chief, 2.0)
        await (await caller.bye()).expect(200)


async def test_commands_do_the_same(server: Server, caller: Caller, phone: Phone, chief: Phone) -> None:
    """`tandem calls monitor` begins, changes, shows and ends it; `tandem calls consult` asks a colleague, with a
    supervisor in the conference; its refusals are the server's."""

    async def tandem(*words: str) -> str:
        environ = {"TANDEM_API_TOKEN": server.api.token, "TANDEM_URL": server.api.url}
        done = await asyncio.to_thread(
            CliRunner().invoke, make_app(lambda settings: None), ["calls", *words], env=environ
        )
        return str(done.output)

    async with await Phone.open("1002") as other:
        call = await talk(server, caller, phone, chief)
        await staff(server, other, "1002", (), at_work=False)
        assert "nobody listens" in await tandem("monitor", call)
        assert "may not listen" in await tandem("monitor", call, "1002")
        said = await tandem("monitor", call, "1003")
        assert said == f"supervisor 1003 is rung for call {call}, agent 1001: listen\n"
        await chief.answers()
        await hears_only(chief, caller, phone)
        said = await tandem("monitor", call, "1003", "--mode", "whisper")
        assert said == f"supervisor 1003 in call {call}: whisper\n"
        await hears_only(phone, caller, chief)
        assert "whisper" in await tandem("monitor", call)
        assert "give either" in await tandem("consult", call)
        assert await tandem("consult", call, "1002") == f"call {call}: agent 1002 is asked\n"
        await other.answers()
        await hears_only(phone, other, chief)
        await hears_only(other, phone)
        await hears_only(chief, phone, other)
        assert await tandem("consult", call, "--join") == f"call {call}: joined\n"
        await hears_only(other, caller, phone)
        await hears_only(caller, phone, other)
        await hears_only(phone, caller, other, chief)
        assert await tandem("consult", call, "--complete") == f"call {call}: completed\n"
        await phone.expect("BYE")
        await hears_only(chief, caller, other)
        await hears_only(other, caller)
        assert await tandem("monitor", call, "1003", "--end") == f"supervisor 1003 leaves call {call}\n"
        await chief.expect("BYE")
        await (await caller.bye()).expect(200)
        await other.expect("BYE")


async def test_a_standing_line_listens_and_a_hold_passes(
    server: Server, caller: Caller, phone: Phone, chief: Phone
) -> None:
    """The line is lent for it and comes back, time and again; while the agent holds only the caller is heard, and all
    is as before afterwards."""
    call = await talk(server, caller, phone, chief)
    await server.api.patch("/v1/agent-profiles/1003", {"connection": "nailed-up"})
    await log_in(server, "1003")
    await chief.answers()
    await state(server, "1003", "available")
    path = f"/v1/calls/{call}/monitor"
    await server.api.post(path, {"supervisor": "1003", "mode": "whisper"})
    await hears_only(phone, caller, chief)
    await hears_only(caller, phone)
    await server.api.delete(path)
    await hears_only(phone, caller)
    await chief.sound.expect_silence()
    await state(server, "1003", "available")
    await server.api.post(path, {"supervisor": "1003", "mode": "barge"})
    await hears_only(caller, phone, chief)
    await phone.call.hold()
    await hears_only(chief, caller)
    await phone.call.resume()
    await hears_only(chief, caller, phone)
    await hears_only(caller, phone, chief)
    await end(caller, phone)
    await state(server, "1003", "available")
    await chief.sound.expect_silence()
