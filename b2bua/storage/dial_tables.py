"""The tables of outbound dialling: campaigns, batches, contacts, commands, counters, do-not-call lists, snapshots."""

import sqlalchemy as sa

from b2bua.storage.tables import METADATA, Time
from dialer.counts import NAMES

__all__ = ["METADATA"]  # all tables, those of `tables` too: for who looks at the whole schema

campaigns = sa.Table(
    "campaigns",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("changed_at", Time, nullable=False),
    sa.Column("started_at", Time),
    sa.Column("ended_at", Time),
    sqlite_with_rowid=False,
)
"What the owner wrote is JSON in `body`; a running campaign belongs to one node."

batches = sa.Table(
    "batches",
    METADATA,
    sa.Column("campaign", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("contacts", sa.BigInteger, nullable=False),
    sa.Column("numbers", sa.BigInteger, nullable=False),
    sa.Column("duplicates", sa.BigInteger, nullable=False),
    sa.Column("invalid", sa.BigInteger, nullable=False),
    sa.Column("listed", sa.BigInteger, nullable=False),
    sa.Column("share", sa.Double, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("began_at", Time, nullable=False),
    sa.Column("ended_at", Time),
    sqlite_with_rowid=False,
)

batch_problems = sa.Table(
    "batch_problems",
    METADATA,
    sa.Column("campaign", sa.Text, primary_key=True),
    sa.Column("batch", sa.Text, primary_key=True),
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

contacts = sa.Table(
    "contacts",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("campaign", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("batch", sa.Text, nullable=False),
    sa.Column("row", sa.BigInteger, nullable=False),
    sa.Column("numbers", sa.Text, nullable=False),
    sa.Column("at_number", sa.Integer, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("consent", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("outcomes", sa.Text, nullable=False),
    sa.Column("next_at", Time, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("lease_until", Time),
    sa.Column("command", sa.Text),
    sa.Index(
        "ix_contacts_due",
        "campaign",
        "priority",
        "next_at",
        "id",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
    sa.Index(
        "ix_contacts_leased",
        "campaign",
        "lease_until",
        sqlite_where=sa.text("state = 'leased'"),
        postgresql_where=sa.text("state = 'leased'"),
    ),
    sa.Index("ix_contacts_batch", "campaign", "batch", "row"),
    sa.Index("ix_contacts_state", "campaign", "state"),
)
"""`lease_until` is empty while a command of the contact is without record; `command` is the newest one.

Ids rise in the order of import, so rows lie where they are written, with or without SQLite's own row id.
"""

contact_numbers = sa.Table(
    "contact_numbers",
    METADATA,
    sa.Column("campaign", sa.Text, primary_key=True),
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Index("ix_contact_numbers_number", "number"),
    sqlite_with_rowid=False,
)
"A number is in a campaign once."

dial_commands = sa.Table(
    "dial_commands",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("campaign", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("at", Time, nullable=False),
    sa.Column("trunk", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("ended_at", Time),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("disposition", sa.Text, nullable=False),
    sa.Column("call", sa.Text, nullable=False),
    sa.Column("record", sa.Text),
    sa.Index("ix_dial_commands_number", "tenant", "number", "at"),
    sa.Index("ix_dial_commands_campaign", "campaign", "id"),
    sa.Index("ix_dial_commands_contact", "contact", "id"),
    sa.Index(
        "ix_dial_commands_open",
        "node",
        "campaign",
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    ),
    sa.Index(
        "ix_dial_commands_open_contact",
        "contact",
        unique=True,
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    ),
    sa.Index(
        "ix_dial_commands_open_number",
        "tenant",
        "number",
        unique=True,
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    ),
)
"""One row a command, written before its INVITE; `record` is JSON, there once it has ended.

The two unique indexes are what no crash, second node or mistake of ours gets past: one call at a time to a contact, and
of a tenant to a number.
"""

LATER = {"inbound_abandoned": "0"}
"Counters that older rows do not have, and what they count there."

dial_counts = sa.Table(
    "dial_counts",
    METADATA,
    sa.Column("campaign", sa.Text, primary_key=True),
    sa.Column("hour", Time, primary_key=True),
    *(sa.Column(name, sa.BigInteger, nullable=False, server_default=LATER.get(name)) for name in NAMES),
    sqlite_with_rowid=False,
)
"What the law counts; it stays when the campaign is deleted."

do_not_call = sa.Table(
    "do_not_call",
    METADATA,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("list", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("added_at", Time, nullable=False),
    sa.Index("ix_do_not_call_list", "tenant", "list", "number"),
    sqlite_with_rowid=False,
)
"`tenant` is empty for lists that every tenant's campaigns may name."

do_not_call_lists = sa.Table(
    "do_not_call_lists",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("list", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("as_of", Time, nullable=False),
    sa.Column("imported_at", Time, nullable=False),
    sa.Column("numbers", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"Imported lists: how old they are is a question of law."

dial_snapshots = sa.Table(
    "dial_snapshots",
    METADATA,
    sa.Column("campaign", sa.Text, primary_key=True),
    sa.Column("at", Time, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
