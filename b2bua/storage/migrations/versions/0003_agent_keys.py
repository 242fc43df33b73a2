"""API keys of agents: each belongs to one extension."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("extension", sa.Text))


def downgrade() -> None:
    op.drop_column("api_keys", "extension")
