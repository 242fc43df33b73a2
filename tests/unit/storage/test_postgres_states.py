"""A PostgreSQL that is there and does not serve us: nothing is lost, calls go on, and it mends by itself (security.md).

A standby, a right taken away, a user shut out: whoever asked is not to blame, so nobody gives up what he wants stored.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from b2bua.cli import make_app
from b2bua.storage import Storage, StorageError, StorageUnavailable
from b2bua.storage.catalogue import tenants
from b2bua.storage.directory import DirectoryFeed
from b2bua.storage.spool import REJECTED, Spool
from b2bua.storage.tables import routes
from routing.directory import Tenant
from tests.peers.waiting import eventually
from tests.postgres import Postgres
from tests.unit.storage.records import append_event, stored_numbers

TENANT = Tenant("acme", "Acme", "71", frozenset({"carrier"}), frozenset({"4008100001"}))


def statement(text: str) -> Callable[[sa.Connection], None]:
    return lambda conn: conn.exec_driver_sql(text).close()


class Owner:
    """The database as its owner sees it, over a door of his own."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def says(self, *statements: str) -> None:
        for text in statements:
            await self.storage.write(statement(text))

    async def ends_the_others(self) -> None:
        """As a failover does: every other connection to this database begins anew."""
        await self.says(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def add(storage: Storage, name: str) -> None:
    await storage.write(lambda conn: conn.execute(sa.insert(routes).values(name=name, extension="1")).close())


async def test_a_database_that_only_reads_delays_and_loses_nothing(
    postgres: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    """A standby that is not promoted yet (SQLSTATE 25006): records wait, and the directory stays fresh."""
    storage, owner = await Storage.open(postgres_url), Owner(await Storage.open(postgres_url, pool=1))
    name = postgres_url.rpartition("/")[2]
    results: list[str] = []
    storage.observe = lambda kind, result, seconds: results.append(result)
    spool, feed = Spool.open(tmp_path / "spool", storage), DirectoryFeed(storage, interval=0.02)
    tasks = [asyncio.create_task(spool.run()), asyncio.create_task(feed.run())]
    append_event(spool, 1)
    await eventually(lambda: spool.pending == 0, "the first is stored")

    await owner.says(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await owner.ends_the_others()
    for number in range(2, 50):
        append_event(spool, number)
    await eventually(lambda: spool.behind, "the spool has noticed")
    assert "unavailable" in results, "the alert TandemStorageUnavailable counts these"
    await tenants(owner.storage).create(TENANT, by="admin", now=0.0)
    await eventually(lambda: "acme" in feed.current.tenants, "the directory is read all the same")

    # our sessions end by our own hand: none of them would ever take over the new default
    await owner.says(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
    await eventually(lambda: spool.pending == 0 and not spool.behind, "all is stored")
    assert await stored_numbers(storage) == list(range(1, 50))
    assert (spool.rejected, (tmp_path / "spool" / REJECTED).exists()) == (0, False)
    for task in tasks:
        task.cancel()
    assert [type(end) for end in await asyncio.gather(*tasks, return_exceptions=True)] == [asyncio.CancelledError] * 2
    await spool.close()
    await storage.close()
    await owner.storage.close()


async def test_whoever_is_shut_out_is_not_to_blame(postgres_url: str) -> None:
    """Rights, the user and the tables themselves taken away (42501, 28000, 42P01), and each given back."""
    user, owner = "clerk_12", Owner(await Storage.open(postgres_url, pool=1))
    await owner.says(
        f"CREATE ROLE {user} LOGIN", f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}"
    )
    storage = await Storage.open(postgres_url.replace("tandem@", f"{user}@"), pool=1)
    feed = DirectoryFeed(storage, interval=0.01)
    following = asyncio.create_task(feed.run())
    for number, (away, back) in enumerate(
        [
            (f"REVOKE INSERT ON routes FROM {user}", f"GRANT INSERT ON routes TO {user}"),
            (f"ALTER ROLE {user} NOLOGIN", f"ALTER ROLE {user} LOGIN"),
            ("ALTER TABLE routes RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO routes"),
            ("ALTER TABLE routes RENAME COLUMN extension TO old", "ALTER TABLE routes RENAME COLUMN old TO extension"),
        ]
    ):
        await owner.says(away)
        await owner.ends_the_others()
        with pytest.raises(StorageUnavailable):
            await add(storage, f"route-{number}")
        await owner.says(back)
        await add(storage, f"route-{number}")
    assert not following.done()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await storage.close()
    await owner.says(f"DROP OWNED BY {user}", f"DROP ROLE {user}")
    await owner.storage.close()


async def test_what_a_statement_is_to_blame_for_stays_its_own(postgres_url: str) -> None:
    """A value no database takes must not wait for ever in front of the others (22, 23, 42, 54)."""
    storage = await Storage.open(postgres_url, pool=1)
    await add(storage, "there already")
    for wrong in ("a\0b", "a\ud800b", "there already"):
        with pytest.raises(StorageError) as caught:
            await add(storage, wrong)
        assert not isinstance(caught.value, StorageUnavailable), wrong
    for text in ("SELEC 1", "SELECT 1/0", "SELECT 'x'::integer", "SELECT unheard_of(1)"):
        with pytest.raises(StorageError) as caught:
            await storage.read(statement(text))
        assert not isinstance(caught.value, StorageUnavailable), text
    await storage.close()


def test_the_command_line_says_in_one_sentence_what_is_wrong(postgres: Postgres, tmp_path: Path) -> None:
    """A database that is not there (3D000): no trace of ours."""
    config = tmp_path / "tandem.toml"
    config.write_text(f'[storage]\nurl = "{postgres.url("missing")}"\n')
    for command in (["db", "upgrade"], ["api-key", "list"]):
        result = CliRunner().invoke(make_app(lambda settings: None), [*command, "--config", str(config)])
        assert isinstance(result.exception, SystemExit)
        assert result.exit_code == 1
        assert 'database "missing" does not exist' in result.stderr
