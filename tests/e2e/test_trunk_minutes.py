"""The minutes that a trunk may carry in a day, on a server whose day passes quickly (libfaketime)."""

from pathlib import Path

from tests.e2e.carriers import CONFIG, FIRST, QUICK, SECOND, carriers, dial
from tests.e2e.test_session_timers import UNHURRIED, faketime
from tests.peers.configuration import Changes
from tests.peers.server import Server, Template
from tests.peers.waiting import eventually_true

SPEED = 25
TIMES = {"first_response": 60.0, "progress_timeout": 60.0, "answer_timeout": 120.0}
"Of trunks whose clock runs so fast."

CHANGES: Changes = {
    **CONFIG,
    **UNHURRIED,
    "trunks.first": {
        **QUICK, **TIMES, "addresses": ["192.0.2.1/32"], "target": f"127.0.0.1:{FIRST}", "minutes_per_day": 1,
    },
    "trunks.second": {**QUICK, **TIMES, "addresses": ["192.0.2.2/32"], "target": f"127.0.0.1:{SECOND}"},
}  # fmt: skip


async def test_a_trunk_has_its_minutes_once_a_day(tmp_path: Path, template: Template) -> None:
    """`minutes_per_day`: when they are used up the running call goes on and new ones take the next trunk of the group;
    what a restart remembers is of that day, and the next one begins with nothing."""
    server = Server(tmp_path, CHANGES, template=template)
    server.env |= {"LD_PRELOAD": str(faketime()), "FAKETIME": f"+0 x{SPEED}"}
    try:
        await server.start()
        async with carriers(sound=True) as (first, second):
            number = await dial(server)
            await first.answers(number)
            await second.rings("1")  # the party whom he waits for

            async def used_up() -> bool:
                return await minutes(server) >= 1

            await eventually_true(used_up, "a minute of talk", 10)
            number = await dial(server)
            await second.rejects(486, user=number)
            assert first.got("BYE") == [], "a call that runs goes on"
            assert await server.api.metric("tandem_trunk_skipped_total", trunk="first", why="minutes") == 1
            await first.bye()
            await second.expect("CANCEL")
        server.env["FAKETIME"] = f"+1d x{SPEED}"
        await server.restart()
        async with carriers() as (first, _):
            number = await dial(server)
            await first.rejects(486, user=number)
            assert await minutes(server) == 0
    finally:
        await server.close()


async def minutes(server: Server) -> float:
    """Of talk today over the first carrier."""
    trunks = (await server.api.get("/v1/trunks"))["trunks"]
    return float(next(trunk["minutes_today"] for trunk in trunks if trunk["name"] == "first"))
