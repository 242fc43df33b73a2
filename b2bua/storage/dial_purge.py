"""Old commands go by their age, whether their campaign is there or not: nothing else deletes them."""

from functools import partial

import sqlalchemy as sa

from b2bua.storage import campaign_rows, snapshot_rows
from b2bua.storage.dial_tables import dial_commands
from b2bua.storage.errors import NotFound
from b2bua.storage.storage import Storage
from dialer.keeping import Keeping

SLICE = 500
"Commands that go in one transaction."


async def purge(storage: Storage, keeping: Keeping, now: float) -> int:
    """Delete the commands that no law needs any more; returns how many. Raises StorageUnavailable."""
    gone, last = 0, ""
    while (campaign := await storage.read(partial(_behind, last=last))) is not None:
        last = campaign
        gone += await _purge(storage, campaign, keeping, now)
    return gone


async def _purge(storage: Storage, campaign: str, keeping: Keeping, now: float) -> int:
    if not await storage.read(partial(_older, campaign=campaign, before=now - keeping.least, most=1)):
        return 0
    law = await storage.read(partial(_law, campaign=campaign))
    before, gone = now - keeping.of(law), 0
    # looked for outside the transaction that deletes: that one has the only writer of SQLite
    while some := await storage.read(partial(_older, campaign=campaign, before=before, most=SLICE)):
        gone += await storage.write(partial(_delete, ids=some))
    return gone


def _behind(conn: sa.Connection, last: str) -> str | None:
    """The next campaign that has commands."""
    first = sa.select(sa.func.min(dial_commands.c.campaign)).where(dial_commands.c.campaign > last)
    found: str | None = conn.execute(first).scalar()
    return found


def _law(conn: sa.Connection, campaign: str) -> str:
    """The law that a campaign is under, or was when its newest snapshot was made; empty: nobody knows."""
    try:
        return campaign_rows.get(conn, campaign).profile
    except NotFound:
        kept = snapshot_rows.newest(conn, campaign)
        return "" if kept is None else str(kept.body["campaign"].get("profile", ""))


def _older(conn: sa.Connection, campaign: str, before: float, most: int) -> list[str]:
    """A campaign's oldest commands that have a record, up to the first one that is not old enough: ids rise with the
    time, and a clock that was wrong for a while only keeps some for longer."""
    query = (
        sa.select(dial_commands.c.id, dial_commands.c.at)
        .where(dial_commands.c.campaign == campaign, dial_commands.c.outcome.is_not(None))
        .order_by(dial_commands.c.id)
        .limit(most)
    )
    found: list[str] = []
    for id_, at in conn.execute(query):
        if at >= before:
            break
        found.append(id_)
    return found


def _delete(conn: sa.Connection, ids: list[str]) -> int:
    return conn.execute(sa.delete(dial_commands).where(dial_commands.c.id.in_(ids))).rowcount
