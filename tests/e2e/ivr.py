"""An IVR for the tests of menus: prompts that are tones, a menu in the database, a number that leads to it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from media import Cadence, Tone, wav
from media.tones import cadence_samples
from tests.peers.api import ACCESS_NUMBER, TENANT, Json
from tests.peers.server import Server
from tests.peers.uac import Caller
from tests.peers.uas import Phone

CALLER = "13800000001"
HELLO, WHICH, WRONG, NOTHING, THANKS = 440.0, 620.0, 760.0, 880.0, 1020.0
PROMPTS = {"hello": HELLO, "which": WHICH, "wrong": WRONG, "nothing": NOTHING, "thanks": THANKS}
"Each prompt is a tone that no caller or phone sends."
SECONDS = 0.6
"Length of a prompt: more than the ear of the test takes in at once."

TO_AGENT: Json = {"kind": "goal", "goal": {"kind": "agent", "target": "1001"}}
OVER: Json = {"kind": "goal", "goal": {"kind": "hangup"}}


def record_prompts(folder: Path, seconds: float = SECONDS) -> None:
    """The sound files of the menus."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frequency in PROMPTS.items():
        wav.write(folder / f"{name}.wav", cadence_samples(Cadence(name, (Tone((frequency,), seconds),)), 8000), 8000)


async def open_ivr(
    server: Server, phone: Phone | None, nodes: Json, start: str = "ask", *, plan: Json | None = None, **menu: Any
) -> None:
    """Agent 1001 at his phone, tenant acme, and a number whose calls come to the menu `main`.

    `plan` is what the menu names: `{"mailboxes": [...]}`.
    """
    await asyncio.to_thread(record_prompts, server.data / "sounds")
    if phone is not None:
        await server.api.add_agent(phone.uri)
    await server.api.add_tenant()
    await server.api.add_plan(**(plan or {}))
    await change_menu(server, nodes, start, **menu)
    entry = {"kind": "menu", "target": "main"}
    await server.api.add_access_number(correlation="off", default_tenant=TENANT, entry=entry)


async def change_menu(server: Server, nodes: Json, start: str = "ask", **menu: Any) -> None:
    """The menu `main`, new or changed."""
    body = {"id": "main", "name": "main menu", "tenant": TENANT, "start": start, "nodes": nodes, **menu}
    await server.api.request("PUT", "/v1/menus/main", body)


async def come(server: Server, caller: Caller, **invite: Any) -> None:
    """The caller is up, and in the menu."""
    await caller.invite(server.outside, ACCESS_NUMBER, caller=CALLER, **invite)
    await caller.answered()


async def over(caller: Caller) -> None:
    """The server ends the call."""
    await caller.expect("BYE")
