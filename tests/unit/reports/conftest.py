"""The databases of the storage's tests."""

from tests.unit.storage.conftest import postgres, postgres_url, sqlite, sqlite_url, storage, url

__all__ = ["postgres", "postgres_url", "sqlite", "sqlite_url", "storage", "url"]
