"""Callers of a campaign's queue who gave up, counted apart from the people it has called."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("dial_counts", sa.Column("inbound_abandoned", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("dial_counts", "inbound_abandoned")
