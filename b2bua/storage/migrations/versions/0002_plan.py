"""The plan: VDNs, queues, menus and all other data about who takes a call, as JSON rows of one table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_plan"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("plan")
