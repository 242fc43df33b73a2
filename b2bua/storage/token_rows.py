"""The statements behind `Tokens`: each runs inside one transaction, the same on both databases.

Names that end in an underscore are parameters, so that none is taken for the column of the same name.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from b2bua.jsontext import decode, encode
from b2bua.storage.dialect import per_dialect
from b2bua.storage.errors import Duplicate, NumberSpaceFull
from b2bua.storage.hot import Hot
from b2bua.storage.sequences import LOOK_AFTER, TRIES, draw, draw_outside, room
from b2bua.storage.tables import tokens
from b2bua.storage.token import Claim, ClaimOutcome, NewToken, State, Token, judge

_THIS = sa.and_(tokens.c.tenant == sa.bindparam("tenant_"), tokens.c.sequence == sa.bindparam("sequence_"))
_FREED: dict[str, Any] = {"state": State.FREE.value, "node": None, "call": None, "claimed_at": None}

FIND = Hot(sa.select(tokens).where(_THIS))

CLAIM = Hot(
    sa.update(tokens)
    .where(_THIS, tokens.c.state == State.FREE.value, tokens.c.expires_at > sa.bindparam("now_"))
    .values(
        state=State.CLAIMED.value,
        call=sa.bindparam("call_"),
        node=sa.bindparam("node_"),
        claimed_at=sa.bindparam("now_"),
    )
    .returning(tokens)
)

CONSUME = Hot(
    sa.update(tokens)
    .where(
        _THIS,
        tokens.c.call == sa.bindparam("call_"),
        sa.or_(tokens.c.state == State.CLAIMED.value, tokens.c.state == State.CONSUMED.value),
    )
    .values(
        state=State.CONSUMED.value,
        consumed_at=sa.func.coalesce(tokens.c.consumed_at, sa.bindparam("now_", type_=sa.Double)),
    )
)

CONSUME_LATE = Hot(
    sa.update(tokens)
    .where(
        _THIS,
        sa.or_(
            sa.and_(tokens.c.state == State.CLAIMED.value, tokens.c.call == sa.bindparam("call_")),
            # A power cut may take the claim with it, but not the spool's line about the answer.
            sa.and_(tokens.c.state == State.FREE.value, tokens.c.issued_at <= sa.bindparam("now_")),
        ),
    )
    .values(
        state=State.CONSUMED.value,
        call=sa.bindparam("call_"),
        consumed_at=sa.bindparam("now_"),
    )
)

RELEASE = Hot(
    sa.update(tokens)
    .where(_THIS, tokens.c.state == State.CLAIMED.value, tokens.c.call == sa.bindparam("call_"))
    .values(_FREED)
)

RELEASE_NODE = (
    sa.update(tokens)
    .where(tokens.c.node == sa.bindparam("node_"), tokens.c.state == State.CLAIMED.value)
    .values(_FREED)
)

REVOKE = Hot(
    sa.update(tokens)
    .where(_THIS, tokens.c.state == State.FREE.value)
    .values(state=State.REVOKED.value)
    .returning(tokens)
)

_GIVEN = ("id", "state", "caller", "extension", "data", "issued_at", "expires_at")
_CLEARED = ("node", "call", "claimed_at", "consumed_at")


def _insert(insert: Callable[[sa.Table], Any]) -> Any:
    """A new row, or a new life for a number whose old one is over; returns the number when it was possible."""
    new = insert(tokens)
    return new.on_conflict_do_update(
        index_elements=["tenant", "sequence"],
        set_={name: new.excluded[name] for name in _GIVEN} | dict.fromkeys(_CLEARED, sa.null()),
        where=sa.and_(tokens.c.expires_at <= new.excluded.issued_at, tokens.c.state != State.CLAIMED.value),
    ).returning(tokens.c.sequence)


INSERT = per_dialect(_insert)


def token(row: Sequence[Any]) -> Token:
    """A row of the table as a value."""
    tenant, sequence, id_, state, caller, extension, data, *rest = row
    return Token(tenant, sequence, id_, State(state), caller, extension, decode(data), *rest)


def find(conn: sa.Connection, tenant: str, sequence: str) -> Token | None:
    """The token, whatever its state."""
    row = FIND.first(conn, {"tenant_": tenant, "sequence_": sequence})
    return None if row is None else token(row)


def claim(conn: sa.Connection, asked: Mapping[str, Any]) -> Claim:
    """Take the token, or say why not. `asked`: tenant_, sequence_, call_, node_, now_."""
    row = CLAIM.first(conn, asked)
    if row is not None:
        return Claim(ClaimOutcome.CLAIMED, token(row))
    found = find(conn, asked["tenant_"], asked["sequence_"])
    if found is not None and found.state is State.FREE and found.expires_at > asked["now_"]:
        # PostgreSQL only: its owner released it between our two statements.
        return Claim(ClaimOutcome.BUSY)
    return judge(found, asked["call_"])


def issue(conn: sa.Connection, tenant: str, new: NewToken, width: int, ttl: float, now: float) -> Token:
    """One token with its own or a drawn number."""
    made = _made(tenant, new, new.sequence or draw(width), ttl, now)
    insert = INSERT(conn.dialect.name)
    for tried in range(1, TRIES + 1):
        if conn.execute(insert, _values(made)).first() is not None:
            return made
        if new.sequence is not None:
            raise Duplicate(f"sequence number {new.sequence} is still alive")
        if tried == LOOK_AFTER and (alive := live(conn, tenant, now)) >= room(width):
            raise NumberSpaceFull(tenant, alive, 10**width)
        made = _made(tenant, new, draw(width), ttl, now)
    raise NumberSpaceFull(tenant, live(conn, tenant, now), 10**width)


def issue_many(
    conn: sa.Connection,
    tenant: str,
    news: Sequence[NewToken],
    own: frozenset[str],
    width: int,
    ttl: float,
    now: float,
) -> list[Token]:
    """Tokens in the order of `news`; drawn numbers keep clear of `own`, the numbers the tenant brings himself."""
    issued: list[Token | None] = [None] * len(news)
    missing: Iterable[int] = range(len(news))
    insert = INSERT(conn.dialect.name)
    for _ in range(TRIES):
        batch: dict[str, tuple[int, Token]] = {}
        for at in missing:
            sequence = news[at].sequence or draw_outside(width, own | batch.keys() if own else batch)
            batch[sequence] = (at, _made(tenant, news[at], sequence, ttl, now))
        # Sorted: two that insert the same numbers in different orders would deadlock on PostgreSQL.
        values = [_values(batch[sequence][1]) for sequence in sorted(batch)]
        for (sequence,) in conn.execute(insert, values):
            at, made = batch.pop(sequence)
            issued[at] = made
        missing = sorted(at for at, _ in batch.values())
        if not missing:
            return [made for made in issued if made is not None]
        if taken := [news[at].sequence for at in missing if news[at].sequence]:
            raise Duplicate(f"sequence number {taken[0]} is still alive")
    raise NumberSpaceFull(tenant, live(conn, tenant, now), 10**width)


def _made(tenant: str, new: NewToken, sequence: str, ttl: float, now: float) -> Token:
    id_ = secrets.token_hex(8)
    return Token(tenant, sequence, id_, State.FREE, new.caller, new.extension, dict(new.data), now, now + ttl)


def _values(made: Token) -> dict[str, Any]:
    return {
        "tenant": made.tenant,
        "sequence": made.sequence,
        "id": made.id,
        "state": made.state.value,
        "caller": made.caller,
        "extension": made.extension,
        "data": encode(made.data),
        "issued_at": made.issued_at,
        "expires_at": made.expires_at,
    }


def page(conn: sa.Connection, tenant: str, limit: int, after: str | None, state: State | None) -> list[Token]:
    """Tokens of a tenant in the order of their numbers."""
    query = sa.select(tokens).where(tokens.c.tenant == tenant).order_by(tokens.c.sequence).limit(limit)
    if after is not None:
        query = query.where(tokens.c.sequence > after)
    if state is not None:
        query = query.where(tokens.c.state == state.value)
    return [token(row) for row in conn.execute(query)]


def live(conn: sa.Connection, tenant: str, now: float) -> int:
    """Numbers that cannot be issued now."""
    alive = sa.or_(tokens.c.expires_at > now, tokens.c.state == State.CLAIMED.value)
    query = sa.select(sa.func.count()).select_from(tokens).where(tokens.c.tenant == tenant, alive)
    return int(conn.execute(query).scalar_one())


def purge(conn: sa.Connection, before: float, limit: int) -> int:
    """Delete up to `limit` tokens whose life ended before that time."""
    over = (
        sa.select(tokens.c.tenant, tokens.c.sequence)
        .where(
            tokens.c.expires_at < before,
            # A claim that old was never released: no call rings for so long.
            sa.or_(tokens.c.state != State.CLAIMED.value, tokens.c.claimed_at < before),
        )
        .limit(limit)
    )
    return conn.execute(sa.delete(tokens).where(sa.tuple_(tokens.c.tenant, tokens.c.sequence).in_(over))).rowcount


def consume_late(conn: sa.Connection, records: Sequence[Mapping[str, Any]]) -> None:
    """Spooled answers: a second time changes nothing."""
    CONSUME_LATE.many(conn, [_of(record) | {"now_": record["at"]} for record in records])


def release_late(conn: sa.Connection, records: Sequence[Mapping[str, Any]]) -> None:
    """Spooled ends of unanswered calls: a second time changes nothing."""
    RELEASE.many(conn, [_of(record) for record in records])


def _of(record: Mapping[str, Any]) -> dict[str, Any]:
    return {"tenant_": record["tenant"], "sequence_": record["sequence"], "call_": record["call"]}
