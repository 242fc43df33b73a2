"""What lasts: tenants, tokens, CDRs, events, keys; SQLite by default, PostgreSQL by URL.

`Storage` runs operations; the repositories (`Tokens`, `Catalogue`, `Calls`, `ApiKeys` ...) make them.
"""

from b2bua.storage.errors import (
    Conflict,
    Duplicate,
    NotFound,
    NumberSpaceFull,
    SchemaOutdated,
    StorageError,
    StorageUnavailable,
)
from b2bua.storage.storage import Storage

__all__ = [
    "Storage",
    "StorageError",
    "StorageUnavailable",
    "SchemaOutdated",
    "Duplicate",
    "NotFound",
    "Conflict",
    "NumberSpaceFull",
]
