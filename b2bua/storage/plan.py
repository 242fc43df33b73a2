"""The plan as it is administered: one value or many at once, checked with everything else, audited and counted."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa

from b2bua.jsontext import encode
from b2bua.storage import audit, business, tables
from b2bua.storage.business import AGENTS, Business
from b2bua.storage.campaign_needs import refuse_needed
from b2bua.storage.catalogue import Check, check_without_trunks, refuse_worse
from b2bua.storage.errors import Duplicate, NotFound
from b2bua.storage.plan_values import of_row, plain
from b2bua.storage.storage import Storage
from routing.directory import Agent
from routing.plan import Kind, Plan, kind_of

rows = tables.plan


@dataclass(frozen=True, slots=True)
class Done:
    """What a change of many values came to."""

    created: int = 0
    replaced: int = 0
    unchanged: int = 0
    removed: tuple[str, ...] = ()
    "What is gone because the whole of its kind was given, and it was left out: `queue night`."


@dataclass(frozen=True, slots=True)
class _Change:
    """What shall become of the plan."""

    values: Sequence[Any] = ()
    agents: Sequence[Agent] = ()
    removed: Sequence[tuple[Kind, str]] = ()
    only: Literal["new", "known"] | None = None
    "new: nothing may have these keys; known: something must."
    whole: AbstractSet[str] = frozenset()
    "Kinds of which these values are all there shall be."
    tenant: str | None = None
    "With `whole`: of this tenant's; what is others' or everybody's stays."


class Plans:
    """All kinds of the plan. A change that makes anything worse raises Conflict with every mistake and changes nothing.

    `by` names who asked (for the audit); `now` is epoch seconds. All methods may raise StorageUnavailable.
    """

    def __init__(self, storage: Storage, check: Check = check_without_trunks) -> None:
        self.storage, self.check = storage, check

    async def list(self, kind: Kind) -> list[Any]:
        """All values of a kind, by key."""
        query = sa.select(rows.c.key, rows.c.body).where(rows.c.kind == kind.word).order_by(rows.c.key)
        found = await self.storage.read(lambda conn: [of_row(kind.word, *row) for row in conn.execute(query)])
        return [value for value in found if value is not None]

    async def get(self, kind: Kind, key: str) -> Any:
        """One of them. Raises NotFound."""
        query = sa.select(rows.c.body).where(rows.c.kind == kind.word, rows.c.key == key)
        body = await self.storage.read(lambda conn: conn.execute(query).scalar())
        found = None if body is None else of_row(kind.word, key, body)
        if found is None:
            raise _unknown(kind, key)
        return found

    async def create(self, value: Any, *, by: str, now: float) -> None:
        """Add it. Raises Duplicate, Conflict."""
        await self._make(_Change([value], only="new"), by, now)

    async def replace(self, value: Any, *, by: str, now: float) -> None:
        """Put it in the place of the one with its key. Raises NotFound, Conflict."""
        await self._make(_Change([value], only="known"), by, now)

    async def delete(self, kind: Kind, key: str, *, by: str, now: float) -> None:
        """Remove it. Raises NotFound, or Conflict while something else names it, a campaign that runs included."""
        await self._make(_Change(removed=[(kind, key)]), by, now)

    async def put_all(
        self,
        values: Sequence[Any],
        agents: Sequence[Agent] = (),
        *,
        by: str,
        now: float,
        rehearse: bool = False,
        whole: AbstractSet[str] = frozenset(),
        tenant: str | None = None,
    ) -> Done:
        """Create or replace all of these together, or none. `rehearse`: only say what would come of it.

        `whole`: kinds (by word) that lose every other value; with `tenant`, every other one of that tenant.
        Raises Conflict with the mistakes of all of them, Duplicate when two have the same key.
        """
        return await self._make(_Change(values, agents, whole=whole, tenant=tenant), by, now, rehearse)

    async def _make(self, change: _Change, by: str, now: float, rehearse: bool = False) -> Done:
        # Thousands of values are judged before the transaction, for which claims of tokens may have to wait.
        revision, before = await self.storage.read(_seen)
        writes = await asyncio.to_thread(self._judged, change, before, now)
        if rehearse:
            await self.storage.read(lambda conn: refuse_needed(conn, writes.before, writes.after))
            return writes.done
        return await self.storage.write(lambda conn: self._commit(conn, change, revision, writes, by, now))

    def _commit(
        self, conn: sa.Connection, change: _Change, revision: int, writes: "_Writes", by: str, now: float
    ) -> Done:
        business.begin_change(conn)
        if business.revision(conn) != revision + 1:
            writes = self._judged(change, business.read(conn), now)  # somebody else was faster
        refuse_needed(conn, writes.before, writes.after)
        writes.carry_out(conn, by, now)
        return writes.done

    def _judged(self, change: _Change, before: Business, now: float) -> "_Writes":
        """What has to be written. Raises Duplicate, NotFound or Conflict where the change cannot be made."""
        changed: dict[str, dict[str, Any]] = {}
        for value in change.values:
            kind = kind_of(value)
            key, known = kind.key(value), before.plan.of_kind(kind.word)
            if key in changed.setdefault(kind.word, {}):
                raise Duplicate(f"{kind.one} {key} is given twice")
            if change.only == "new" and key in known:
                raise Duplicate(f"there is a {kind.one} {key} already")
            if change.only == "known" and key not in known:
                raise _unknown(kind, key)
            changed[kind.word][key] = value
        change = replace(change, removed=[*change.removed, *_left_out(change, before, changed)])
        for kind, key in change.removed:
            if key not in before.plan.of_kind(kind.word):
                raise _unknown(kind, key)
            changed.setdefault(kind.word, {})[key] = None
        desks = {agent.extension: agent for agent in (*before.agents, *change.agents)}
        after = _with(before, changed)._replace(agents=tuple(desks.values()))
        refuse_worse(self.check, before, after)
        return _writes(change, before, after, now)


def _seen(conn: sa.Connection) -> tuple[int, Business]:
    return business.revision(conn), business.read(conn)


def _left_out(change: _Change, before: Business, given: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Kind, str]]:
    """What there is of the kinds that were given whole, and was not given."""
    for kind, key, value in before.plan.values():
        mine = change.tenant is None or getattr(value, "tenant", None) == change.tenant
        if kind.word in change.whole and mine and key not in given.get(kind.word, {}):
            yield kind, key


def _with(before: Business, changes: Mapping[str, Mapping[str, Any]]) -> Business:
    """Everything with these values put in; None takes one out."""
    made = {name: getattr(before.plan, name) for name in Plan.__slots__}
    for word, changed in changes.items():
        field = word.replace("-", "_")
        made[field] = {key: value for key, value in {**made[field], **changed}.items() if value is not None}
    return before._replace(plan=Plan(**made))


@dataclass(frozen=True, slots=True)
class _Writes:
    """Rows that go, rows that come, and what the audit log says of it."""

    gone: list[dict[str, str]]
    made: list[dict[str, Any]]
    agents: list[Agent]
    told: list[audit.Change]
    done: Done
    before: Business
    after: Business

    def carry_out(self, conn: sa.Connection, by: str, now: float) -> None:
        if self.gone:
            these = (rows.c.kind == sa.bindparam("kind_")) & (rows.c.key == sa.bindparam("key_"))
            conn.execute(sa.delete(rows).where(these), self.gone)
        if self.made:
            conn.execute(sa.insert(rows), self.made)
        if self.agents:
            those = AGENTS.key_column == sa.bindparam("extension_")
            conn.execute(sa.delete(AGENTS.table).where(those), [{"extension_": one.extension} for one in self.agents])
            conn.execute(sa.insert(AGENTS.table), [AGENTS.row(one) for one in self.agents])
        audit.record_all(conn, self.told, at=now, actor=by)


def _writes(change: _Change, before: Business, after: Business, now: float) -> _Writes:
    told, made, gone = [], [], []
    values, agents = _differing(change, before), _differing_agents(change, before)
    for value, old in values:
        kind = kind_of(value)
        key, body = kind.key(value), encode(plain(value, secrets=True))
        made.append(
            {"kind": kind.word, "key": key, "tenant": getattr(value, "tenant", None), "body": body, "changed_at": now}
        )
        # also a row that this program could not read makes room
        gone.append({"kind_": kind.word, "key_": key})
        told.append(audit.Change(_word(kind), key, None if old is None else plain(old), plain(value)))
    for kind, key in change.removed:
        gone.append({"kind_": kind.word, "key_": key})
        told.append(audit.Change(_word(kind), key, plain(before.plan.of_kind(kind.word)[key]), None))
    for agent, was in agents:
        told.append(audit.Change(AGENTS.word, agent.extension, None if was is None else asdict(was), asdict(agent)))
    created = sum(old is None for _, old in (*values, *agents))
    replaced = len(values) + len(agents) - created
    unchanged = len(change.values) + len(change.agents) - created - replaced
    done = Done(created, replaced, unchanged, tuple(f"{kind.one} {key}" for kind, key in change.removed))
    return _Writes(gone, made, [agent for agent, _ in agents], told, done, before, after)


def _differing(change: _Change, before: Business) -> list[tuple[Any, Any]]:
    """The values that are new or other than before, each with the one it replaces."""
    pairs = (
        (value, before.plan.of_kind((kind := kind_of(value)).word).get(kind.key(value))) for value in change.values
    )
    return [(value, old) for value, old in pairs if value != old]


def _differing_agents(change: _Change, before: Business) -> list[tuple[Agent, Agent | None]]:
    known = {agent.extension: agent for agent in before.agents}
    pairs = ((agent, known.get(agent.extension)) for agent in change.agents)
    return [(agent, old) for agent, old in pairs if agent != old]


def _word(kind: Kind) -> str:
    return kind.one.replace("-", "_")


def _unknown(kind: Kind, key: str) -> NotFound:
    return NotFound(f"there is no {kind.one} {key}")
