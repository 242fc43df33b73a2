"""Which tenants have their calls recorded, and how long their recordings are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("record", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("tenants", sa.Column("keep_recordings", sa.Integer))


def downgrade() -> None:
    op.drop_column("tenants", "keep_recordings")
    op.drop_column("tenants", "record")
