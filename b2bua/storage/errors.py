"""What the storage says when it cannot do what was asked; no error of SQLite, PostgreSQL or SQLAlchemy leaves it."""

from collections.abc import Sequence

from routing.conflicts import Conflict as Problem


class StorageError(Exception):
    """Anything of ours; the message is one sentence fit for an operator."""


class StorageUnavailable(StorageError):
    """The database is locked, gone, full or too slow. A write that timed out may still take effect: undo it later."""


class SchemaOutdated(StorageError):
    """The database has another schema than this program: `tandem db upgrade` makes it ours."""


class Duplicate(StorageError):
    """Something with this key exists already."""


class NotFound(StorageError):
    """Nothing with this key exists."""


class Conflict(StorageError):
    """The change contradicts what is configured, or the state the thing is in; nothing was changed."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        "Each mistake by itself, where there are several."


class NumberSpaceFull(StorageError):
    """Too few free sequence numbers are left for a tenant to issue another that cannot be guessed (R1-01)."""

    def __init__(self, tenant: str, live: int, capacity: int) -> None:
        super().__init__(f"tenant {tenant} has {live} live sequence numbers of {capacity} possible: no room for more")
        self.tenant, self.live, self.capacity = tenant, live, capacity
