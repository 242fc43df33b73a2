"""The wallboard's data (R2-08): waiting callers, service levels and agents, at most a second old, over a WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from fastapi import APIRouter, WebSocket
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from b2bua.web.board_view import board_text, of_tenant
from b2bua.web.desk import BoardReader, Desk
from b2bua.web.rights import Caller, Right
from b2bua.web.sockets import converse
from routing.board import Board

router = APIRouter(tags=["pages"])

PROTOCOL = "tandem.board"
PERIOD = 0.5
"Seconds between two messages, and how long one is shared by all who want it."


@dataclass(slots=True)
class Boards:
    """The newest board for each tenant (None: all of it), made once a period whoever asks."""

    desk: Desk
    _board: tuple[float, Board, dict[str, str]] | None = None
    "When it was taken, with the agents' names: one for all tenants, since a thousand agents are 2 ms on the loop."
    _texts: dict[str | None, tuple[float, str]] = field(default_factory=dict)
    _making: dict[str | None, "asyncio.Future[str]"] = field(default_factory=dict)

    async def text(self, tenant: str | None) -> str:
        """At most a period old."""
        now = asyncio.get_running_loop().time()
        made = self._texts.get(tenant)
        if made is not None and now - made[0] < PERIOD:
            return made[1]
        making = self._making.get(tenant)
        if making is None:
            making = self._making[tenant] = asyncio.ensure_future(self._make(tenant, now))
            making.add_done_callback(lambda done: self._made(tenant))
        return await asyncio.shield(making)

    def _made(self, tenant: str | None) -> None:
        del self._making[tenant]

    async def _make(self, tenant: str | None, now: float) -> str:
        desk = self.desk
        if self._board is None or now - self._board[0] > PERIOD / 2:
            names = {agent.extension: agent.name for agent in desk.node.directory().agents.values()}
            self._board = now, desk.node.floor.board(), names
        _, board, names = self._board
        at, node = desk.wall(), desk.settings.node.name
        # a thousand agents are several milliseconds of JSON, and the calls are carried on this thread
        text = await asyncio.to_thread(
            lambda: board_text(board if tenant is None else of_tenant(board, tenant), names, node, at)
        )
        self._texts[tenant] = (now, text)
        return text


@router.get("/v1/board", response_class=Response, responses={200: {"content": {"application/json": {}}}})
async def show_board(request: Request, caller: BoardReader) -> Response:
    """The floor as it is now; a tenant's key sees its own queues. As a WebSocket: the same twice a second."""
    return Response(await _boards(request).text(caller.tenant), media_type="application/json")


@router.websocket("/v1/board")
async def board_feed(socket: WebSocket) -> None:
    """The same, twice a second."""
    boards = _boards(socket)

    async def messages(caller: Caller) -> AsyncIterator[str]:
        while True:
            yield await boards.text(caller.tenant)
            await asyncio.sleep(PERIOD)

    await converse(socket, PROTOCOL, lambda caller: caller.must(Right.EVENTS), messages)


def _boards(connection: HTTPConnection) -> Boards:
    boards: Boards = connection.app.state.boards
    return boards
