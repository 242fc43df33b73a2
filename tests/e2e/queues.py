"""A call centre for the tests of queues: agents with phones, logged in, and callers who come to an access number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.peers.api import ACCESS_NUMBER
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.peers.waiting import eventually_true

QUEUE = "orders"


async def open_queue(server: Server, id: str = QUEUE, **settings: Any) -> None:
    """A queue as the API takes it."""
    await server.api.request("PUT", f"/v1/queues/{id}", {"id": id, "name": id, **settings})


async def open_number(server: Server, number: str = ACCESS_NUMBER, *, kind: str = "queue", target: str = QUEUE) -> None:
    """Calls of this number need no token and go to the goal."""
    await server.api.add_access_number(number, correlation="off", entry={"kind": kind, "target": target})


async def staff(
    server: Server,
    phone: Phone,
    extension: str,
    queues: Sequence[str] = (QUEUE,),
    *,
    at_work: bool = True,
    **profile: Any,
) -> None:
    """An agent of these queues at this phone."""
    await server.api.add_agent(phone.uri, extension)
    body = {"extension": extension, "queues": dict.fromkeys(queues, 1), **profile}
    await server.api.request("PUT", f"/v1/agent-profiles/{extension}", body)
    if at_work:
        await log_in(server, extension)


async def log_in(server: Server, extension: str) -> None:
    """He takes calls from now on."""
    await server.api.request("POST", f"/v1/agents/{extension}/login")


@asynccontextmanager
async def callers(*numbers: str) -> AsyncIterator[list[Caller]]:
    """Trunk ends, one for each caller."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(await Caller.open(f"caller-{number}")) for number in numbers]


async def come(server: Server, caller: Caller, number: str, called: str = ACCESS_NUMBER) -> None:
    """He calls, and waits: he is up and hears music."""
    await caller.invite(server.outside, called, caller=number)
    await caller.answered()


async def waiting(server: Server, n: int, queue: str = QUEUE) -> list[dict[str, Any]]:
    """Once `n` callers wait there, they in their order."""

    async def enough() -> list[dict[str, Any]] | bool:
        found = (await server.api.get(f"/v1/queues/{queue}/waiting"))["waiting"]
        return found or True if len(found) == n else False

    found = await eventually_true(enough, f"{n} callers wait in {queue}")
    return found if isinstance(found, list) else []


async def state(server: Server, extension: str, wanted: str) -> dict[str, Any]:
    """Once the agent is in this state."""

    async def there() -> dict[str, Any]:
        found = dict(await server.api.get(f"/v1/agents/{extension}/state"))
        return found if found["state"] == wanted else {}

    return await eventually_true(there, f"agent {extension} is {wanted}")
