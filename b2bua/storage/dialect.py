"""INSERT ... ON CONFLICT: the one statement SQLAlchemy spells per database."""

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def per_dialect(build: Callable[[Callable[[sa.Table], Any]], T]) -> Callable[[str], T]:
    """Build the statement with each database's own `insert` once; the result picks by the dialect's name."""
    built = {"sqlite": build(sqlite.insert), "postgresql": build(postgresql.insert)}
    return built.__getitem__
