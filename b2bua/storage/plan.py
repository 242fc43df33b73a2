"""The plan as it is administered: one value or many at once, checked with everything else, audited and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from b2bua.jsontext import encode
from b2bua.storage import audit, business, tables
from b2bua.storage.business import AGENTS, Business
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


class _Undo(Exception):
    """Carries the result of a rehearsal out of the transaction that it undoes."""

    def __init__(self, done: Done) -> None:
        super().__init__()
        self.done = done


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
        await self.storage.write(lambda conn: self._put(conn, value, True, by, now))

    async def replace(self, value: Any, *, by: str, now: float) -> None:
        """Put it in the place of the one with its key. Raises NotFound, Conflict."""
        await self.storage.write(lambda conn: self._put(conn, value, False, by, now))

    async def delete(self, kind: Kind, key: str, *, by: str, now: float) -> None:
        """Remove it. Raises NotFound, or Conflict while something else names it."""
        await self.storage.write(lambda conn: self._delete(conn, kind, key, by, now))

    async def put_all(
        self, values: Sequence[Any], agents: Sequence[Agent] = (), *, by: str, now: float, rehearse: bool = False
    ) -> Done:
        """Create or replace all of these together, or none. `rehearse`: only say what would come of it.

        Raises Conflict with the mistakes of all of them, Duplicate when two have the same key.
        """
        try:
            return await self.storage.write(lambda conn: self._put_all(conn, values, agents, by, now, rehearse))
        except _Undo as rehearsed:
            return rehearsed.done

    def _put(self, conn: sa.Connection, value: Any, new: bool, by: str, now: float) -> None:
        business.begin_change(conn)
        before, kind = business.read(conn), kind_of(value)
        old = before.plan.of_kind(kind.word).get(kind.key(value))
        if new and old is not None:
            raise Duplicate(f"there is a {kind.one} {kind.key(value)} already")
        if not new and old is None:
            raise _unknown(kind, kind.key(value))
        refuse_worse(self.check, before, _with(before, {kind.word: {kind.key(value): value}}))
        _store(conn, kind, value, old, by, now)

    def _delete(self, conn: sa.Connection, kind: Kind, key: str, by: str, now: float) -> None:
        business.begin_change(conn)
        before = business.read(conn)
        old = before.plan.of_kind(kind.word).get(key)
        if old is None:
            raise _unknown(kind, key)
        refuse_worse(self.check, before, _with(before, {kind.word: {key: None}}))
        conn.execute(sa.delete(rows).where(rows.c.kind == kind.word, rows.c.key == key))
        audit.record(conn, at=now, actor=by, action="delete", kind=_word(kind), key=key, before=plain(old))

    def _put_all(
        self, conn: sa.Connection, values: Sequence[Any], agents: Sequence[Agent], by: str, now: float, rehearse: bool
    ) -> Done:
        business.begin_change(conn)
        before = business.read(conn)
        changes: dict[str, dict[str, Any]] = {}
        for value in values:
            kind = kind_of(value)
            if kind.key(value) in changes.setdefault(kind.word, {}):
                raise Duplicate(f"{kind.one} {kind.key(value)} is given twice")
            changes[kind.word][kind.key(value)] = value
        desks = {agent.extension: agent for agent in before.agents} | {agent.extension: agent for agent in agents}
        after = _with(before, changes)._replace(agents=tuple(desks.values()))
        refuse_worse(self.check, before, after)
        done = _counted([_store_agent(conn, agent, before, by, now) for agent in agents])
        stored = []
        for value in values:
            kind = kind_of(value)
            stored.append(_store(conn, kind, value, before.plan.of_kind(kind.word).get(kind.key(value)), by, now))
        done = _counted(stored, done)
        if rehearse:
            raise _Undo(done)
        return done


def _with(before: Business, changes: Mapping[str, Mapping[str, Any]]) -> Business:
    """Everything with these values put in; None takes one out."""
    made = {name: getattr(before.plan, name) for name in Plan.__slots__}
    for word, changed in changes.items():
        field = word.replace("-", "_")
        made[field] = {key: value for key, value in {**made[field], **changed}.items() if value is not None}
    return before._replace(plan=Plan(**made))


def _store(conn: sa.Connection, kind: Kind, value: Any, old: Any, by: str, now: float) -> str:
    key = kind.key(value)
    if value == old:
        return "unchanged"
    row = {
        "tenant": getattr(value, "tenant", None),
        "body": encode(plain(value, secrets=True)),
        "changed_at": now,
    }
    if old is None:
        # a row that this program could not read may still be there
        conn.execute(sa.delete(rows).where(rows.c.kind == kind.word, rows.c.key == key))
        conn.execute(sa.insert(rows), {"kind": kind.word, "key": key, **row})
    else:
        conn.execute(sa.update(rows).where(rows.c.kind == kind.word, rows.c.key == key).values(row))
    audit.record(
        conn,
        at=now,
        actor=by,
        action="create" if old is None else "replace",
        kind=_word(kind),
        key=key,
        before=None if old is None else plain(old),
        after=plain(value),
    )
    return "created" if old is None else "replaced"


def _store_agent(conn: sa.Connection, agent: Agent, before: Business, by: str, now: float) -> str:
    old = next((one for one in before.agents if one.extension == agent.extension), None)
    if agent == old:
        return "unchanged"
    conn.execute(sa.delete(AGENTS.table).where(AGENTS.key_column == agent.extension))
    conn.execute(sa.insert(AGENTS.table), AGENTS.row(agent))
    audit.record(
        conn,
        at=now,
        actor=by,
        action="create" if old is None else "replace",
        kind=AGENTS.word,
        key=agent.extension,
        before=None if old is None else asdict(old),
        after=asdict(agent),
    )
    return "created" if old is None else "replaced"


def _counted(outcomes: Sequence[str], so_far: Done = Done()) -> Done:
    return Done(
        created=so_far.created + outcomes.count("created"),
        replaced=so_far.replaced + outcomes.count("replaced"),
        unchanged=so_far.unchanged + outcomes.count("unchanged"),
    )


def _word(kind: Kind) -> str:
    return kind.one.replace("-", "_")


def _unknown(kind: Kind, key: str) -> NotFound:
    return NotFound(f"there is no {kind.one} {key}")
