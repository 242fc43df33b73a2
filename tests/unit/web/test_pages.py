"""Pages, and the two WebSockets behind them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import websockets

from b2bua.web.board import Boards
from b2bua.web.desk import Desk
from b2bua.web.limits import Limits
from b2bua.web.pages import FILES, FOLDER
from routing.board import Board
from routing.plan import Plan
from routing.queue import AgentProfile, Queue
from tests.unit.web.server import CALL, Api, StillFloor

PAGES = ["/agent", "/wallboard"]


@asynccontextmanager
async def connected(web: Api, path: str, key: str, protocol: str) -> AsyncIterator[websockets.ClientConnection]:
    """As a browser does it: the key among the subprotocols."""
    url = web.url.replace("http", "ws") + path
    async with websockets.connect(url, subprotocols=[protocol, f"bearer.{web.keys[key]}"], proxy=None) as socket:  # type: ignore[list-item]
        yield socket


async def message(socket: websockets.ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        return dict(json.loads(await socket.recv()))


def floor_of(web: Api) -> StillFloor:
    floor = web.node.floor
    assert isinstance(floor, StillFloor)
    return floor


def furnish(web: Api) -> StillFloor:
    """One queue of the tenant acme, and agent 8001 who serves it."""
    still = floor_of(web)
    still.plan = Plan.of(Queue("repairs", "Repairs", tenant="acme"), AgentProfile("8001", queues={"repairs": 1}))
    return still


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_needs_no_key_and_lets_nothing_foreign_into_the_browser(web: Api, path: str) -> None:
    answer = await web.ask("GET", path, key=None)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await web.ask("GET", path, key=None, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_every_file_is_served_and_refers_to_our_own_files_only(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    paths = set(re.findall(r'(?:href|src)="(/[^"]*)"', text)) | set(re.findall(r'from "\.(/[^"]*)"', text))
    known = set(FILES) | {path.removeprefix("/static") for path in FILES}
    assert paths <= known
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"style=|\son\w+=\"|innerHTML|eval\(", text)


async def test_no_path_leads_out_of_the_folder_of_pages(web: Api) -> None:
    for path in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/", "/static/nothing.js", "/agent/"):
        answer = await web.ask("GET", path, key=None)
        assert answer.status_code == 401, path
        answer = await web.ask("GET", path)
        assert answer.status_code == 404, path


async def test_the_wallboard_is_told_twice_a_second_and_each_tenant_its_own(web: Api) -> None:
    """R2-08: statistics go to clients."""
    still = furnish(web)
    async with (
        connected(web, "/v1/board", "listener", "tandem.board") as socket,
        connected(web, "/v1/board", "beta", "tandem.board") as stranger,
    ):
        first = await message(socket)
        assert [queue["queue"] for queue in first["queues"]] == ["repairs"]
        assert first["states"] == {"logged-out": 1}
        assert (await message(stranger))["queues"] == []
        still.log_in("8001")
        changed = await message(socket)
        if changed["states"] == first["states"]:  # it was under way already
            changed = await message(socket)
        assert changed["states"] == {"available": 1}
        assert changed["time"] - first["time"] < 2
    assert (await web.ask("GET", "/v1/board", key="metrics")).status_code == 403


async def test_an_agents_screen_follows_the_events_that_concern_him(web: Api) -> None:
    still = furnish(web)
    path = "/v1/agents/8001/screen"
    async with connected(web, path, "operator", "tandem.screen") as socket:
        first = await message(socket)
        # he is not logged in, so a call at his phone is one that somebody sent straight to him
        assert (first["state"], first["name"], first["call"]["id"]) == ("logged-out", "First desk", CALL.id)
        assert first["call"]["data"] == {"order": 7}
        web.node.events.append("agent.state", None, {"extension": "8002"})
        still.log_in("8001")
        second = await message(socket)
        assert (second["state"], second["queues"], second["call"]) == ("available", ["repairs"], None)
        still.reserve("8001", CALL.id)
        popped = await message(socket)
        assert (popped["state"], popped["call"]["caller"]) == ("reserved", CALL.caller)
        web.calls.calls.pop(CALL.id)
        web.node.events.append("call.ended", CALL.id, {})
        assert (await message(socket))["call"] is None
    assert (await web.ask("GET", path)).json()["extension"] == "8001"
    assert (await web.ask("GET", "/v1/agents/9999/screen")).status_code == 404
    assert (await web.ask("GET", path, key="listener")).status_code == 403


async def test_a_socket_needs_a_key_with_the_right_to_it(web: Api) -> None:
    for path, key, protocol in (
        ("/v1/board", "metrics", "tandem.board"),
        ("/v1/agents/8001/screen", "listener", "tandem.screen"),
        ("/v1/agents/9999/screen", "operator", "tandem.screen"),
    ):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with connected(web, path, key, protocol):
                pass
        assert refused.value.response.status_code in (403, 404)


def palettes() -> list[dict[str, str]]:
    """The colours by name: of the light page, and of the dark one."""
    light, dark = re.findall(r":root \{(.*?)\}", (FOLDER / "base.css").read_text(encoding="utf-8"), re.DOTALL)
    found = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in (light, dark)]
    assert found[0].keys() == found[1].keys()
    return found


def luminance(colour: str) -> float:
    """Of WCAG 2, 0 to 1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", palettes(), ids=["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(colours: dict[str, str]) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1."""
    pairs = [(front, back) for front in ("ink", "faint", "accent", "good", "bad", "warn") for back in ("paper", "card")]
    pairs += [(kind, f"{kind}-paper") for kind in ("good", "warn", "bad", "busy", "still")] + [("on-accent", "accent")]
    for front, back in pairs:
        darker, lighter = sorted((luminance(colours[front]), luminance(colours[back])))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (front, back)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.js")), ids=lambda file: file.name)
def test_what_goes_into_a_path_is_encoded(file: Any) -> None:
    """An extension may have a # in it, and the rest of the path would be lost: another agent's, perhaps."""
    paths = re.findall(r"`/v1/[^`]*`", file.read_text())
    assert all("encodeURIComponent(" in value for path in paths for value in re.findall(r"\$\{[^}]*\}", path))


class CountedFloor(StillFloor):
    """Knows how often it was looked at."""

    looks = 0

    def board(self) -> Board:
        self.looks += 1
        return super().board()


async def test_the_floor_is_looked_at_once_for_all_tenants(web: Api) -> None:
    """A hundred tenants with wallboards open: each look at a thousand agents is 2 ms on the loop."""
    floor = CountedFloor(web.node.events)
    boards = Boards(Desk(replace(web.node, floor=floor), Limits()))
    texts = await asyncio.gather(*(boards.text(tenant) for tenant in (None, "acme", "beta")))
    assert all(json.loads(text)["queues"] == [] for text in texts)
    assert floor.looks == 1


async def test_the_page_of_one_who_is_logged_out_looks_at_his_calls_only(web: Api) -> None:
    """A thousand such pages stay open over night, and views of 2,000 calls for each would be a core."""
    shown = (await web.ask("GET", "/v1/agents/8001/screen")).json()
    assert (shown["state"], shown["call"]["id"], web.calls.looked_at) == ("logged-out", CALL.id, ["8001"])
