"""Parking and pick-up: from slots, from other phones, and an agent's own call from another phone of his."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.conftest import StartServer
from tests.e2e.legs import call_in, end, hear_each_other
from tests.e2e.queues import come, open_number, open_queue, staff, state, waiting
from tests.e2e.test_refer import here, told
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true


@pytest.fixture
async def other() -> AsyncIterator[Phone]:
    async with await Phone.open("1002") as phone:
        yield phone
        print(phone.ladder())


async def dial(server: Server, phone: Phone, user: str) -> None:
    """The phone calls a number of ours."""
    call = await phone.invite(here(server, user), user, caller=phone.name)
    await call.answered()


async def parked(server: Server, n: int = 1) -> list[dict[str, object]]:
    """Once so many are parked, they by slot."""

    async def there() -> list[dict[str, object]]:
        found = (await server.api.get("/v1/parked"))["parked"]
        return list(found) if len(found) == n else []

    return list(await eventually_true(there, f"{n} parked"))


async def test_a_caller_is_parked_and_picked_up_elsewhere(
    server: Server, caller: Caller, phone: Phone, other: Phone
) -> None:
    """By REFER to a slot; he hears music; another agent dials the slot and has him; a slot that is taken is refused."""
    listener = await server.listen()
    await call_in(server, caller, phone.uri)
    await phone.answers()
    await caller.answered()
    await server.api.add_agent(other.uri, "1002")
    await (await phone.call.refer(here(server, "705"))).expect(202)
    await told(phone, "100", final=False)
    await told(phone, "200", final=True)
    await phone.expect("BYE")
    [slot] = await parked(server)
    assert (slot["slot"], slot["by"]) == ("705", "1001")
    await caller.sound.expect_not(phone.sound.tone or 0.0)
    await (await phone.invite(here(server, "706"), "706", caller="1001")).expect(404)
    await dial(server, other, "705")
    await caller.hears(other)
    await other.hears(caller)
    assert (await server.api.get("/v1/parked"))["parked"] == []
    for type_ in ("call.parked", "call.unparked", "call.picked-up"):
        await listener.expect(type_)
    await (await other.call.refer(here(server, "1001"))).expect(202)  # who has picked him up may send him on
    await phone.answers()
    await hear_each_other(caller, phone)
    await end(caller, phone)
    cdr = await server.api.cdr()
    assert [part["party"] for part in cdr["parts"]][1:] == ["1001", "1002", "1001"]


async def test_a_caller_nobody_picks_up_rings_whoever_has_parked_him(start_server: StartServer, caller: Caller) -> None:
    """The time of a slot is over: a recall, marked as one; refused, he waits on at the slot."""
    server = await start_server({"transfers": {"park_timeout": 1.0}})
    async with await Phone.open("1001") as phone:
        await call_in(server, caller, phone.uri)
        await phone.answers()
        await caller.answered()
        call = (await server.api.calls())[0]["id"]
        answer = await server.api.post(f"/v1/calls/{call}/park", {})
        assert answer["slot"] == "701"
        await phone.expect("BYE")
        ring = await phone.rejects(486)
        assert ring.get("X-Tandem-Recall") == "701;cause=park-timeout"
        await parked(server)
        await phone.answers()
        await hear_each_other(caller, phone)
        await end(caller, phone)


async def test_a_ringing_phone_is_answered_from_another(
    server: Server, caller: Caller, phone: Phone, other: Phone
) -> None:
    """Directed pick-up of a direct call: the phone that rang stops, and is told that the call went on elsewhere."""
    await call_in(server, caller, phone.uri)
    ring = await phone.rings()
    await server.api.add_agent(other.uri, "1002")
    await dial(server, other, "*81001")
    assert "cause=200" in (await phone.expect("CANCEL", call=ring.call)).get("Reason")
    await caller.answered()
    await hear_each_other(caller, other)
    await end(caller, other)
    assert (await server.api.cdr())["extension"] == "1002"


async def test_a_colleague_answers_what_rings_for_a_queue(
    server: Server, caller: Caller, phone: Phone, other: Phone
) -> None:
    """Group pick-up: *8 alone takes what rings at an agent of a queue of his; with nothing there it is refused."""
    await open_queue(server)
    await open_number(server)
    await staff(server, phone, "1001")
    await staff(server, other, "1002")
    await server.api.post("/v1/agents/1002/pause", {"reason": "lunch"})
    await (await other.invite(here(server, "*8"), "*8", caller="1002")).expect(404)
    await caller.invite(server.outside, "4008100001", caller="13800000001")
    await phone.rings()
    await server.api.post("/v1/agents/1002/resume", None)
    await dial(server, other, "*8")
    await phone.expect("CANCEL")
    await caller.hears(other)
    await state(server, "1002", "talking")
    await state(server, "1001", "available")
    await end(caller, other)


async def test_nobody_who_waits_gets_an_agent_who_changes_phones(
    server: Server, caller: Caller, phone: Phone, other: Phone
) -> None:
    """He talks in the call all the time, also where he has no wrap-up and callers wait for him."""
    async with await Caller.open("next") as following:
        await open_queue(server, wrap_up=0.0)
        await open_number(server)
        await staff(server, phone, "1001")
        await come(server, caller, "13800000001")
        await phone.answers()
        await caller.hears(phone)
        await come(server, following, "13800000002")
        await waiting(server, 1)
        old, dialog = phone.call, phone.call.dialogs.current
        assert dialog is not None
        named = f"{old.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
        new = await other.invite(here(server, "1001"), "1001", caller="1001", headers={"Replaces": named})
        await new.answered()
        await phone.expect("BYE", call=old)
        await hear_each_other(caller, other)
        await waiting(server, 1)
        await state(server, "1001", "talking")
        await end(caller, other)
        await phone.answers()
        await following.hears(phone)


@pytest.mark.parametrize("how", ["queue", "direct"])
async def test_nobody_who_waits_gets_an_agent_who_answers_at_another_phone(
    server: Server, caller: Caller, phone: Phone, other: Phone, how: str
) -> None:
    """INVITE with Replaces for what still rings, whoever offers it: the call is his from that moment on, although
    others wait for him."""
    async with await Caller.open("next") as following:
        await open_queue(server, wrap_up=0.0)
        await open_number(server)
        await staff(server, phone, "1001")
        await server.api.add_access_number("4009200001", correlation="off", entry={"kind": "agent", "target": "1001"})
        if how == "queue":
            await come(server, caller, "13800000001")
        else:
            await caller.invite(server.outside, "4009200001", caller="13800000001")
        ring = await phone.rings()
        await come(server, following, "13800000002")
        dialog = phone.call.dialogs.current
        assert dialog is not None
        named = f"{phone.call.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag};early-only"
        new = await other.invite(here(server, "1001"), "1001", caller="1001", headers={"Replaces": named})
        await new.answered()
        await phone.expect("CANCEL", call=ring.call)
        await hear_each_other(caller, other)
        await waiting(server, 1)
        await state(server, "1001", "talking")
        assert len(phone.got("INVITE")) == 1, "no other call was offered to him"
        await end(caller, other)
        await phone.answers()
        await following.hears(phone)


async def test_an_agent_moves_his_call_to_another_phone_of_his(
    server: Server, caller: Caller, phone: Phone, other: Phone
) -> None:
    """INVITE with Replaces (RFC 3891) from the address of his phone: the new leg is in, the old one gets BYE; another
    agent's, an unknown one and an early-only one are refused."""
    await call_in(server, caller, phone.uri)
    await phone.answers()
    await caller.answered()
    await server.api.add_agent(other.uri, "1002")
    dialog = phone.call.dialogs.current
    assert dialog is not None
    named = f"{phone.call.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}"
    old = phone.call
    for who, value, status in (
        ("1002", named, 403),
        ("1001", f"{named};early-only", 486),
        ("1001", named.replace("to-tag=", "to-tag=x"), 403),
    ):
        call = await other.invite(here(server, "1001"), "1001", caller=who, headers={"Replaces": value})
        await call.expect(status)
    headers = {"Replaces": named, "Require": "replaces"}
    new = await other.invite(here(server, "1001"), "1001", caller="1001", headers=headers)
    await new.answered()
    await phone.expect("BYE", call=old)
    await hear_each_other(caller, other)
    await (await caller.bye()).expect(200)
    await other.expect("BYE")
