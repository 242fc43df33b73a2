"""The first schema: tenants, access numbers, agents, routes, tokens, calls, events, keys, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("access_id", sa.Text, nullable=False),
        sa.Column("trunks", sa.Text, nullable=False),
        sa.Column("billing_numbers", sa.Text, nullable=False),
        sa.Column("token_ttl", sa.Double, nullable=False),
        sa.Column("connection", sa.Text),
        sa.Column("default_extension", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sa.UniqueConstraint("access_id", name="uq_tenants_access_id"),
    )
    op.create_table(
        "access_numbers",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("first", sa.Text, nullable=False),
        sa.Column("last", sa.Text, nullable=False),
        sa.Column("correlation", sa.Text, nullable=False),
        sa.Column("default_tenant", sa.Text),
        sa.Column("entry", sa.Text),
        sa.Column("default_route", sa.Text),
        sa.Column("trunks", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_access_numbers"),
    )
    op.create_table(
        "agents",
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("listener", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("extension", name="pk_agents"),
    )
    op.create_table(
        "routes",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_routes"),
    )
    op.create_table(
        "revisions",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_revisions"),
    )
    op.create_table(
        "tokens",
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("sequence", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("caller", sa.Text),
        sa.Column("extension", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("issued_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("node", sa.Text),
        sa.Column("call", sa.Text),
        sa.Column("claimed_at", sa.Double),
        sa.Column("consumed_at", sa.Double),
        sa.PrimaryKeyConstraint("tenant", "sequence", name="pk_tokens"),
    )
    op.create_index("ix_tokens_expires_at", "tokens", ["expires_at"])
    claimed = sa.text("state = 'claimed'")
    op.create_index("ix_tokens_claimed", "tokens", ["node"], sqlite_where=claimed, postgresql_where=claimed)
    op.create_table(
        "calls",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text),
        sa.Column("trunk", sa.Text),
        sa.Column("called", sa.Text),
        sa.Column("billing_number", sa.Text),
        sa.Column("effective_caller", sa.Text),
        sa.Column("original_called", sa.Text),
        sa.Column("correlation", sa.Text),
        sa.Column("source", sa.Text),
        sa.Column("access_id", sa.Text),
        sa.Column("sequence", sa.Text),
        sa.Column("token", sa.Text),
        sa.Column("extension", sa.Text),
        sa.Column("route", sa.Text),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ringing_at", sa.Double),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("duration", sa.Double),
        sa.Column("talk", sa.Double),
        sa.Column("cause", sa.Text),
        sa.Column("sip_code", sa.Integer),
        sa.Column("ended_by", sa.Text),
        sa.Column("sip_call_id", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
    )
    op.create_index("ix_calls_started_at", "calls", ["started_at", "id"])
    op.create_index("ix_calls_tenant", "calls", ["tenant", "started_at", "id"])
    unended = sa.text("ended_at IS NULL")
    op.create_index("ix_calls_open", "calls", ["node"], sqlite_where=unended, postgresql_where=unended)
    op.create_table(
        "call_parts",
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("party", sa.Text),
        sa.Column("sip_call_id", sa.Text),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ringing_at", sa.Double),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("sip_code", sa.Integer),
        sa.Column("cause", sa.Text),
        sa.Column("codec", sa.Text),
        sa.Column("rx_packets", sa.BigInteger),
        sa.Column("rx_lost", sa.BigInteger),
        sa.Column("jitter_ms", sa.Double),
        sa.Column("rtt_ms", sa.Double),
        sa.Column("mos", sa.Double),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("call", "n", name="pk_call_parts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("call", sa.Text),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", "number", name="pk_events"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("last_used", sa.Double),
        sa.Column("revoked_at", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_kind", "audit", ["kind", "key"])
    op.execute("INSERT INTO revisions (name, value) VALUES ('directory', 1)")


def downgrade() -> None:
    for table in (
        "tenants",
        "access_numbers",
        "agents",
        "routes",
        "revisions",
        "tokens",
        "calls",
        "call_parts",
        "events",
        "api_keys",
        "audit",
    ):
        op.drop_table(table)
