"""A fresh database for each test: SQLite in a file, PostgreSQL in a cluster that lives as long as the test run."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from b2bua.storage import Storage
from b2bua.storage.upgrade import upgrade
from tests.postgres import Postgres

NUMBERS = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running cluster whose database `ours` has our schema."""
    cluster = Postgres()
    try:
        cluster.start()
        upgrade(cluster.create("ours"))
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path}/tandem.db"


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty PostgreSQL database with our schema."""
    name = f"test_{next(NUMBERS)}"
    yield postgres.create(name, template="ours")
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    found: str = request.getfixturevalue(name)
    return found


@pytest.fixture
async def storage(url: str) -> AsyncIterator[Storage]:
    """An open storage on each database."""
    opened = await Storage.open(url, pool=10)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Storage]:
    """An open storage on SQLite."""
    opened = await Storage.open(sqlite_url)
    yield opened
    await opened.close()
