"""Fraud and policy on live calls: lists, calls at once, minutes of a day that end a running call, over a restart."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import talking
from tests.peers.configuration import Changes
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

FAR = "08912345"
"A number behind the trunk; the trunk is German."


@pytest.fixture
async def far() -> AsyncIterator[Phone]:
    """Whoever is called outside, and the trunk before him."""
    async with await Phone.open("far") as peer:
        yield peer
        print(peer.ladder())


WARNING = 950.0
"Hz of the tone that a limit is told by."


async def german(start_server: StartServer, far: Phone) -> Server:
    """A server whose trunk takes calls out."""
    target = f"{far.address[0]}:{far.port}"
    trunk = {"target": target, "country_code": "49", "national_prefix": "0", "called_out": ["strip 9"]}
    changes: Changes = {"trunks.carrier": trunk | {"probe": False}, "trunk_groups.all": {"members": ["carrier"]}}
    return await start_server(changes)


async def dial(server: Server, number: str, trunk: str = "carrier") -> tuple[int, str]:
    """Click to call from agent 1001; status and, where it is refused, why."""
    body = {"a": {"agent": "1001"}, "b": {"number": number, "trunk": trunk}, "tenant": "acme"}
    answer = await server.api.http.post("/v1/calls", json=body)
    return answer.status_code, answer.json().get("detail", "")


async def test_minutes_of_a_day_end_a_running_call_and_are_known_after_a_restart(
    start_server: StartServer, phone: Phone, far: Phone
) -> None:
    """Toll fraud is caught on live calls: destination list, calls at once, minutes a day of each agent, alarms."""
    server = await german(start_server, far)
    await server.api.add_tenant()
    await server.api.add_agent(phone.uri, "1001")
    cap = {"id": "cap", "per": "agent", "allow": ["+49"], "deny": ["+49900"], "calls": 1, "minutes": 0.03} | {
        "trunks": ["carrier"]
    }
    tone = {"id": "tone", "minutes": 0.01, "at_limit": "warn"}
    await server.api.add_plan(policies=[cap, tone])
    listener = await server.listen()
    for number, trunk, why in (
        ("0088213", "carrier", "node, never"),
        ("90088213", "carrier", "node, never"),  # the trunk takes the nine away
        ("0033123", "carrier", "cap, not-allowed"),
        ("0900123456", "all", "cap, denied"),
    ):
        status, detail = await dial(server, number, trunk)
        assert (status, detail.endswith(why)) == (409, True), detail
        assert (await listener.expect("outside.refused"))["data"]["number"] == number
    assert (await dial(server, FAR))[0] == 202
    await phone.answers()
    await far.answers(FAR)
    assert await dial(server, FAR) == (409, f"{FAR} may not be dialled: policy cap, calls")
    await phone.hears(far)
    await far.hears(phone)
    await phone.sound.expect_tone(WARNING, clear=0.15)  # the other's tone goes on beside it
    while (alarm := await listener.expect("outside.alarm"))["data"]["policy"] != "cap":
        assert alarm["data"]["policy"] == "tone"
    assert alarm["data"] | {"used": 0} == {
        "policy": "cap", "key": "1001", "what": "minutes", "level": alarm["data"]["level"], "used": 0, "limit": 0.03,
    }  # fmt: skip
    await phone.expect("BYE", within=8)
    await far.expect("BYE")
    row = await server.api.cdr()
    assert (row["cause"], row["ended_by"]) == ("hung-up", "policy cap")
    [leg] = row["detail"]["outside"]
    assert (leg["number"], leg["trunk"], leg["agent"], leg["origin"]) == (FAR, "carrier", "1001", "api")
    assert await server.api.counted("tandem_outside_ended_total", policy="cap") == 1
    assert await server.api.counted("tandem_outside_alarms_total", policy="cap", level="reached") == 1
    before = (await server.api.get("/v1/outside"))["counts"]
    assert [count["policy"] for count in before] == ["cap", "tone"]
    await server.restart()
    count, _ = (await server.api.get("/v1/outside"))["counts"]
    assert (count["policy"], count["key"], count["calls"]) == ("cap", "1001", 0)
    assert count["minutes"] == pytest.approx(before[0]["minutes"], abs=0.005)
    assert await dial(server, FAR) == (409, f"{FAR} may not be dialled: policy cap, minutes")
    for policy in ("cap", "tone"):
        await server.api.patch(f"/v1/policies/{policy}", {"minutes": 100})
    assert (await dial(server, FAR))[0] == 202
    await phone.rejects()


async def test_a_transfer_outside_asks_the_policies_and_an_emergency_call_is_put_through(
    start_server: StartServer, caller: Caller, phone: Phone, far: Phone
) -> None:
    """No dialling by transfer past a policy: the caller is back with his agent; 112 passes every policy, with alarm."""
    server = await german(start_server, far)
    await server.api.add_plan(policies=[{"id": "none", "calls": 0}])
    await talking(server, caller, phone)
    [live] = await server.api.calls()
    listener = await server.listen()
    await server.api.post(f"/v1/calls/{live['id']}/transfer", {"kind": "number", "target": FAR})
    refused = (await listener.expect("outside.refused"))["data"]
    assert (refused["policy"], refused["why"], refused["origin"]) == ("none", "calls", "transfer")
    await phone.answers()  # the caller comes back to him
    assert not far.got("INVITE")

    async def talks() -> bool:
        return str((await server.api.calls())[0]["state"]) == "talking"

    await eventually_true(talks, "the caller talks again")
    await server.api.post(f"/v1/calls/{live['id']}/transfer", {"kind": "number", "target": "112"})
    assert (await listener.expect("outside.emergency"))["data"]["number"] == "112"
    await far.answers("112")
    await caller.hears(far)
    assert await server.api.counted("tandem_outside_emergency_total") == 1
    await (await caller.bye()).expect(200)
    await far.expect("BYE")
