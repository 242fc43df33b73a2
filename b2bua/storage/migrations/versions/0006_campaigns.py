"""Outbound dialling: campaigns, batches, contacts, commands, counters, do-not-call lists, snapshots."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

COUNTS = (
    "attempts", "live", "abandoned", "abandoned_idle", "late", "connected", "machines", "machine_as_human", "busy",
    "no_answer", "short_ring", "rejected", "invalid", "trunk_faults", "opted_out", "cancelled", "withheld", "unknown",
    "analysed_live",
)  # fmt: skip
OPEN, LEASED, UNFINISHED = sa.text("state = 'open'"), sa.text("state = 'leased'"), sa.text("outcome IS NULL")


def text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=nullable)


def time(name: str, *, nullable: bool = False) -> "sa.Column[float]":
    return sa.Column(name, sa.Double, nullable=nullable)


def number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, autoincrement=False, nullable=False)


def small(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, autoincrement=False, nullable=False)


def part(table: str, name: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    """An index over a part of a table."""
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.create_table(
        "campaigns",
        *(text(name) for name in ("id", "tenant", "state", "reason", "node", "body")),
        time("created_at"),
        time("changed_at"),
        time("started_at", nullable=True),
        time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "batches",
        *(text(name) for name in ("campaign", "id", "source", "state", "node", "by")),
        *(number(name) for name in ("rows", "contacts", "numbers", "duplicates", "invalid", "listed")),
        time("share"),
        text("error"),
        time("began_at"),
        time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("campaign", "id", name="pk_batches"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "batch_problems",
        text("campaign"),
        text("batch"),
        number("row"),
        small("n"),
        *(text(name) for name in ("kind", "value", "message")),
        sa.PrimaryKeyConstraint("campaign", "batch", "row", "n", name="pk_batch_problems"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contacts",
        *(text(name) for name in ("id", "campaign", "tenant", "batch")),
        number("row"),
        text("numbers"),
        small("at_number"),
        small("priority"),
        *(text(name) for name in ("fields", "zone", "place")),
        text("consent", nullable=True),
        small("attempts"),
        text("outcomes"),
        time("next_at"),
        *(text(name) for name in ("agent", "state", "reason", "node")),
        time("lease_until", nullable=True),
        text("command", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
    )
    part("contacts", "ix_contacts_due", ["campaign", "priority", "next_at", "id"], OPEN)
    part("contacts", "ix_contacts_leased", ["campaign", "lease_until"], LEASED)
    op.create_index("ix_contacts_batch", "contacts", ["campaign", "batch", "row"])
    op.create_index("ix_contacts_state", "contacts", ["campaign", "state"])
    op.create_table(
        "contact_numbers",
        *(text(name) for name in ("campaign", "number", "contact")),
        sa.PrimaryKeyConstraint("campaign", "number", name="pk_contact_numbers"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contact_numbers_number", "contact_numbers", ["number"])
    op.create_table(
        "dial_commands",
        *(text(name) for name in ("id", "campaign", "tenant", "contact", "number")),
        small("attempt"),
        text("node"),
        time("at"),
        text("trunk"),
        text("outcome", nullable=True),
        time("ended_at", nullable=True),
        sa.Column("live", sa.Boolean, nullable=False),
        *(text(name) for name in ("agent", "disposition", "call")),
        text("record", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dial_commands"),
    )
    op.create_index("ix_dial_commands_number", "dial_commands", ["tenant", "number", "at"])
    op.create_index("ix_dial_commands_campaign", "dial_commands", ["campaign", "id"])
    op.create_index("ix_dial_commands_contact", "dial_commands", ["contact", "id"])
    part("dial_commands", "ix_dial_commands_open", ["node", "campaign"], UNFINISHED)
    part("dial_commands", "ix_dial_commands_open_contact", ["contact"], UNFINISHED, unique=True)
    part("dial_commands", "ix_dial_commands_open_number", ["tenant", "number"], UNFINISHED, unique=True)
    op.create_table(
        "dial_counts",
        text("campaign"),
        time("hour"),
        *(number(name) for name in COUNTS),
        sa.PrimaryKeyConstraint("campaign", "hour", name="pk_dial_counts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "do_not_call",
        *(text(name) for name in ("number", "tenant", "list", "reason")),
        time("added_at"),
        sa.PrimaryKeyConstraint("number", "tenant", "list", name="pk_do_not_call"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_do_not_call_list", "do_not_call", ["tenant", "list", "number"])
    op.create_table(
        "do_not_call_lists",
        *(text(name) for name in ("tenant", "list", "source")),
        time("as_of"),
        time("imported_at"),
        number("numbers"),
        sa.PrimaryKeyConstraint("tenant", "list", name="pk_do_not_call_lists"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dial_snapshots",
        text("campaign"),
        time("at"),
        text("kind"),
        text("body"),
        sa.PrimaryKeyConstraint("campaign", "at", name="pk_dial_snapshots"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO revisions (name, value) VALUES ('dialling', 0)")


def downgrade() -> None:
    op.execute("DELETE FROM revisions WHERE name = 'dialling'")
    for table in (
        "campaigns", "batches", "batch_problems", "contacts", "contact_numbers", "dial_commands", "dial_counts",
        "do_not_call", "do_not_call_lists", "dial_snapshots",
    ):  # fmt: skip
        op.drop_table(table)
