"""Who is asked for whom: skills that are enough after a while, the agent who served him last; and how it is explained
(R2-05, R2-07)."""

from tests.e2e.queues import QUEUE, callers, come, open_number, open_queue, staff, state, waiting
from tests.peers.server import Server
from tests.peers.uas import Phone

AGAIN = "13800000009"
"Nobody else calls from here: the server remembers who served whom."


async def test_skills_widen_while_he_waits_and_the_line_explains_him(server: Server) -> None:
    """R2-05, R2-07: the longest idle lacks the skill; with the other one paused, less is enough after a second. The
    command says in words why he waits; who hangs up at once is a short abandon."""
    await open_queue(server, skills={"german": 2}, widen=[{"after": 1, "skills": {"german": 1}}], wrap_up=0.0)
    await open_queue(server, "night", skills={"german": 3}, short_abandon=60.0)
    await open_number(server)
    await open_number(server, "4008100002", target="night")
    async with (
        await Phone.open("1001") as some,
        await Phone.open("1002") as good,
        callers("1", "2", "3") as (first, second, third),
    ):
        await staff(server, some, "1001", (QUEUE, "night"), skills={"german": 1})
        await staff(server, good, "1002", (QUEUE, "night"), skills={"german": 2})
        await come(server, first, "13800000001")
        await good.answers()
        await first.hears(good)
        await (await first.bye()).expect(200)
        await server.api.post("/v1/agents/1002/pause", {"reason": "lunch"})
        await come(server, second, "13800000002")
        assert [one["number"] for one in await waiting(server, 1)] == ["13800000002"]
        await some.answers()
        await second.hears(some)

        await come(server, third, "13800000003", "4008100002")
        [place] = await waiting(server, 1, "night")
        said = server.tandem("queues", "explain", place["call"])
        assert await said.ended(20) == 0, said.log()
        assert f"{place['call']} is number 1 of 1 in night" in said.log()
        assert "1 without-skill" in said.log()
        assert "1 away" in said.log()
        await (await third.bye()).expect(200)
        await waiting(server, 0, "night")
        assert await server.api.counted("tandem_queue_left_total", queue="night", result="short-abandoned") == 1
        assert await server.api.counted("tandem_queue_estimate_error_seconds_count") >= 1


async def test_who_calls_again_has_the_same_agent(server: Server) -> None:
    """R2-05: kept for the agent who served him last, though another is idle for longer; and not while that one is
    away."""
    await open_queue(server, sticky=60.0, wrap_up=0.0)
    await open_number(server)
    async with (
        await Phone.open("1001") as his,
        await Phone.open("1002") as other,
        callers("1", "2") as (first, again),
    ):
        await staff(server, his, "1001")
        await staff(server, other, "1002")
        await come(server, first, AGAIN)
        await his.answers()
        await first.hears(his)
        await (await first.bye()).expect(200)
        await state(server, "1001", "available")
        await come(server, again, AGAIN)
        await his.answers()
        await again.hears(his)
        await (await again.bye()).expect(200)
        await server.api.post("/v1/agents/1001/logout", None)
        await state(server, "1001", "logged-out")
        await come(server, first, AGAIN)
        await other.answers()
        await first.hears(other)
