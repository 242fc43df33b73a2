"""kill -9 and a full disk, with real processes: nothing that was acknowledged is lost (security.md, Faults)."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from b2bua.storage import Storage
from b2bua.storage.calls import CallFilter, Calls
from b2bua.storage.recover import Heartbeat, recover
from b2bua.storage.spool import Spool
from b2bua.storage.tokens import ClaimOutcome, State, Tokens
from tests.unit.storage.records import stored_numbers

ROOT = Path(__file__).parents[3]
NOW = 1_800_000_000.0


async def child(mode: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.unit.storage.spooler",
        mode,
        str(folder),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )


async def said(process: asyncio.subprocess.Process) -> AsyncIterator[Any]:
    """What the process says, until it is dead and everything is read."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if line.endswith(b"\n"):
            yield json.loads(line)


async def kill_after(process: asyncio.subprocess.Process, words: int) -> list[Any]:
    """Kill it in the middle of its work, after so many words at the earliest; returns all it had said by then."""
    heard: list[Any] = []
    async for word in said(process):
        heard.append(word)
        if len(heard) == words:
            os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    return heard


async def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    """R0-14: killed in a stream of appends, three lives in a row on the same folder; then replayed twice."""
    highest = 0
    for life in range(3):
        process = await child("append", tmp_path)
        heard = await kill_after(process, 1500 + 700 * life)
        highest = max(highest, *heard)
        storage = await Storage.open(f"sqlite:///{tmp_path}/tandem.db")
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "spool", copy)
        spool = Spool.open(tmp_path / "spool", storage)
        recovered = await recover(storage, spool, "n1", NOW, None)
        assert recovered.torn <= 1
        await spool.close()
        numbers = await stored_numbers(storage)
        assert numbers[: len(heard)] == list(range(1, len(heard) + 1))
        assert not list((tmp_path / "spool").glob("*.jsonl")), "nothing is left to replay"
        again = Spool.open(copy, storage)
        assert await again.drain(10)
        await again.close()
        assert await stored_numbers(storage) == numbers, "a replay changes nothing"
        await storage.close()
        shutil.rmtree(copy)
    assert highest >= 2900


async def test_answered_calls_are_found_and_their_tokens_stay_used(tmp_path: Path) -> None:
    """R1-09: killed with hundreds of calls up: each answered one has a CDR, its token is used; the others' are free."""
    process = await child("calls", tmp_path)
    heard = await kill_after(process, 600)
    answered = {call: sequence for word, call, sequence in heard if word == "answered"}
    claimed = {call: sequence for word, call, sequence in heard if word == "claimed" and call not in answered}
    storage = await Storage.open(f"sqlite:///{tmp_path}/tandem.db")
    spool = Spool.open(tmp_path / "spool", storage)
    heartbeat = Heartbeat(tmp_path / "heartbeat")
    alive_until = heartbeat.last()
    assert alive_until is not None
    recovered = await recover(storage, spool, "n1", NOW + 100_000, alive_until)
    heartbeat.close()
    lost = {call.id: call for call in recovered.lost}
    assert answered.keys() <= lost.keys()
    calls = [call async for call in Calls(storage).stream(CallFilter())]
    assert {call.id for call in calls} == lost.keys()
    for call in calls:
        assert (call.cause, call.ended_by) == ("lost", "crash")
        assert call.answered_at is not None
        assert call.ended_at == max(alive_until, call.answered_at)
        assert call.talk == call.ended_at - call.answered_at
        assert lost[call.id] == call
    tokens = Tokens(storage, "n1")
    for sequence in answered.values():
        assert (await tokens.claim("acme", sequence, "later", NOW)).outcome is ClaimOutcome.USED
    # The last one may have been answered without a chance to say so.
    unanswered = [sequence for call, sequence in claimed.items() if call not in lost]
    assert len(unanswered) >= len(claimed) - 1
    for sequence in unanswered:
        assert (await tokens.claim("acme", sequence, "later", NOW)).outcome is ClaimOutcome.CLAIMED
    assert recovered.released >= len(unanswered)
    held = [token for token in await tokens.page("acme", limit=9999) if token.state is State.CLAIMED]
    assert {token.call for token in held} == {"later"}
    again = await recover(storage, spool, "n1", NOW + 100_000, alive_until)
    assert (again.replayed, again.lost) == (0, ())
    await spool.close()
    await storage.close()


async def test_a_full_disk_costs_nothing_once_there_is_room_again(tmp_path: Path) -> None:
    """The file system refuses to let any file grow: calls go on, an alarm, no half line; then all is stored."""
    process = await child("full", tmp_path)
    during, after = [word async for word in said(process)]
    assert await process.wait() == 0
    alarm, drained, pending, lost, whole_lines = during
    assert (alarm, lost, whole_lines) == (True, 0, True)
    assert drained or pending > 0
    assert after == [False, True, 0, 0, True, "ok"]
