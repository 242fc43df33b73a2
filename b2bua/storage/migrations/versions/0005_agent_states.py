"""The last state of each agent, by which a restart brings him back."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "agent_states",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", "extension", name="pk_agent_states"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("agent_states")
