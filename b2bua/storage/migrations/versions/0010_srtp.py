"""Encrypted sound of agents' phones, where it differs from that of their listener."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("agents", sa.Column("srtp", sa.Text))
    op.add_column("agents", sa.Column("srtp_keys", sa.Text))


def downgrade() -> None:
    op.drop_column("agents", "srtp_keys")
    op.drop_column("agents", "srtp")
