"""The schema and its migrations (Alembic), run by `tandem db upgrade` and, for SQLite, at each start."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from b2bua.storage import postgres, sqlite
from b2bua.storage.errors import SchemaOutdated

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0010"
"The newest revision (a test holds it against the migrations). Known here because Alembic takes long to import."

MIGRATIONS = Path(__file__).parent / "migrations"

LOCK = 0x74616E64
"The advisory lock under which one of several nodes migrates a PostgreSQL database."


def shown(url: str) -> str:
    """A database's URL as it may be shown."""
    return sa.make_url(url).render_as_string(hide_password=True)


def revision(conn: sa.Connection) -> str | None:
    """The revision of an open database, None when it is empty."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def upgrade(url: str) -> str:
    """Bring the database at `url` to the newest revision and return that; not inside a running event loop.

    Raises StorageUnavailable, or SchemaOutdated when the database is newer than this program.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _upgrade_sqlite(parsed.set(drivername="sqlite"))
    else:
        asyncio.run(_upgrade_postgres(parsed))
    return HEAD


def config() -> "Config":
    """Alembic's configuration for our migrations."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    return made


def _upgrade_sqlite(url: sa.URL) -> None:
    engine = sqlite.engine(url)
    try:
        with engine.connect() as conn:
            # The lock first: two processes may be starting on the same new file.
            conn.exec_driver_sql("PRAGMA busy_timeout=10000")
            conn.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(conn)
            conn.commit()
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise sqlite.translate(error) from error
    finally:
        engine.dispose()


async def _upgrade_postgres(url: sa.URL) -> None:
    engine = postgres.engine(url, 1)
    try:
        async with engine.begin() as conn:
            await conn.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            await conn.run_sync(migrate)
    except Exception as error:
        ours = postgres.translate(error)
        if ours is error:
            raise
        raise ours from error
    finally:
        await engine.dispose()


def migrate(conn: sa.Connection) -> None:
    """Run the missing migrations on this connection, in its transaction."""
    from alembic import command
    from alembic.util.exc import CommandError

    settings = config()
    settings.attributes["connection"] = conn
    try:
        command.upgrade(settings, "head")
    except CommandError as error:
        raise SchemaOutdated(f"the database is not one this program can upgrade: {error}") from error
