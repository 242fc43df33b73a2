"""Migrations on both databases: what they make is what the code expects."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import main as alembic
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from b2bua.storage import SchemaOutdated, Storage
from b2bua.storage.dial_tables import METADATA
from b2bua.storage.upgrade import HEAD, config, upgrade
from tests.postgres import Postgres


def test_the_code_knows_the_newest_migration() -> None:
    """`Storage.open` compares with it without importing Alembic."""
    assert ScriptDirectory.from_config(config()).get_current_head() == HEAD


async def test_the_migrations_make_the_tables_that_the_code_uses(storage: Storage) -> None:
    """No column, index or constraint differs between tables.py and a migrated database."""
    differences = await storage.read(lambda conn: compare_metadata(MigrationContext.configure(conn), METADATA))
    assert differences == []


async def test_a_migration_can_be_taken_back_and_done_again(storage: Storage, url: str) -> None:
    """An operator with Alembic's own command may return to the schema before, here to none, and forward again."""
    ini = str(Path(__file__).parents[3] / "alembic.ini")
    await asyncio.to_thread(alembic, ["-c", ini, "-x", f"url={url}", "downgrade", "base"])
    assert await storage.read(lambda conn: sa.inspect(conn).get_table_names()) == ["alembic_version"]
    await asyncio.to_thread(alembic, ["-c", ini, "-x", f"url={url}", "upgrade", "head"])
    differences = await storage.read(lambda conn: compare_metadata(MigrationContext.configure(conn), METADATA))
    assert differences == []


def test_several_processes_may_start_on_one_new_database(sqlite_url: str, postgres: Postgres) -> None:
    """One of them migrates, the others wait for it."""
    new = postgres.create("fresh")
    try:
        for url in (sqlite_url, new):
            with ThreadPoolExecutor(4) as threads:
                assert list(threads.map(upgrade, [url] * 4)) == [HEAD] * 4
    finally:
        postgres.drop("fresh")


async def test_a_newer_database_is_refused(url: str) -> None:
    """An older program must not touch what it does not understand."""
    storage = await Storage.open(url)
    await storage.write(lambda conn: conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")) and None)
    await storage.close()
    with pytest.raises(SchemaOutdated):
        await Storage.open(url)
