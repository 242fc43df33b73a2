"""Business data change while calls go on: files, the API, and mistakes that change nothing (R2-03, R2-07)."""

from pathlib import Path

from tests.e2e.queues import come, log_in, open_number, staff, state, waiting
from tests.peers.api import ACCESS_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

DESK = f"""
[[priority-classes]]
name = "urgent"
ahead = 120

[[priorities]]
id = "gas-smell"
priority = "urgent"
caller = "021*"

[[queues]]
id = "repairs"
name = "Repairs"
wrap_up = 0

[[queues]]
id = "sales"
name = "Sales"
wrap_up = 0

[[vdns]]
number = "3"
name = "What {ACCESS_NUMBER} leads to"
goal = {{ kind = "queue", target = "repairs" }}

[[agent-profiles]]
extension = "1001"
queues = {{ repairs = 0, sales = 0 }}
"""


async def tandem(server: Server, *arguments: str, fails: bool = False) -> str:
    """What the command says; it must succeed unless it `fails`."""
    child = server.tandem(*arguments)
    assert await child.ended(30) == (1 if fails else 0), child.log()
    return child.log()


async def test_a_file_is_what_the_next_call_goes_by_and_a_wrong_one_is_not(
    server: Server, caller: Caller, phone: Phone, tmp_path: Path
) -> None:
    """R2-03, R2-07: imported at once with the server at work; a wrong file is refused by line and the old one stays."""
    await staff(server, phone, "1001", queues=(), at_work=False)
    file = tmp_path / "desk.toml"
    file.write_text(DESK)
    assert "5 created, 1 replaced" in await tandem(server, "import", str(file))
    await open_number(server, kind="vdn", target="3")
    await come(server, caller, "02113800001")
    [place] = await waiting(server, 1, "repairs")
    assert (place["area"], place["priority"]) == ("3", "urgent")

    file.write_text(DESK.replace('target = "repairs"', 'target = "repair"').replace('"1001"', '"1009"'))
    told = await tandem(server, "import", str(file), fails=True)
    assert f"{file}:24: vdn 3: goal: there is no queue repair\n" in told
    assert f"{file}:27: agent-profile 1009: extension: there is no agent 1009\n" in told

    await log_in(server, "1001")
    (await phone.rings()).reply(200)
    await caller.hears(phone)
    await server.api.patch("/v1/vdns/3", {"goal": {"kind": "queue", "target": "sales"}})
    async with await Caller.open("second") as second:
        await come(server, second, "13800000002")
        [place] = await waiting(server, 1, "sales")
        assert (place["area"], place["number"]) == ("3", "13800000002")
        await (await caller.bye()).expect(200)
        await phone.expect("BYE")
        (await phone.rings()).reply(200)
        await second.hears(phone)
        await (await second.bye()).expect(200)
        await phone.expect("BYE")
    refused = await server.api.http.delete("/v1/queues/sales")
    assert [one["entity"] for one in refused.json()["errors"]] == ["vdn 3", "agent-profile 1001"]
    await state(server, "1001", "available")
