"""The event records over a WebSocket, one record a text message, from any number on (R0-14)."""

import asyncio
import contextlib

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.requests import HTTPConnection

from b2bua.events.event import VERSION
from b2bua.events.log import Subscription
from b2bua.storage import StorageUnavailable
from b2bua.web.desk import Desk, address_of, desk_of
from b2bua.web.problems import Problem, of_storage
from b2bua.web.rights import Caller, Right

router = APIRouter(tags=["events"])

PROTOCOL = "tandem.events"
BEARER = "bearer."
"Subprotocol that carries the key where a header cannot be set (browsers): `tandem.events, bearer.tdm_...`."
POLICY, TRY_AGAIN = 1008, 1013
"Close codes (RFC 6455 section 7.4.1)."


@router.get("/v1/events", status_code=426, response_model=None)
async def events_need_a_websocket() -> None:
    """Numbered event records as text messages, for a WebSocket (RFC 6455): `after=N` resumes behind event N."""
    raise Problem(426, "websocket", "this path speaks WebSocket only", headers={"Upgrade": "websocket"})


@router.websocket("/v1/events")
async def feed(socket: WebSocket) -> None:
    """Accept a listener with the right to it, and let him have all there is and all that comes."""
    desk = desk_of(socket)
    try:
        secret = secret_of(socket)
        caller = await desk.keyring.of_secret(secret, address_of(socket))
        caller.must(Right.EVENTS)
        if socket.query_params.get("version", str(VERSION)) != str(VERSION):
            raise Problem(422, "invalid", f"version: records of this node have version {VERSION}")
        subscription = _subscription(desk, socket.query_params.get("after"))
    except Problem as problem:
        await socket.send_denial_response(problem.response())
        return
    except StorageUnavailable as error:
        await socket.send_denial_response(of_storage(error).response())
        return
    try:
        await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
        await Feed(socket, subscription, desk, caller, secret).run()
    finally:
        subscription.close()


def secret_of(connection: HTTPConnection) -> str:
    """The key in the Authorization header or among the subprotocols. Problem 401 when there is none."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return secret.strip()
    for protocol in connection.scope.get("subprotocols", []):
        if protocol.startswith(BEARER):
            return str(protocol.removeprefix(BEARER))
    raise Problem(401, "no-key", "this needs an API key: a header, or the subprotocol `bearer.tdm_...`")


def _subscription(desk: Desk, after: str | None) -> Subscription:
    if after is not None and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise Problem(422, "invalid", "after: must be the number of an event")
    try:
        return desk.node.events.subscribe(None if after is None else int(after))
    except ValueError:
        last = desk.node.events.last
        raise Problem(409, "ahead", f"after: this node's last event is {last}; is this another node?") from None


class Feed:
    """One listener. It holds a place in the log and nothing else, so one that stops reading costs nobody anything."""

    def __init__(self, socket: WebSocket, place: Subscription, desk: Desk, caller: Caller, secret: str) -> None:
        self.socket, self.place, self.desk, self.caller, self._secret = socket, place, desk, caller, secret

    def __repr__(self) -> str:
        return f"<feed of {self.caller.name} at {self.place.after}>"

    async def run(self) -> None:
        """Until the listener goes, stalls, or loses his key."""
        sending = asyncio.create_task(self._send(), name="event feed")
        leaving = asyncio.create_task(self._left(), name="event feed, other direction")
        try:
            await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            results = await asyncio.gather(sending, leaving, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        every = self.desk.limits.check_key
        check_at = loop.time() + every
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                lines = await self._next(check_at)
                if loop.time() >= check_at:
                    if not await self.desk.keyring.still(self._secret):
                        await self.socket.close(POLICY, "the API key is no longer valid")
                        return
                    check_at = loop.time() + every
                for line in lines:
                    await self.socket.send_text(line)  # waits for one who does not read; the server drops him

    async def _next(self, until: float) -> list[str]:
        """The next records this caller may see; none when it is time to look at his key."""
        try:
            async with asyncio.timeout_at(until):
                events = await self.place.next()
        except TimeoutError:
            return []
        return [event.line.decode() for event in events if self.caller.reaches(event.data.get("tenant"))]

    async def _left(self) -> None:
        # what a listener says means nothing, but his good-bye is heard here
        while (await self.socket.receive())["type"] != "websocket.disconnect":
            pass
