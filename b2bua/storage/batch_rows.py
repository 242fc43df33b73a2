"""Batches as rows: contacts come in slices, are checked against the campaign and the lists, and open all at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from b2bua.storage import campaign_rows, contact_rows, do_not_call_rows
from b2bua.storage.among import Among
from b2bua.storage.dial_tables import batch_problems, batches, contact_numbers, contacts
from b2bua.storage.dialect import per_dialect
from b2bua.storage.errors import Conflict, NotFound
from b2bua.storage.hot import Hot, driver
from dialer.batch import Prepared, RowProblem
from dialer.campaign import Campaign
from dialer.contact import ContactState, PhoneNumber

LOADING, READY, FAILED, WITHDRAWN = "loading", "ready", "failed", "withdrawn"
"States of a batch; only the contacts of a ready one are called."

STAGED = "loading"
"Reason of contacts that are held because their batch is not whole yet."

CACHE_KIB = 32 * 1024
"Of the importing process's connection; SQLite's own measure is 2 MB."

SLICE = 500
"Contacts in one transaction: some milliseconds, for which a call's claim may have to wait."


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch and how its import went or goes."""

    campaign: str
    id: str
    source: str
    "`csv`, `jsonl`, `api`, or `sql NAME`."
    state: str
    node: str
    by: str
    rows: int = 0
    contacts: int = 0
    numbers: int = 0
    duplicates: int = 0
    "Numbers that were in the row, the batch or the campaign before."
    invalid: int = 0
    "Rows that could not be read, and bad numbers."
    listed: int = 0
    "Numbers on a do-not-call list."
    share: float = 0.0
    "Of the source that was read; 0 where its size is not known."
    error: str = ""
    began_at: float = 0.0
    ended_at: float | None = None


INSERT = Hot(lambda insert: insert(contacts).values({column.name: sa.bindparam(column.name) for column in contacts.c}))
INSERT_NUMBER = Hot(
    lambda insert: insert(contact_numbers).values(
        {column.name: sa.bindparam(column.name) for column in contact_numbers.c}
    )
)
CLAIM_NUMBERS = per_dialect(
    lambda insert: insert(contact_numbers).on_conflict_do_nothing().returning(contact_numbers.c.number)
)
TAKEN = Among(
    sa.select(contact_numbers.c.number).where(contact_numbers.c.campaign == sa.bindparam("campaign_")),
    contact_numbers.c.number,
)
INSERT_PROBLEM = Hot(
    lambda insert: insert(batch_problems).values(
        {column.name: sa.bindparam(column.name) for column in batch_problems.c}
    )
)


def of_row(row: Any) -> Batch:
    """The batch of a row."""
    return Batch(**row)


def get(conn: sa.Connection, campaign: str, id: str) -> Batch:
    """One batch. Raises NotFound."""
    query = sa.select(batches).where(batches.c.campaign == campaign, batches.c.id == id)
    row = conn.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"campaign {campaign} has no batch {id}")
    return of_row(row)


def every(conn: sa.Connection, campaign: str) -> list[Batch]:
    """The batches of a campaign, oldest first."""
    query = sa.select(batches).where(batches.c.campaign == campaign).order_by(batches.c.began_at, batches.c.id)
    return [of_row(row) for row in conn.execute(query).mappings()]


def begin(conn: sa.Connection, campaign: str, id: str, source: str, node: str, by: str, now: float) -> Batch:
    """A new batch, or one that failed or was withdrawn for another try.

    Raises NotFound without such a campaign, Conflict for a batch that is there.
    """
    campaign_rows.get(conn, campaign, lock=True)
    this = (batches.c.campaign == campaign, batches.c.id == id)
    row = conn.execute(sa.select(batches.c.state).where(*this)).first()
    if row is not None and row[0] in (LOADING, READY):
        raise Conflict(f"batch {id} of campaign {campaign} is {row[0]}: withdraw it first, or give another id")
    conn.execute(sa.delete(batches).where(*this))
    conn.execute(sa.delete(batch_problems).where(batch_problems.c.campaign == campaign, batch_problems.c.batch == id))
    made = Batch(campaign, id, source, LOADING, node, by, began_at=now)
    conn.execute(sa.insert(batches), {name: getattr(made, name) for name in Batch.__slots__})
    return made


def begin_list(conn: sa.Connection, key: str, name: str, source: str, node: str, by: str, now: float) -> Batch:
    """The import of a do-not-call list; of the same list only one at a time. Raises Conflict."""
    this = (batches.c.campaign == key, batches.c.id == name)
    row = conn.execute(sa.select(batches.c.state).where(*this)).first()
    if row is not None and row[0] == LOADING:
        raise Conflict(f"list {name} is being imported already")
    conn.execute(sa.delete(batches).where(*this))
    conn.execute(sa.delete(batch_problems).where(batch_problems.c.campaign == key, batch_problems.c.batch == name))
    made = Batch(key, name, source, LOADING, node, by, began_at=now)
    conn.execute(sa.insert(batches), {field: getattr(made, field) for field in Batch.__slots__})
    return made


def count(
    conn: sa.Connection, key: str, name: str, numbers: int, problems: Sequence[RowProblem], *, rows: int, share: float
) -> None:
    """How far the import of a list is, and what is wrong with it."""
    found = get(conn, key, name)
    _keep_problems(conn, found, problems)
    _save(
        conn,
        replace(found, rows=rows, numbers=found.numbers + numbers, invalid=found.invalid + len(problems), share=share),
    )


def clear(conn: sa.Connection, campaign: str, id: str) -> int:
    """Remove up to a slice of the contacts that an import which failed has left; returns how many."""
    staged = sa.select(contacts.c.id).where(
        contacts.c.campaign == campaign,
        contacts.c.batch == id,
        contacts.c.state == ContactState.HELD.value,
        contacts.c.reason == STAGED,
    )
    some = [row[0] for row in conn.execute(staged.limit(SLICE))]
    if some:
        conn.execute(
            sa.delete(contact_numbers).where(
                contact_numbers.c.campaign == campaign, contact_numbers.c.contact.in_(some)
            )
        )
        conn.execute(sa.delete(contacts).where(contacts.c.id.in_(some)))
    return len(some)


def add(
    conn: sa.Connection,
    campaign: Campaign,
    batch: Batch,
    prepared: Sequence[Prepared],
    problems: Sequence[RowProblem],
    *,
    rows: int,
    share: float,
    new_id: Callable[[], str],
) -> Batch:
    """Add a slice, held until the whole batch is there; returns the batch with its counts so far.

    `rows`: rows read so far. Raises NotFound or Conflict when the batch was withdrawn meanwhile.
    """
    campaign_rows.get(conn, campaign.id, lock=True)
    now = get(conn, batch.campaign, batch.id)
    if now.state != LOADING:
        raise Conflict(f"batch {batch.id} is {now.state}: its import ends here")
    asked = [number.number for one in prepared for number in one.numbers]
    listed = do_not_call_rows.listed_among(conn, campaign, asked) if asked else {}
    told = list(problems)
    seen: dict[str, str] = {}
    wanted: list[tuple[Prepared, str, list[PhoneNumber]]] = []
    for one in prepared:
        numbers = []
        for number in one.numbers:
            if number.number in listed:
                message = f"{number.number} is on the do-not-call list {listed[number.number]}"
                told.append(RowProblem(one.row, "listed", number.number, message))
            elif (before := seen.get(number.number)) is not None:
                told.append(RowProblem(one.row, "duplicate", number.number, f"{number.number} is {before}"))
            else:
                numbers.append(number)
                seen[number.number] = f"in row {one.row} already"
        wanted.append((one, new_id(), numbers))
    claims = [(campaign.id, number.number, id_) for _, id_, numbers in wanted for number in numbers]
    free = _claim(conn, claims)
    known = _places(conn, campaign.id, [number for _, number, _ in claims if number not in free])
    new: list[tuple[Any, ...]] = []
    for one, id_, numbers in wanted:
        own = [number for number in numbers if number.number in free]
        for number in numbers:
            if number.number not in free:
                message = f"{number.number} is {known.get(number.number, 'there already')}"
                told.append(RowProblem(one.row, "duplicate", number.number, message))
        if own:
            new.append(contact_rows.staged(one, id_, campaign.id, campaign.tenant, batch.id, own, STAGED, now.began_at))
    INSERT.rows(conn, new)
    _keep_problems(conn, batch, told)
    made = replace(
        now,
        rows=rows,
        contacts=now.contacts + len(new),
        numbers=now.numbers + len(free),
        duplicates=now.duplicates + sum(one.kind == "duplicate" for one in told),
        invalid=now.invalid + sum(one.kind in ("row", "number") for one in told),
        listed=now.listed + sum(one.kind == "listed" for one in told),
        share=share,
    )
    _save(conn, made)
    return made


def _claim(conn: sa.Connection, claims: Sequence[tuple[str, str, str]]) -> set[str]:
    """Give contacts those numbers that the campaign did not have. Each is one look at a key, however many it has."""
    if not claims:
        return set()
    if driver(conn) is not None:
        # SQLite always looks by the key and has one writer: two plain statements cost half of one with RETURNING
        taken = {number for (number,) in TAKEN.all(conn, [one[1] for one in claims], {"campaign_": claims[0][0]})}
        INSERT_NUMBER.rows(conn, sorted(one for one in claims if one[1] not in taken))
        return {one[1] for one in claims} - taken
    # in one order, else two imports would wait for each other
    rows = [{"campaign": campaign, "number": number, "contact": of} for campaign, number, of in sorted(claims)]
    return {number for (number,) in conn.execute(CLAIM_NUMBERS(conn.dialect.name), rows)}


def _places(conn: sa.Connection, campaign: str, numbers: Sequence[str]) -> dict[str, str]:
    """Where the campaign has numbers: `in row 12 of batch spring already`."""
    if not numbers:
        return {}
    query = (
        sa.select(contact_numbers.c.number, contacts.c.row, contacts.c.batch)
        .join(contacts, contacts.c.id == contact_numbers.c.contact)
        .where(contact_numbers.c.campaign == campaign, contact_numbers.c.number.in_(numbers))
    )
    return {number: f"in row {row} of batch {batch} already" for number, row, batch in conn.execute(query)}


def _keep_problems(conn: sa.Connection, batch: Batch, told: Sequence[RowProblem]) -> None:
    counts: dict[int, int] = {}
    rows = []
    for one in sorted(told, key=lambda problem: problem.row):
        n = counts[one.row] = counts.get(one.row, 0) + 1
        rows.append(
            {
                "campaign": batch.campaign,
                "batch": batch.id,
                "row": one.row,
                "n": n,
                "kind": one.kind,
                "value": _shown(one.value),
                "message": _shown(one.message),
            }
        )
    INSERT_PROBLEM.many(conn, rows)


def _shown(text: str) -> str:
    """What every database can keep."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _save(conn: sa.Connection, batch: Batch) -> None:
    conn.execute(
        sa.update(batches)
        .where(batches.c.campaign == batch.campaign, batches.c.id == batch.id)
        .values({name: getattr(batch, name) for name in Batch.__slots__ if name not in ("campaign", "id")})
    )


def open_some(conn: sa.Connection, campaign: str, id: str, after: int) -> int | None:
    """Open the next slice of a batch that is whole, rows above `after`; returns the last one, None at the end."""
    this = (contacts.c.campaign == campaign, contacts.c.batch == id)
    query = (
        sa.select(contacts.c.row)
        .where(*this, contacts.c.row > after)
        .order_by(contacts.c.row)
        .offset(SLICE - 1)
        .limit(1)
    )
    last = conn.execute(query).scalar()
    opening = sa.update(contacts).where(
        *this, contacts.c.row > after, contacts.c.state == ContactState.HELD.value, contacts.c.reason == STAGED
    )
    if last is not None:
        opening = opening.where(contacts.c.row <= last)
    conn.execute(opening.values(state=ContactState.OPEN.value, reason=""))
    return last


def finish(conn: sa.Connection, campaign: str, id: str, now: float, *, error: str = "") -> Batch:
    """The import is over, well or with an error."""
    found = get(conn, campaign, id)
    made = replace(
        found, state=FAILED if error else READY, error=error, ended_at=now, share=found.share if error else 1.0
    )
    _save(conn, made)
    campaign_rows.changed(conn)
    return made


def analyse(conn: sa.Connection) -> None:
    """PostgreSQL must look at a table that has grown, else statements keep to plans made when it was small."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("ANALYZE contacts, contact_numbers, dial_commands, do_not_call")


def keep_more(conn: sa.Connection) -> None:
    """SQLite keeps so much of the indexes in memory that new numbers, which come in no order, are not looked for on
    disk; for the connection of a process that imports."""
    if (raw := driver(conn)) is not None:
        raw.execute(f"PRAGMA cache_size=-{CACHE_KIB}")


def withdraw(conn: sa.Connection, campaign: str, id: str, now: float) -> Batch:
    """No contact of the batch is called any more; those in a call end it. Raises NotFound."""
    campaign_rows.get(conn, campaign, lock=True)
    made = replace(get(conn, campaign, id), state=WITHDRAWN, ended_at=now)
    _save(conn, made)
    campaign_rows.changed(conn)
    return made


def close_some(conn: sa.Connection, campaign: str, id: str, after: int) -> int | None:
    """Close the next slice of a withdrawn batch and free its numbers for other batches; as `open_some`.

    One that is being called is closed too: its record is booked, and nothing follows from it.
    """
    this = (contacts.c.campaign == campaign, contacts.c.batch == id)
    query = (
        sa.select(contacts.c.id, contacts.c.row)
        .where(*this, contacts.c.row > after)
        .order_by(contacts.c.row)
        .limit(SLICE)
    )
    some = list(conn.execute(query))
    if not some:
        return None
    ids = [row[0] for row in some]
    conn.execute(
        sa.update(contacts)
        .where(contacts.c.id.in_(ids), contacts.c.state != ContactState.CLOSED.value)
        .values(state=ContactState.CLOSED.value, reason="withdrawn")
    )
    conn.execute(
        sa.delete(contact_numbers).where(contact_numbers.c.campaign == campaign, contact_numbers.c.contact.in_(ids))
    )
    return int(some[-1][1])


def problems(
    conn: sa.Connection, campaign: str, id: str, limit: int, after: tuple[int, int] = (0, 0)
) -> list[tuple[RowProblem, int]]:
    """What is wrong, by row, behind a place; each with its number within the row."""
    where = sa.tuple_(batch_problems.c.row, batch_problems.c.n) > sa.tuple_(*map(sa.literal, after))
    query = (
        sa.select(batch_problems)
        .where(batch_problems.c.campaign == campaign, batch_problems.c.batch == id, where)
        .order_by(batch_problems.c.row, batch_problems.c.n)
        .limit(limit)
    )
    return [(RowProblem(row.row, row.kind, row.value, row.message), row.n) for row in conn.execute(query)]


def loading(conn: sa.Connection, node: str) -> list[Batch]:
    """Imports of a node that are not over: at its start, those that died with it."""
    query = sa.select(batches).where(batches.c.node == node, batches.c.state == LOADING)
    return [of_row(row) for row in conn.execute(query).mappings()]
