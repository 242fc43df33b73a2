"""The tables as SQLAlchemy Core sees them; the migrations make them (a test holds both against each other).

Times are seconds since 1970 (UTC) as floats. JSON is kept as text: neither database needs to look inside.
"""

import sqlalchemy as sa

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

Time = sa.Double
"Seconds since the epoch."

tenants = sa.Table(
    "tenants",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("access_id", sa.Text, nullable=False, unique=True),
    sa.Column("trunks", sa.Text, nullable=False),
    sa.Column("billing_numbers", sa.Text, nullable=False),
    sa.Column("token_ttl", Time, nullable=False),
    sa.Column("connection", sa.Text),
    sa.Column("default_extension", sa.Text),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("record", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("keep_recordings", sa.Integer),
)

access_numbers = sa.Table(
    "access_numbers",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("first", sa.Text, nullable=False),
    sa.Column("last", sa.Text, nullable=False),
    sa.Column("correlation", sa.Text, nullable=False),
    sa.Column("default_tenant", sa.Text),
    sa.Column("entry", sa.Text),
    sa.Column("default_route", sa.Text),
    sa.Column("trunks", sa.Text, nullable=False),
)

agents = sa.Table(
    "agents",
    METADATA,
    sa.Column("extension", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("listener", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("credentials", sa.Text),
    sa.Column("srtp", sa.Text),
    sa.Column("srtp_keys", sa.Text),
)

routes = sa.Table(
    "routes",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("extension", sa.Text, nullable=False),
)

plan = sa.Table(
    "plan",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("changed_at", Time, nullable=False),
    sqlite_with_rowid=False,
)
"""Queues, VDNs, menus ...: a row for each value of `routing.plan`, its fields as JSON in `body`."""

revisions = sa.Table(
    "revisions",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
"`directory` and the like: counted up with every change, so that each node notices by polling one number."

tokens = sa.Table(
    "tokens",
    METADATA,
    sa.Column("tenant", sa.Text, primary_key=True),
    sa.Column("sequence", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("caller", sa.Text),
    sa.Column("extension", sa.Text),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("issued_at", Time, nullable=False),
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("node", sa.Text),
    sa.Column("call", sa.Text),
    sa.Column("claimed_at", Time),
    sa.Column("consumed_at", Time),
    sa.Index("ix_tokens_expires_at", "expires_at"),
    sa.Index(
        "ix_tokens_claimed",
        "node",
        sqlite_where=sa.text("state = 'claimed'"),
        postgresql_where=sa.text("state = 'claimed'"),
    ),
)
"""One row a sequence number; a number whose life is over may be issued again and then gets a new `id`.

Unlike the tables below it keeps SQLite's row id: numbers come at random, and rows in the order of their numbers would
touch a page each, so that issuing many would take twice as long.
"""

calls = sa.Table(
    "calls",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
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
    sa.Column("started_at", Time, nullable=False),
    sa.Column("ringing_at", Time),
    sa.Column("answered_at", Time),
    sa.Column("ended_at", Time),
    sa.Column("duration", sa.Double),
    sa.Column("talk", sa.Double),
    sa.Column("cause", sa.Text),
    sa.Column("sip_code", sa.Integer),
    sa.Column("ended_by", sa.Text),
    sa.Column("sip_call_id", sa.Text),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index("ix_calls_started_at", "started_at", "id"),
    sa.Index("ix_calls_tenant", "tenant", "started_at", "id"),
    sa.Index(
        "ix_calls_open",
        "node",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)

call_parts = sa.Table(
    "call_parts",
    METADATA,
    sa.Column("call", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("party", sa.Text),
    sa.Column("sip_call_id", sa.Text),
    sa.Column("started_at", Time, nullable=False),
    sa.Column("ringing_at", Time),
    sa.Column("answered_at", Time),
    sa.Column("ended_at", Time),
    sa.Column("sip_code", sa.Integer),
    sa.Column("cause", sa.Text),
    sa.Column("codec", sa.Text),
    sa.Column("rx_packets", sa.BigInteger),
    sa.Column("rx_lost", sa.BigInteger),
    sa.Column("jitter_ms", sa.Double),
    sa.Column("rtt_ms", sa.Double),
    sa.Column("mos", sa.Double),
    sa.Column("detail", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

events = sa.Table(
    "events",
    METADATA,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", Time, nullable=False),
    sa.Column("call", sa.Text),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

agent_states = sa.Table(
    "agent_states",
    METADATA,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("extension", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("time", Time, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"The last `agent.state` event of each agent: what a restart brings him back by."

registrations = sa.Table(
    "registrations",
    METADATA,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("extension", sa.Text, primary_key=True),
    sa.Column("uri", sa.Text, primary_key=True),
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"Where agents' phones have registered with a node, written behind: the node itself goes by its memory."

api_keys = sa.Table(
    "api_keys",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("expires_at", Time),
    sa.Column("last_used", Time),
    sa.Column("revoked_at", Time),
    sa.Column("extension", sa.Text),
)

audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", Time, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    sa.Index("ix_audit_kind", "kind", "key"),
)

REPORT_COUNTS = (
    "calls", "calls_answered", "call_talk", "offered", "answered", "in_time", "abandoned", "short_abandoned",
    "overflowed", "timed_out", "callbacks", "moved", "requeued", "wait", "wait_answered", "wait_abandoned",
    "wait_longest", "handled", "talk", "transfers", "messages", "available", "reserved", "ringing", "talking",
    "wrap_up", "paused", "unreachable",
)  # fmt: skip
"What the reports count; docs/reporting.md says what each of them is. All add up but `wait_longest`."

report_counts = sa.Table(
    "report_counts",
    METADATA,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("span", sa.Text, primary_key=True),
    sa.Column("start", Time, primary_key=True),
    sa.Column("by", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("tenant", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Double, nullable=False) for name in REPORT_COUNTS),
    sa.Index("ix_report_counts_by", "by", "span", "start"),
    sqlite_with_rowid=False,
)
"One row for each quarter of an hour, and each day, of a queue, VDN, agent ...; `tenant` is empty where it has none."

report_states = sa.Table(
    "report_states",
    METADATA,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"What the fold of the events keeps in mind: open calls and the states of agents, as they were at its last event."

report_calls = sa.Table(
    "report_calls",
    METADATA,
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", Time, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("call", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"Finished calls that the filter list keeps, under the number of their last event: what reporting servers are sent."

cursors = sa.Table(
    "cursors",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"How far each reader of a node's events has come, over restarts, and what else it has to remember."
