"""Agents' phones that register: what is kept of their passwords, and where they are."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("agents", sa.Column("credentials", sa.Text))
    op.create_table(
        "registrations",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", "extension", "uri", name="pk_registrations"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("registrations")
    op.drop_column("agents", "credentials")
