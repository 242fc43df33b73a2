"""Alembic's entry: runs migrations on the connection it is given, or on the one `alembic.ini` or -x url=... names."""

import sqlalchemy as sa
from alembic import context

from b2bua.storage.dial_tables import METADATA


def run(conn: sa.Connection) -> None:
    """Migrate on this connection; SQLite's schema changes are transactional too."""
    context.configure(connection=conn, target_metadata=METADATA, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    import asyncio

    from b2bua.storage import postgres, sqlite

    url = sa.make_url(
        context.get_x_argument(as_dictionary=True).get("url") or context.config.get_main_option("sqlalchemy.url", "")
    )

    async def on_postgres() -> None:
        engine = postgres.engine(url, 1)
        async with engine.begin() as conn:
            await conn.run_sync(run)
        await engine.dispose()

    if url.get_backend_name() == "sqlite":
        with sqlite.engine(url).begin() as conn:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
            run(conn)
    else:
        asyncio.run(on_postgres())
