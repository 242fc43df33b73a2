"""Campaigns as rows: what their owners write, and the orders that move them from state to state."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from b2bua.storage import audit
from b2bua.storage.campaign_values import body_of, of_row, shown
from b2bua.storage.dial_tables import batch_problems, batches, campaigns, contact_numbers, contacts
from b2bua.storage.errors import Conflict, Duplicate, NotFound
from b2bua.storage.tables import revisions
from dialer.campaign import ALIVE, NEXT, Campaign, CampaignState

REVISION = "dialling"
"The row of `revisions` that every change counts up."

KIND = "campaign"
"As the audit log calls it."

_VALUES = (campaigns.c.body, campaigns.c.state, campaigns.c.reason, campaigns.c.node)


def revision(conn: sa.Connection) -> int:
    """How often campaigns and lists have been changed."""
    return int(conn.execute(sa.select(revisions.c.value).where(revisions.c.name == REVISION)).scalar_one())


def changed(conn: sa.Connection) -> None:
    """Count a change."""
    conn.execute(sa.update(revisions).where(revisions.c.name == REVISION).values(value=revisions.c.value + 1))


def get(conn: sa.Connection, id: str, *, lock: bool = False) -> Campaign:
    """One of them. Raises NotFound."""
    query = sa.select(*_VALUES).where(campaigns.c.id == id)
    row = conn.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound(f"there is no campaign {id}")
    return of_row(*row)


def every(conn: sa.Connection, tenant: str | None = None) -> list[Campaign]:
    """All of them, by id; None: of every tenant."""
    query = sa.select(*_VALUES).order_by(campaigns.c.id)
    if tenant is not None:
        query = query.where(campaigns.c.tenant == tenant)
    return [of_row(*row) for row in conn.execute(query)]


def of_node(conn: sa.Connection, node: str) -> Sequence[Campaign]:
    """Those a node runs."""
    alive = campaigns.c.state.in_([state.value for state in ALIVE])
    query = sa.select(*_VALUES).where(campaigns.c.node == node, alive).order_by(campaigns.c.id)
    return [of_row(*row) for row in conn.execute(query)]


def alive(conn: sa.Connection) -> list[Campaign]:
    """Those that run, are paused or drain, on whichever node."""
    states = campaigns.c.state.in_([state.value for state in ALIVE])
    return [of_row(*row) for row in conn.execute(sa.select(*_VALUES).where(states).order_by(campaigns.c.id))]


def create(conn: sa.Connection, new: Campaign, *, by: str, now: float) -> Campaign:
    """Add it as a draft. Raises Duplicate."""
    made = replace(new, state=CampaignState.DRAFT, reason="", node="")
    if conn.execute(sa.select(campaigns.c.id).where(campaigns.c.id == made.id)).first() is not None:
        raise Duplicate(f"there is a campaign {made.id} already")
    if has_left(conn, made.id):
        raise Conflict(f"the campaign {made.id} before this one is not wholly removed yet: delete it once more")
    conn.execute(
        sa.insert(campaigns),
        {
            "id": made.id,
            "tenant": made.tenant,
            "state": made.state.value,
            "reason": "",
            "node": "",
            "body": body_of(made),
            "created_at": now,
            "changed_at": now,
        },
    )
    changed(conn)
    audit.record(conn, at=now, actor=by, action="create", kind=KIND, key=made.id, after=shown(made))
    return made


def replace_(conn: sa.Connection, new: Campaign, *, by: str, now: float) -> Campaign:
    """Put it in the place of the one with its id; its state stays. Raises NotFound, Conflict."""
    old = get(conn, new.id, lock=True)
    if new.tenant != old.tenant:
        raise Conflict(f"campaign {new.id} belongs to tenant {old.tenant}: it cannot be given to another")
    made = replace(new, state=old.state, reason=old.reason, node=old.node)
    conn.execute(
        sa.update(campaigns).where(campaigns.c.id == new.id).values(body=body_of(made), changed_at=now),
    )
    changed(conn)
    audit.record(conn, at=now, actor=by, action="replace", kind=KIND, key=made.id, before=shown(old), after=shown(made))
    return made


def delete(conn: sa.Connection, id: str, *, by: str, now: float) -> None:
    """Remove the campaign alone; its contacts go in slices (`delete_some`). Raises NotFound, Conflict."""
    old = get(conn, id, lock=True)
    if old.state in ALIVE:
        raise Conflict(f"campaign {id} is {old.state}: stop it first")
    conn.execute(sa.delete(campaigns).where(campaigns.c.id == id))
    conn.execute(sa.delete(batches).where(batches.c.campaign == id))
    changed(conn)
    audit.record(conn, at=now, actor=by, action="delete", kind=KIND, key=id, before=shown(old))


def has_left(conn: sa.Connection, id: str) -> bool:
    """Whether contacts are there that a removal, broken off, has left."""
    return conn.execute(sa.select(contacts.c.id).where(contacts.c.campaign == id).limit(1)).first() is not None


def delete_some(conn: sa.Connection, id: str, most: int) -> int:
    """Remove up to `most` contacts of a campaign that is gone, with numbers and problems; returns how many.

    Commands stay until no law needs them (`dial_purge`): limits and gaps count over all campaigns of a tenant, and
    whoever was called is not called anew because the campaign was deleted. The law's counters and the snapshots stay
    too: they are evidence.
    """
    if conn.execute(sa.select(campaigns.c.id).where(campaigns.c.id == id)).first() is not None:
        return 0
    some = [row[0] for row in conn.execute(sa.select(contacts.c.id).where(contacts.c.campaign == id).limit(most))]
    if some:
        conn.execute(sa.delete(contacts).where(contacts.c.id.in_(some)))
    else:
        conn.execute(sa.delete(batch_problems).where(batch_problems.c.campaign == id))
        conn.execute(sa.delete(contact_numbers).where(contact_numbers.c.campaign == id))
    return len(some)


def order(
    conn: sa.Connection, id: str, word: str, now: float, *, reason: str, node: str, by: str
) -> Campaign:  # fmt: skip
    """Move it to its next state. Raises NotFound, Conflict."""
    old = get(conn, id, lock=True)
    state = NEXT.get((old.state, word))
    if state is None:
        raise Conflict(f"campaign {id} is {old.state}: it cannot be told to {word}")
    alive = state in ALIVE
    made = replace(old, state=state, reason=reason, node=(old.node or node) if alive else "")
    if word == "start":
        made = replace(made, node=node)
    times = {"started_at": now, "ended_at": None} if word == "start" else {} if alive else {"ended_at": now}
    conn.execute(
        sa.update(campaigns)
        .where(campaigns.c.id == id)
        .values(state=made.state.value, reason=made.reason, node=made.node, changed_at=now, **times)
    )
    changed(conn)
    audit.record(
        conn,
        at=now,
        actor=by,
        action=word,
        kind=KIND,
        key=id,
        before={"state": old.state.value, "reason": old.reason},
        after={"state": made.state.value, "reason": made.reason, "node": made.node},
    )
    return made
