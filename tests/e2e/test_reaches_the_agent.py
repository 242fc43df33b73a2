"""The shortest way through the whole server: a diverted trunk call reaches its agent, with sound and with data."""

from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER, diverted
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone


async def test_a_diverted_call_reaches_the_agent_with_sound_both_ways(
    server: Server, caller: Caller, phone: Phone
) -> None:
    """R0-01, R1-03, R1-07: the Diversion finds the row, the row names the agent, and both hear each other."""
    await server.api.furnish(phone.uri)
    token = await server.api.issue_token(caller="13800000001", data={"order": "A-1"})
    listener = await server.listen()
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=diverted(token))
    await phone.answers()
    await caller.answered()
    await caller.hears(phone)
    await phone.hears(caller)
    await (await caller.bye()).expect(200)
    await phone.expect("BYE")
    cdr = await server.api.cdr()
    assert (cdr["tenant"], cdr["effective_caller"], cdr["extension"]) == ("acme", "13800000001", "1001")
    assert await server.api.token_state(token) == "consumed"
    pop = await listener.expect("screen.pop", call=cdr["id"])
    assert pop["data"]["data"] == {"order": "A-1"}


async def test_sipp_reaches_sipp_through_the_server(server: Server, trunk: Sipp, agent: Sipp) -> None:
    """R0-01: twenty calls, twenty tokens, none fails."""
    await server.api.furnish(agent.uri)
    numbers = [(await server.api.issue_token())["original_called_number"] for _ in range(20)]
    file = trunk.folder / "numbers.csv"
    file.write_text("SEQUENTIAL\n" + "".join(f"{n};{BILLING_NUMBER};{ACCESS_NUMBER}\n" for n in numbers))
    answered = await agent.answers("load-agent", n=20)
    placed = await trunk.start_calls(server.outside, "load-trunk", n=20, inject=file)
    await placed.done()
    await answered.done()
    assert (placed.succeeded, placed.failed) == (20, 0)
    assert len(await server.api.cdrs(20)) == 20
