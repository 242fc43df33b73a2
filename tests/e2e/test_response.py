"""Everything starts on one machine, and a call reaches a phone of another make than ours (R0-01)."""

from tests.e2e.conftest import StartServer
from tests.e2e.several_trunks import diverted_by
from tests.peers.api import ACCESS_NUMBER, BILLING_NUMBER
from tests.peers.baresip import Baresip
from tests.peers.uac import Caller


async def test_all_parts_start_on_one_machine_and_a_call_reaches_a_phone(
    start_server: StartServer, caller: Caller, baresip: Baresip
) -> None:
    """R0-01: an empty folder and one command; tenant, agent and number by the API; a real phone answers with sound."""
    server = await start_server()
    for path in ("/healthz", "/readyz"):
        assert (await server.api.http.get(path)).status_code == 200
    listener = await server.listen_tcp(after=0)
    await server.api.furnish(baresip.uri)
    token = await server.api.issue_token(caller="13800000001", data={"order": "A-1"})
    headers = diverted_by(token["original_called_number"])
    await caller.invite(server.outside, ACCESS_NUMBER, caller=BILLING_NUMBER, headers=headers)
    await caller.answered()
    pop = await listener.expect("screen.pop")
    assert (pop["data"]["extension"], pop["data"]["data"]) == ("1001", {"order": "A-1"})
    await (await caller.bye()).expect(200)
    assert (await server.api.cdr())["cause"] == "normal"
    assert await server.stop() == 0
