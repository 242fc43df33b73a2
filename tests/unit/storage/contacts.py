"""Campaigns with contacts for tests of what dials them."""

from collections.abc import Sequence

import sqlalchemy as sa

from b2bua.storage import Storage, batch_rows, campaign_rows, contact_rows
from b2bua.storage.dial_store import DialStore
from dialer.batch import Prepared
from dialer.campaign import Campaign
from dialer.command import Command
from dialer.contact import Contact, PhoneNumber

NOW = 1_800_000_000.0
CAMPAIGN = Campaign("spring", "acme", trunks=("carrier",), queue="sales", redial_gap=60.0)


def number(n: int) -> str:
    return f"+1212{2_000_000 + n}"


def prepared(row: int, *numbers: str, priority: int = 5, next_at: float = 0.0, agent: str = "") -> Prepared:
    return Prepared(row, tuple(map(PhoneNumber, numbers)), priority, {"row": row}, "", "", None, next_at, agent)


async def make(
    storage: Storage,
    campaign: Campaign = CAMPAIGN,
    rows: Sequence[Prepared] = (),
    *,
    start: bool = True,
    now: float = NOW,
) -> DialStore:
    """A campaign, made at `now`, with one batch, `b1`, that runs on node n1."""
    await storage.write(lambda conn: campaign_rows.create(conn, campaign, by="test", now=now))
    await add(storage, campaign, "b1", rows)
    store = DialStore(storage)
    if start:
        await store.order(campaign.id, "start", NOW, node="n1")
    return store


async def add(storage: Storage, campaign: Campaign, batch: str, rows: Sequence[Prepared]) -> None:
    """A batch that is whole."""
    ids = iter(range(1_000_000))

    def op(conn: sa.Connection) -> None:
        begun = batch_rows.begin(conn, campaign.id, batch, "test", "n1", "test", NOW)
        new_id = lambda: f"{campaign.id}-{batch}-{next(ids):06}"  # noqa: E731
        batch_rows.add(conn, campaign, begun, rows, [], rows=len(rows), share=1.0, new_id=new_id)
        after: int | None = 0
        while after is not None:
            after = batch_rows.open_some(conn, campaign.id, batch, after)
        batch_rows.finish(conn, campaign.id, batch, NOW)

    await storage.write(op)


async def contact(storage: Storage, id: str) -> Contact:
    """One as it is now."""
    found = await storage.read(lambda conn: contact_rows.find(conn, id))
    assert found is not None
    return found[0]


def command(id: str, of: Contact, *, node: str = "n1", at: float = NOW, number: str = "") -> Command:
    """A command for the contact's next number."""
    return Command(id, of.campaign, of.tenant, of.id, number or of.number.number, of.attempts + 1, node, at)
