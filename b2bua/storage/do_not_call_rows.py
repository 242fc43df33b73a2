"""Do-not-call lists as rows: a tenant's own, and imported ones that campaigns name."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from b2bua.storage.dial_tables import contact_numbers, contacts, do_not_call, do_not_call_lists
from b2bua.storage.dialect import per_dialect
from b2bua.storage.hot import Hot
from dialer.campaign import Campaign
from dialer.contact import ContactState

OWN = "own"
"The list that every tenant has and every one of its campaigns keeps to."

P = sa.bindparam

ON_LISTS = Hot(
    sa.select(do_not_call.c.tenant, do_not_call.c.list)
    .where(
        do_not_call.c.number == P("number_"), sa.or_(do_not_call.c.tenant == P("tenant_"), do_not_call.c.tenant == "")
    )
    .order_by(do_not_call.c.list)
)

ADD = per_dialect(lambda insert: insert(do_not_call).on_conflict_do_nothing().returning(do_not_call.c.number))


def counts_for(campaign: Campaign, tenant: str, list_: str) -> bool:
    """Whether a list is one the campaign keeps to: the tenant's own always, others where it names them."""
    return (list_ == OWN and tenant == campaign.tenant) or list_ in campaign.do_not_call


def listed(conn: sa.Connection, campaign: Campaign, number: str) -> str:
    """The list that forbids the number, empty when none does."""
    rows = ON_LISTS.all(conn, {"number_": number, "tenant_": campaign.tenant})
    return next((name for tenant, name in rows if counts_for(campaign, tenant, name)), "")


def listed_among(conn: sa.Connection, campaign: Campaign, numbers: Sequence[str]) -> dict[str, str]:
    """Those of the numbers that are on a list, and which."""
    found: dict[str, str] = {}
    query = sa.select(do_not_call.c.number, do_not_call.c.tenant, do_not_call.c.list).where(
        do_not_call.c.number.in_(numbers), do_not_call.c.tenant.in_((campaign.tenant, ""))
    )
    for number, tenant, name in conn.execute(query):
        if counts_for(campaign, tenant, name):
            found.setdefault(number, name)
    return found


def add(
    conn: sa.Connection, tenant: str, name: str, numbers: Iterable[str], reason: str, now: float
) -> list[str]:  # fmt: skip
    """Put numbers on a list; returns those that were not on it."""
    rows = [
        {"number": number, "tenant": tenant, "list": name, "reason": reason, "added_at": now}
        for number in sorted(set(numbers))
    ]
    if not rows:
        return []
    return [str(number) for (number,) in conn.execute(ADD(conn.dialect.name), rows)]


def close_contacts(conn: sa.Connection, tenant: str, numbers: Sequence[str]) -> int:
    """Close the tenant's open contacts that have nothing but these numbers to be called on.

    One with other numbers stays: the last check before each call keeps the listed one from being dialled.
    """
    having = sa.select(contact_numbers.c.contact).where(contact_numbers.c.number.in_(numbers))
    others = (
        sa.select(contact_numbers.c.contact)
        .where(contact_numbers.c.contact == contacts.c.id, contact_numbers.c.number.not_in(numbers))
        .exists()
    )
    return conn.execute(
        sa.update(contacts)
        .where(
            contacts.c.id.in_(having),
            contacts.c.tenant == tenant,
            contacts.c.state == ContactState.OPEN.value,
            sa.not_(others),
        )
        .values(state=ContactState.CLOSED.value, reason="do-not-call")
    ).rowcount


def remove(conn: sa.Connection, tenant: str, name: str, numbers: Sequence[str]) -> int:
    """Take numbers off a list; returns how many were on it."""
    this = (do_not_call.c.tenant == tenant, do_not_call.c.list == name, do_not_call.c.number.in_(numbers))
    return conn.execute(sa.delete(do_not_call).where(*this)).rowcount


def imported(conn: sa.Connection, tenant: str, name: str, source: str, count: int, now: float) -> None:
    """Note that a list was imported: its age is a question of law."""
    this = (do_not_call_lists.c.tenant == tenant, do_not_call_lists.c.list == name)
    conn.execute(sa.delete(do_not_call_lists).where(*this))
    conn.execute(
        sa.insert(do_not_call_lists),
        {"tenant": tenant, "list": name, "source": source, "imported_at": now, "numbers": count},
    )
