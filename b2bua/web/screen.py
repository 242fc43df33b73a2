"""An agent's own screen over a WebSocket: his state and the call he has, told anew the moment one of them changes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, WebSocket

from b2bua.calls.view import CallView
from b2bua.jsontext import encode
from b2bua.web.desk import Attendant, Desk, TheDesk, desk_of
from b2bua.web.problems import not_found
from b2bua.web.rights import Caller, Right
from b2bua.web.screens import Screens, screens_of
from b2bua.web.sockets import converse
from routing.agent_state import AgentState

router = APIRouter(tags=["pages"])

PROTOCOL = "tandem.screen"
BEAT = 5.0
"Seconds after which an unchanged screen is sent again, so that a page knows the line is alive."


@router.get("/v1/agents/{extension}/screen")
async def show_screen(extension: str, desk: TheDesk, caller: Attendant) -> dict[str, Any]:
    """An agent's state, and the call that rings or talks at his phone with its caller's data. As a WebSocket: the same
    at each change."""
    caller.must_be(extension)
    found = screen(desk, extension)
    if found is None:
        raise not_found("agent", extension)
    return found


@router.websocket("/v1/agents/{extension}/screen")
async def screen_feed(socket: WebSocket, extension: str) -> None:
    """The same at each change."""
    desk = desk_of(socket)

    def may(caller: Caller) -> None:
        caller.must(Right.ATTEND)
        caller.must_be(extension)
        if screen(desk, extension) is None:
            raise not_found("agent", extension)

    await converse(socket, PROTOCOL, may, lambda caller: _screens(desk, screens_of(socket), extension))


async def _screens(desk: Desk, screens: Screens, extension: str) -> AsyncIterator[str]:
    with screens.watch(extension) as watcher:
        while (shown := screen(desk, extension)) is not None:
            watcher.shows(shown["call"]["id"] if shown["call"] is not None else None)
            yield encode(shown)
            await watcher.change(BEAT)


def screen(desk: Desk, extension: str) -> dict[str, Any] | None:
    """What the agent sees now; None where there is no such agent."""
    agent = desk.node.directory().agents.get(extension)
    if agent is None:
        return None
    seat = desk.node.floor.agent(extension)
    clock = asyncio.get_running_loop().time()
    view: dict[str, Any] = {
        "extension": extension,
        "name": agent.name,
        "state": str(AgentState.LOGGED_OUT),
        "reason": "",
        "seconds": 0.0,
        "wrap_up_left": None,
        "queue": None,
        "queues": [],
    }
    if seat is not None:
        view |= {
            "state": str(seat.state),
            "reason": seat.reason,
            "seconds": round(clock - seat.since, 1),
            "wrap_up_left": None if seat.wrap_until is None else round(max(0.0, seat.wrap_until - clock), 1),
            "queue": seat.queue,
            "queues": list(seat.members),
        }
    call = None
    if seat is None or not seat.logged_in:  # a direct call to somebody the floor does not watch
        call = next(iter(desk.node.calls.list(extension)), None)
    elif seat.call is not None:
        call = desk.node.calls.get(seat.call)
    view["time"], view["call"] = round(desk.wall(), 3), None if call is None else _call(call)
    return view


def _call(call: CallView) -> dict[str, Any]:
    return {
        "id": call.id,
        "tenant": call.tenant,
        "direction": call.direction,
        "caller": call.caller,
        "called": call.called,
        "billing_number": call.billing_number,
        "state": call.state,
        "since": call.since,
        "data": dict(call.data),
        "recording": call.recording,
    }
