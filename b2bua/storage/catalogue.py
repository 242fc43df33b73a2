"""The administered tables of the business: tenants, access numbers, agents, routes."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from b2bua.jsontext import decode
from b2bua.storage import audit, business, tables
from b2bua.storage.business import ACCESS_NUMBERS, AGENTS, ROUTES, TENANTS, Business, Kind
from b2bua.storage.campaign_needs import refuse_needed
from b2bua.storage.errors import Conflict, Duplicate, NotFound
from b2bua.storage.storage import Storage
from routing import conflicts
from routing.correlation import TrunkProfile
from routing.directory import AccessNumber, Agent, Route, Tenant

T = TypeVar("T")

Check = Callable[[Business], Sequence[conflicts.Conflict]]
"Everything that is wrong with the business as a whole."

SLICE = 500
"Tokens of a deleted tenant that go in one transaction."

KEYS_OF = {TENANTS.word: tables.api_keys.c.tenant, AGENTS.word: tables.api_keys.c.extension}
"Whose API keys end with him."

JSON_COLUMNS = frozenset({"trunks", "billing_numbers", "connection", "entry", "credentials", "srtp_keys"})


def check_with(profiles: Sequence[TrunkProfile], default_route: str | None = None) -> Check:
    """The check against the trunks and the default route of this node's settings."""
    return lambda all_: conflicts.conflicts(*all_, profiles=profiles, default_route=default_route)


def check_without_trunks(all_: Business) -> Sequence[conflicts.Conflict]:
    """The check where no settings are at hand: every trunk that is named is taken to exist, with the usual plan."""
    names = {name for tenant in all_.tenants for name in tenant.trunks}
    names |= {name for row in all_.access_numbers for name in row.trunks}
    return conflicts.conflicts(*all_, profiles=[TrunkProfile(name) for name in sorted(names)])


def refuse_worse(check: Check, before: Business, after: Business) -> None:
    """Raise Conflict with every mistake that a change would bring."""
    known = set(check(before))
    if worse := [problem for problem in check(after) if problem not in known]:
        raise Conflict("; ".join(f"{one.entity}, {one.field or 'whole'}: {one.message}" for one in worse), worse)


class Catalogue(Generic[T]):
    """One table of values. A change is checked against the whole business, audited and counted in one transaction.

    Only what a change makes worse stops it, so an old mistake can be mended step by step. `by` names who asked (for
    the audit); `now` is epoch seconds. All may raise StorageUnavailable.
    """

    def __init__(self, storage: Storage, kind: Kind[T], check: Check) -> None:
        self.storage, self.kind, self.check = storage, kind, check

    async def list(self) -> list[T]:
        """All of them, by key."""
        return list(await self.storage.read(self.kind.all))

    async def get(self, key: str) -> T:
        """One of them. Raises NotFound."""
        found = await self.storage.read(lambda conn: self.kind.find(conn, key))
        if found is None:
            raise self._unknown(key)
        return found

    async def create(self, value: T, *, by: str, now: float) -> T:
        """Add it. Raises Duplicate, or Conflict with everything that speaks against it."""
        await self.storage.write(lambda conn: self._change(conn, "create", None, value, by, now))
        return value

    async def replace(
        self, value: T, *, by: str, now: float, key: str | None = None, keep: Callable[[T, T], T] | None = None
    ) -> T:
        """Put it in the place of `key` (None: the one with its own key). Raises NotFound, Duplicate, Conflict.

        `keep`: makes what is kept of the one that is there and the new one, within the transaction: a secret that
        nobody names must not be one that another node has replaced a moment ago.
        """
        old = self.kind.key(value) if key is None else key
        kept = await self.storage.write(lambda conn: self._change(conn, "replace", old, value, by, now, keep))
        return value if kept is None else kept

    async def delete(self, key: str, *, by: str, now: float) -> None:
        """Remove it. Raises NotFound, or Conflict while something else names it, a campaign that runs included.

        With a tenant go its tokens and the API keys made for it; with an agent the keys made for him.
        """
        await self.storage.write(lambda conn: self._change(conn, "delete", key, None, by, now))
        if self.kind.word == TENANTS.word:
            # In slices, because there may be a million; what a crash leaves behind expires.
            while await self.storage.write(lambda conn: _delete_tokens(conn, key)):
                pass

    def _change(
        self,
        conn: sa.Connection,
        action: str,
        old_key: str | None,
        new: T | None,
        by: str,
        now: float,
        keep: Callable[[T, T], T] | None = None,
    ) -> T | None:
        """Returns what is there now."""
        kind, key_of = self.kind, self.kind.key
        business.begin_change(conn)
        before = business.read(conn)
        values: dict[str, T] = {key_of(value): value for value in getattr(before, kind.field)}
        old = None if old_key is None else values.pop(old_key, None)
        if old_key is not None and old is None:
            raise self._unknown(old_key)
        if keep is not None and old is not None and new is not None:
            new = keep(old, new)
        if new is not None:
            if key_of(new) in values:
                raise Duplicate(f"there is a {self._words} {key_of(new)} already")
            values[key_of(new)] = new
        after = Business(**(before._asdict() | {kind.field: tuple(values.values())}))
        refuse_worse(self.check, before, after)
        refuse_needed(conn, before, after)
        if old_key is not None:
            conn.execute(sa.delete(kind.table).where(kind.key_column == old_key))
        if new is not None:
            conn.execute(sa.insert(kind.table), kind.row(new))
        if action == "delete" and kind.word in KEYS_OF:
            # Else the next one with this id or extension would be reached with a key that was never meant for him.
            theirs = (KEYS_OF[kind.word] == old_key) & tables.api_keys.c.revoked_at.is_(None)
            conn.execute(sa.update(tables.api_keys).where(theirs).values(revoked_at=now))
        key = old_key if new is None or old_key is not None else key_of(new)
        audit.record(
            conn,
            at=now,
            actor=by,
            action=action,
            kind=kind.word,
            key=str(key),
            before=None if old is None else _shown(kind.row(old)),
            after=None if new is None else _shown(kind.row(new)),
        )
        return new

    @property
    def _words(self) -> str:
        return self.kind.word.replace("_", " ")

    def _unknown(self, key: str) -> NotFound:
        return NotFound(f"there is no {self._words} {key}")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: decode(value) if name in JSON_COLUMNS else value for name, value in row.items()}


def _delete_tokens(conn: sa.Connection, tenant: str) -> int:
    some = sa.select(tables.tokens.c.sequence).where(tables.tokens.c.tenant == tenant).limit(SLICE)
    return conn.execute(
        sa.delete(tables.tokens).where(tables.tokens.c.tenant == tenant, tables.tokens.c.sequence.in_(some))
    ).rowcount


def tenants(storage: Storage, check: Check = check_without_trunks) -> Catalogue[Tenant]:
    """Tenants by `id`."""
    return Catalogue(storage, TENANTS, check)


def access_numbers(storage: Storage, check: Check = check_without_trunks) -> Catalogue[AccessNumber]:
    """Access numbers by `8000`, or `8000-8099` for a range, with `@trunk` behind it when bound to trunks."""
    return Catalogue(storage, ACCESS_NUMBERS, check)


def agents(storage: Storage, check: Check = check_without_trunks) -> Catalogue[Agent]:
    """Agents by `extension`."""
    return Catalogue(storage, AGENTS, check)


def routes(storage: Storage, check: Check = check_without_trunks) -> Catalogue[Route]:
    """Routes by `name`."""
    return Catalogue(storage, ROUTES, check)
