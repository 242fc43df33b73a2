"""WebSockets for pages: who may open one, and how long it lives.  The key comes as for the events (`web.feed`)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from fastapi import WebSocket, WebSocketDisconnect

from b2bua.storage import StorageUnavailable
from b2bua.web.desk import Desk, address_of, desk_of
from b2bua.web.feed import POLICY, secret_of
from b2bua.web.problems import Problem, of_storage
from b2bua.web.rights import Caller


async def converse(
    socket: WebSocket, protocol: str, may: Callable[[Caller], None], messages: Callable[[Caller], AsyncIterator[str]]
) -> None:
    """Send `messages` to whoever `may` (else it raises a Problem) hear them, until he goes or loses his key."""
    desk = desk_of(socket)
    try:
        secret = secret_of(socket)
        caller = await desk.keyring.of_secret(secret, address_of(socket))
        may(caller)
    except Problem as problem:
        await socket.send_denial_response(problem.response())
        return
    except StorageUnavailable as error:
        await socket.send_denial_response(of_storage(error).response())
        return
    await socket.accept(protocol if protocol in socket.scope["subprotocols"] else None)
    jobs = [
        asyncio.create_task(_send(socket, messages(caller)), name=f"{protocol} to {caller.name}"),
        asyncio.create_task(_left(socket), name=f"{protocol}, other direction"),
        asyncio.create_task(_key_lost(socket, desk, secret), name=f"{protocol}, key"),
    ]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for job in jobs:
            job.cancel()
        results = await asyncio.gather(*jobs, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            raise result


async def _send(socket: WebSocket, messages: AsyncIterator[str]) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        async for message in messages:
            await socket.send_text(message)  # waits for one who does not read; the server drops him


async def _left(socket: WebSocket) -> None:
    # what a page says means nothing, but its good-bye is heard here
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _key_lost(socket: WebSocket, desk: Desk, secret: str) -> None:
    valid = True
    while valid:
        await asyncio.sleep(desk.limits.check_key)
        valid = await desk.keyring.still(secret)
    with contextlib.suppress(WebSocketDisconnect):
        await socket.close(POLICY, "the API key is no longer valid")
