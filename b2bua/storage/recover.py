"""After a crash: what the spool still holds is stored, open calls are closed as lost, unanswered tokens released."""

import os
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from b2bua.storage import call_rows, token_rows
from b2bua.storage.calls import CallRecord, call_of
from b2bua.storage.errors import StorageUnavailable
from b2bua.storage.spool import Spool
from b2bua.storage.storage import Storage

SKIP = 1000
"Event numbers left out after a crash with a full disk, in which some were shown to listeners but never stored."

REPLAY_TIMEOUT = 30.0
"Seconds the spool may take to empty itself into the database before we say that this is not possible."


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the last crash cost. All zero after an orderly stop."""

    replayed: int
    torn: int
    lost: tuple[CallRecord, ...]
    "Calls that were answered or open when the process died, as now written, without parts."
    released: int
    "Tokens of unanswered calls that may be used again."
    alive_until: float
    "When the last life ended, epoch seconds; of a first one: now."


class Heartbeat:
    """A small file that says when this node was last alive."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def last(self) -> float | None:
        """Epoch seconds of the last beat, of an earlier process too; None when there was none."""
        try:
            return float(os.pread(self._descriptor, 64, 0).split()[0])
        except (ValueError, IndexError):
            return None

    def last_event(self) -> int:
        """The highest event number of the last beat, 0 when there was none."""
        try:
            return int(os.pread(self._descriptor, 64, 0).split()[1])
        except (ValueError, IndexError):
            return 0

    def beat(self, now: float, last_event: int = 0) -> None:
        """Write down `now` and the highest event number. A full disk is no error here."""
        try:
            # Always as long as the last one, so that a beat cut short by a crash cannot be read as another number;
            # and in its place, which a full disk does not refuse.
            os.pwrite(self._descriptor, b"%020.3f %020d\n" % (now, last_event), 0)
        except OSError:
            pass

    def close(self) -> None:
        """Close the file; it stays."""
        os.close(self._descriptor)


def next_to(stored: int, heartbeat: Heartbeat) -> int:
    """The event number to go on from: the highest one stored, or one surely behind all that listeners have seen."""
    seen = heartbeat.last_event()
    return stored if stored >= seen else seen + SKIP


async def recover(
    storage: Storage,
    spool: Spool,
    node: str,
    now: float,
    alive_until: float | None,
    *,
    timeout: float = REPLAY_TIMEOUT,
) -> Recovered:
    """Put the node's last life in order before it is ready; `alive_until` is the heartbeat's last beat.

    Call it before the first call is taken, and before `Spool.run` starts. Raises StorageUnavailable.
    """
    replayed = spool.pending
    # First everything that was written down: an answer that is still in the spool makes its token a used one.
    if not await spool.drain(timeout):
        raise StorageUnavailable(f"{spool.pending} records of the spool could not be stored")
    end = now if alive_until is None else min(alive_until, now)
    lost, released = await storage.write(lambda conn: _close(conn, node, end), timeout=timeout)
    return Recovered(replayed, spool.torn, tuple(lost), released, end)


def _close(conn: sa.Connection, node: str, alive_until: float) -> tuple[list[CallRecord], int]:
    lost = [call_of(row) for row in call_rows.end_open(conn, node, alive_until)]
    for call in lost:
        if call.answered_at is not None and call.tenant is not None and call.sequence is not None:
            asked = {"tenant_": call.tenant, "sequence_": call.sequence, "call_": call.id, "now_": call.answered_at}
            token_rows.CONSUME.rowcount(conn, asked)
    released = conn.execute(token_rows.RELEASE_NODE, {"node_": node}).rowcount
    return lost, released
