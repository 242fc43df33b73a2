"""Agents after a crash and after an orderly restart: at work as they were, and the next caller is served (R2-05)."""

from tests.e2e.conftest import StartServer
from tests.e2e.crashing import history_of
from tests.e2e.queues import QUEUE, callers, come, open_number, open_queue, staff, state
from tests.peers.uas import Phone


async def test_after_kill_9_agents_are_at_work_as_they_were(start_server: StartServer) -> None:
    """R2-05: free whoever rang, paused who had asked for it in his talk or before, a standing line called again; who
    had gone or was removed stays out. An orderly restart does the same."""
    server = await start_server()
    await open_queue(server, wrap_up=0.0)
    await open_queue(server, "lines")
    await open_number(server)
    async with (
        await Phone.open("1001") as talks,
        await Phone.open("1002") as rings,
        await Phone.open("1003") as line,
        callers("1", "2", "3") as (first, second, third),
    ):
        await staff(server, talks, "1001")
        await come(server, first, "13800000001")
        await talks.answers()
        await first.hears(talks)
        await server.api.post("/v1/agents/1001/pause", {"reason": "lunch"})
        await staff(server, rings, "1002")
        await come(server, second, "13800000002")
        await rings.rings()
        await state(server, "1002", "ringing")
        await staff(server, line, "1003", ("lines",), connection="nailed-up")
        await line.answers()
        await state(server, "1003", "available")
        for extension in ("1004", "1005", "1006"):
            async with await Phone.open(extension, sound=False) as phone:
                await staff(server, phone, extension, ("lines",))
        await server.api.post("/v1/agents/1004/pause", {"reason": "training"})
        await server.api.post("/v1/agents/1005/logout", None)
        assert (await state(server, "1001", "talking"))["reason"] == "answered"
        await server.api.patch("/v1/agents/1006", {"enabled": False})
        server.kill9()

        await server.restart()
        for call in (first.call, second.call, talks.call, rings.call, line.call):
            call.end()  # nobody is there to hang up with
        assert (await state(server, "1001", "paused"))["reason"] == "lunch"
        assert (await state(server, "1002", "available"))["reason"] == "restart"
        assert (await state(server, "1004", "paused"))["reason"] == "training"
        await state(server, "1005", "logged-out")
        await line.answers()
        await state(server, "1003", "available")
        await come(server, third, "13800000003")
        await rings.answers()
        await third.hears(rings)
        assert (await state(server, "1002", "talking"))["queue"] == QUEUE
        await (await third.bye()).expect(200)
        await rings.expect("BYE")
        await state(server, "1002", "available")

        await server.restart()
        await line.expect("BYE")
        await line.answers()
        await state(server, "1003", "available")
        assert (await state(server, "1001", "paused"))["reason"] == "lunch"
        await state(server, "1002", "available")
        told = [event["data"] for event in await history_of(server) if event["type"] == "agent.state"]
        last = {data["extension"]: data["after"] for data in told}
        assert (last["1005"], last["1006"]) == ("logged-out", "logged-out"), "nobody believes them at work"
