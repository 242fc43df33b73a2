"""Call slots are used again, round and round: no stranger's call is harmed by it, and nothing is left behind."""

from functools import partial
from pathlib import Path

from tests.e2e.conftest import StartServer
from tests.e2e.legs import hear_each_other
from tests.peers.server import Server
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

MAX_CALLS = 12
SLOTS = MAX_CALLS * 2 * 5 // 4 + 64
"What the engine makes of it (b2bua.sip.engine.endpoint)."
CALLS = 3 * SLOTS // 2 + 20
"Two legs each: every slot is used more than three times."


async def numbers(server: Server, phone: Phone, agent: Sipp) -> None:
    """One number for the bystanders, one for those who come and go; no correlation, so that calls cost nothing more."""
    await server.api.add_agent(phone.uri, "1001")
    await server.api.add_agent(agent.uri, "1002")
    for number, extension in (("4008100001", "1001"), ("4008100002", "1002")):
        await server.api.add_access_number(number, correlation="off", entry={"kind": "agent", "target": extension})


async def test_bystanders_survive_three_rounds_of_all_slots(
    start_server: StartServer, caller: Caller, phone: Phone, trunk: Sipp, agent: Sipp
) -> None:
    """Slot reuse (a late destructor hangs up whoever has the slot by then): zero BYEs of ours, zero legs,
    ports, slots lost."""
    server = await start_server({"node": {"max_calls": MAX_CALLS}})
    await numbers(server, phone, agent)
    bystanders = []
    for _ in range(2):
        bystanders.append(await caller.invite(server.outside, "4008100001"))
        await phone.answers()
        await caller.answered()
    await hear_each_other(caller, phone)
    base = server.descriptors()

    file = trunk.folder / "numbers.csv"
    file.write_text("SEQUENTIAL\n" + "70010000000;02088880000;4008100002\n" * CALLS)
    answered = await agent.answers("load-agent", n=CALLS, messages=False)
    placed = await trunk.start_calls(
        server.outside, "load-trunk", n=CALLS, rate=25, limit=MAX_CALLS - 4, hold=150, inject=file, messages=False
    )
    await placed.done(40)
    await answered.done()
    assert (placed.succeeded, placed.failed) == (CALLS, 0)

    assert caller.got("BYE") == phone.got("BYE") == []
    await hear_each_other(caller, phone)
    for call in bystanders:
        await (await call.options()).expect(200)

    async def only_bystanders() -> bool:
        return len(await server.api.calls()) == 2

    await eventually_true(only_bystanders, "all other calls are over")
    assert await server.api.metric("tandem_legs_active") == 4
    await eventually(lambda: server.descriptors() <= base, f"descriptors are back to {base}")
    for call in bystanders:
        await (await call.bye()).expect(200)
        await phone.expect("BYE")

    async def all_recorded() -> bool:
        causes = [record["cause"] for record in (await server.api.get("/v1/cdrs", limit=200))["cdrs"]]
        return causes == ["normal"] * (CALLS + len(bystanders))

    await eventually_true(all_recorded, "every call has its record, and each ended as it should")


LONG, SHORT, PAIRS = 105, 400, 500


async def test_long_calls_do_not_stand_in_the_way_of_short_ones(
    start_server: StartServer, trunk: Sipp, agent: Sipp, tmp_path: Path
) -> None:
    """RTP ports: more than a hundred calls stay, and later ones go round the whole range; pjsua gives up on a run of
    a hundred taken pairs, so there must be none."""
    base = 18000
    ports = {"rtp_port_min": base, "rtp_port_max": base + 2 * PAIRS - 2}
    server = await start_server({"node": {"max_calls": PAIRS // 2 - 1}, "media": ports})
    await server.api.add_agent(agent.uri, "1002")
    await server.api.add_access_number("4008100002", correlation="off", entry={"kind": "agent", "target": "1002"})
    file = tmp_path / "numbers.csv"
    file.write_text("SEQUENTIAL\n" + "70010000000;02088880000;4008100002\n" * SHORT)
    await agent.answers("load-agent", messages=False)
    async with Sipp(tmp_path, "patient", rtp=trunk.rtp) as patient:
        calls = partial(patient.start_calls, server.outside, "load-trunk", rate=100, inject=file, messages=False)
        long = await calls(n=LONG, hold=60_000)

        async def all_talk() -> bool:
            return await server.api.metric("tandem_calls_active") == LONG

        await eventually_true(all_talk, "the long calls are there")
        calls = partial(trunk.start_calls, server.outside, "load-trunk", rate=100, inject=file, messages=False)
        short = await calls(n=SHORT, hold=20, limit=20)
        await short.done(30)
        assert (short.succeeded, short.failed, long.failed) == (SHORT, 0, 0)
