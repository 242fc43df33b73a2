"""Putting the last life in order, on both databases (R1-09; security.md, Faults)."""

from pathlib import Path

import pytest

from b2bua.storage import Storage, StorageUnavailable
from b2bua.storage.calls import CallRecord, Calls, PartRecord
from b2bua.storage.recover import SKIP, Heartbeat, next_to, recover
from b2bua.storage.spool import Spool
from b2bua.storage.tokens import NewToken, State, Tokens

NOW = 1_800_000_000.0


def call(name: str, sequence: str | None, node: str = "n1", **times: float) -> CallRecord:
    record = CallRecord(name, node, "inbound", NOW, "acme", sequence=sequence, ringing_at=NOW + 1)
    for field, value in times.items():
        setattr(record, field, value)
    record.parts = [PartRecord(0, "caller", NOW), PartRecord(1, "agent", NOW, ended_at=NOW + 2, cause="gone")]
    return record


async def state_of(tokens: Tokens, sequence: str) -> State:
    token = await tokens.look_up("acme", sequence)
    assert token is not None
    return token.state


async def test_open_calls_are_closed_and_tokens_get_what_they_deserve(storage: Storage, tmp_path: Path) -> None:
    """Answered: a CDR and a used token, also when only the CDR is left; unanswered: free; other nodes': untouched."""
    tokens, others = Tokens(storage, "n1"), Tokens(storage, "n2")
    issued = await tokens.issue_many("acme", [NewToken()] * 5, width=6, ttl=300.0, now=NOW)
    answered, half, ringing, foreign, ended = (token.sequence for token in issued)
    for sequence, name in ((answered, "a"), (half, "h"), (ringing, "r"), (ended, "e")):
        await tokens.claim("acme", sequence, name, NOW)
    await others.claim("acme", foreign, "f", NOW)
    spool = Spool.open(tmp_path / "spool", storage)
    spool.append("consume", {"tenant": "acme", "sequence": answered, "call": "a", "at": NOW + 3})
    spool.append("call", call("a", answered, answered_at=NOW + 3).as_record())
    spool.append("call", call("h", half, answered_at=NOW + 9).as_record())
    spool.append("call", call("f", foreign, node="n2", answered_at=NOW + 3).as_record())
    spool.append("call", call("e", ended, answered_at=NOW + 3).as_record())
    spool.append("consume", {"tenant": "acme", "sequence": ended, "call": "e", "at": NOW + 3})
    spool.append("call", call("e", ended, answered_at=NOW + 3, ended_at=NOW + 4).as_record())
    recovered = await recover(storage, spool, "n1", NOW + 100, NOW + 7)
    await spool.close()
    assert (recovered.replayed, recovered.torn, recovered.released) == (7, 0, 1)
    assert sorted(one.id for one in recovered.lost) == ["a", "h"]
    states = [await state_of(tokens, sequence) for sequence in (answered, half, ringing, foreign, ended)]
    assert states == [State.CONSUMED, State.CONSUMED, State.FREE, State.CLAIMED, State.CONSUMED]
    calls = Calls(storage)
    lost = await calls.get("a")
    assert (lost.cause, lost.ended_by, lost.ended_at, lost.duration, lost.talk) == ("lost", "crash", NOW + 7, 7.0, 4.0)
    assert [(part.ended_at, part.cause) for part in lost.parts] == [(NOW + 7, "lost"), (NOW + 2, "gone")]
    # answered between the last heartbeat and the crash: never before its answer
    late = await calls.get("h")
    assert (late.ended_at, late.talk) == (NOW + 9, 0.0)
    assert (await calls.get("f")).ended_at is None
    assert (await calls.get("e")).cause is None


async def test_without_a_heartbeat_the_start_is_the_end(storage: Storage, tmp_path: Path) -> None:
    """A lost data folder, a clock that was set back: no call ends in the future or before it began."""
    spool = Spool.open(tmp_path / "spool", storage)
    spool.append("call", call("a", None, answered_at=NOW + 3).as_record())
    assert (await recover(storage, spool, "n1", NOW + 50, None)).lost[0].ended_at == NOW + 50
    spool.append("call", call("b", None, answered_at=NOW + 3).as_record())
    assert (await recover(storage, spool, "n1", NOW + 50, NOW + 9999)).lost[0].ended_at == NOW + 50
    spool.append("call", call("c", None).as_record())
    lost = (await recover(storage, spool, "n1", NOW + 50, NOW - 100)).lost[0]
    assert (lost.ended_at, lost.duration, lost.talk) == (NOW, 0.0, None)
    await spool.close()


async def test_no_recovery_without_the_database(sqlite: Storage, tmp_path: Path) -> None:
    """Tokens are not released while an answer may still be in the spool."""
    spool = Spool.open(tmp_path / "spool", sqlite)
    spool.append("call", call("a", None, answered_at=NOW + 3).as_record())
    await sqlite.close()
    with pytest.raises(StorageUnavailable, match="1 records"):
        await recover(sqlite, spool, "n1", NOW, None, timeout=0.1)
    await spool.close()


def test_the_heartbeat_remembers_time_and_number(tmp_path: Path) -> None:
    """Over restarts; an empty or foreign file is none."""
    heart = Heartbeat(tmp_path / "new" / "heartbeat")
    assert (heart.last(), heart.last_event()) == (None, 0)
    heart.beat(NOW + 0.25, 4711)
    heart.beat(NOW + 1.25, 4712)
    heart.close()
    again = Heartbeat(tmp_path / "new" / "heartbeat")
    assert (again.last(), again.last_event()) == (NOW + 1.25, 4712)
    again.close()
    (tmp_path / "other").write_text("something else")
    other = Heartbeat(tmp_path / "other")
    assert (other.last(), other.last_event()) == (None, 0)
    other.close()


def test_numbers_that_listeners_have_seen_are_not_given_again(tmp_path: Path) -> None:
    """R0-14: a crash with a full disk may take events with it, but not their numbers."""
    heart = Heartbeat(tmp_path / "heartbeat")
    assert next_to(0, heart) == 0
    heart.beat(NOW, 500)
    assert next_to(500, heart) == 500
    assert next_to(612, heart) == 612
    assert next_to(480, heart) == 500 + SKIP
    heart.close()
