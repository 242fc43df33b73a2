"""A listener over HTTP that refuses, is gone, and comes back: it has everything, in order for each call, signed."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from b2bua.reports.signature import HEADER, verify
from tests.e2e.conftest import StartServer
from tests.e2e.queues import QUEUE, callers, come, open_number, open_queue, waiting
from tests.peers.receiver import Got, Receiver, receiver
from tests.peers.uas import Phone
from tests.peers.waiting import eventually, eventually_true

SECRET = "a secret of ours"


@pytest.fixture
def program() -> Iterator[Receiver]:
    """It refuses the first record of each call twice before it takes it."""
    tries: Counter[str] = Counter()

    def answer(got: Got) -> int:
        call = got.json["call"]
        tries[call] += 1
        return 200 if tries[call] > 2 else 503

    with receiver() as made:
        made.answer = answer
        yield made


async def test_a_listener_over_http_misses_nothing_over_a_restart(
    start_server: StartServer, phone: Phone, program: Receiver
) -> None:
    """R0-13 R0-14: two callers, one of them moved to a person; refused, unreachable and restarted in between: every
    record in its call's order, `call.transferred` among them, each with its version and signature."""
    server = await start_server()
    await open_queue(server)
    await open_number(server)
    await server.api.add_agent(phone.uri)
    await server.api.add_plan(
        persons=[{"id": "clerk-1", "extension": "1001"}],
        webhooks=[{"id": "program", "url": program.url, "secret": SECRET, "types": ["call.*"], "parallel": 2}],
    )

    async def known() -> bool:
        return 'tandem_webhook_behind{webhook="program"}' in await server.api.metrics()

    await eventually_true(known, "the server sends to the listener")
    listener = await server.listen()
    async with callers("13800000001", "13800000002") as (first, second):
        await come(server, first, "13800000001")
        await come(server, second, "13800000002")
        places = await waiting(server, 2, QUEUE)
        await program.expect(2)  # what was refused before
        program.close()
        await server.api.post(f"/v1/calls/{places[1]['call']}/answer", {"person": "clerk-1"})
        moved = await listener.expect("call.transferred", to="clerk-1")
        await phone.answers()
        for caller in (second, first):
            await (await caller.bye()).expect(200)
        for _ in range(2):
            await listener.expect("call.ended")
    assert moved["call"] == places[1]["call"]
    await server.stop()
    program.open()
    await server.restart()
    wanted = {event["number"]: event for event in listener.events if event["type"].startswith("call.")}
    await eventually(lambda: {got.json["number"] for got in program.taken} >= wanted.keys(), "it has every record")

    for call in {event["call"] for event in wanted.values()}:
        numbers = [got.json["number"] for got in program.taken if got.json["call"] == call]
        assert list(dict.fromkeys(numbers)) == sorted(set(numbers))
    for got in program.taken:
        assert got.json == wanted[got.json["number"]]
        assert got.headers["tandem-version"] == "1"
        assert verify(SECRET, got.body, got.headers[HEADER.lower()], time.time())
