"""Reports: counts by interval, what the fold keeps in mind, the filtered calls, and the cursors of event readers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

COUNTS = (
    "calls", "calls_answered", "call_talk", "offered", "answered", "in_time", "abandoned", "short_abandoned",
    "overflowed", "timed_out", "callbacks", "moved", "requeued", "wait", "wait_answered", "wait_abandoned",
    "wait_longest", "handled", "talk", "transfers", "messages", "available", "reserved", "ringing", "talking",
    "wrap_up", "paused", "unreachable",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "report_counts",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("span", sa.Text, nullable=False),
        sa.Column("start", sa.Double, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("node", "span", "start", "by", "key", "tenant", name="pk_report_counts"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_report_counts_by", "report_counts", ["by", "span", "start"])
    op.create_table(
        "report_states",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", "kind", "key", name="pk_report_states"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report_calls",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", "number", name="pk_report_calls"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "node", name="pk_cursors"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("report_counts", "report_states", "report_calls", "cursors"):
        op.drop_table(table)
