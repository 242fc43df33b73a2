"""More calls than the limit: 503 with Retry-After and no state; running calls go on, and all is well at once after."""

from tests.e2e.conftest import StartServer
from tests.e2e.legs import end, hear_each_other, talking
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

MOST = 4
OFFERED = 120


async def counted(server: Server, counter: str) -> float:
    return await server.api.metric("tandem_gate_total", counter=counter)


async def test_ten_times_the_limit_leaves_running_calls_untouched(
    start_server: StartServer, caller: Caller, phone: Phone
) -> None:
    """Overload: what is above the rate is refused without state, in-dialog requests are served, the next call too."""
    server = await start_server({"overload": {"adaptive": False, "most": MOST}})
    await talking(server, caller, phone)
    before = server.descriptors()
    async with await Caller.open("flood", sound=False) as flood:
        offer = phone.sdp()  # to a number that nobody has set up: who comes in gets 404
        calls = [await flood.invite(server.outside, "4009", caller=f"138{n:08}", sdp=offer) for n in range(OFFERED)]
        await caller.hold()
        await caller.resume()
        await hear_each_other(caller, phone)
        await eventually(lambda: all(set(call.statuses) & {404, 503} for call in calls), "each call has its answer")
        refused = [call for call in calls if 503 in call.statuses]
        waits = {call.received[-1].get("Retry-After") for call in refused}
        assert waits <= {"1", "2", "3", "4", "5"}
        assert len(waits) > 2, "each is told a time of its own"
        assert OFFERED - len(refused) <= MOST * 10
        assert await counted(server, "refused_503") >= len(refused)
        assert server.descriptors() <= before + 8
    assert await server.api.metric("tandem_admission_rate") > 0

    async def served() -> bool:
        async with await Caller.open("next", sound=False) as following:
            await following.invite(server.outside, "4009", caller="13800000000", sdp=offer)
            return bool(await eventually(lambda: set(following.call.statuses) & {404, 503}, "an answer") == {404})

    await eventually_true(served, "new calls are taken again", 5)
    await hear_each_other(caller, phone)
    await end(caller, phone)
