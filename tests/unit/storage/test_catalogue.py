"""Tenants, access numbers, agents and routes: changes are checked as a whole, counted and audited (R1-04..R1-06)."""

import asyncio
from dataclasses import replace

import pytest

from b2bua.storage import Conflict, Duplicate, NotFound, Storage, StorageUnavailable, business
from b2bua.storage.api_keys import ApiKeys, Role
from b2bua.storage.audit import Audit
from b2bua.storage.business import access_number_key
from b2bua.storage.catalogue import access_numbers, agents, check_with, routes, tenants
from b2bua.storage.directory import DirectoryFeed, load_directory
from b2bua.storage.tokens import NewToken, Tokens
from routing.correlation import TrunkProfile
from routing.digits import DigitPlan
from routing.directory import AccessNumber, Agent, Connection, Correlation, EntryPoint, Route, Tenant
from tests.peers.waiting import eventually

NOW = 1_800_000_000.0

AGENT = Agent("801", "Li", "sip:801@10.0.0.5:5060", "inside")
ROUTE = Route("reception", "801")
TENANT = Tenant(
    id="acme",
    name="Acme & 测试",
    access_id="71",
    trunks=frozenset({"carrier-a", "carrier-b"}),
    billing_numbers=frozenset({"4008100001", "4008100002"}),
    token_ttl=120.0,
    connection=Connection("json", "https://crm.example/answer", "both", 400, "s3cret"),
    default_extension="801",
)
NUMBER = AccessNumber(
    first="8000",
    last="8099",
    correlation=Correlation.OPTIONAL,
    default_tenant="acme",
    entry=EntryPoint("agent", "801"),
    default_route="reception",
    trunks=frozenset({"carrier-a"}),
)


async def create_all(storage: Storage) -> None:
    await agents(storage).create(AGENT, by="admin", now=NOW)
    await routes(storage).create(ROUTE, by="admin", now=NOW)
    await tenants(storage).create(TENANT, by="admin", now=NOW)
    await access_numbers(storage).create(NUMBER, by="admin", now=NOW)


async def test_values_come_back_as_they_were_stored(storage: Storage) -> None:
    """R1-06: every field, a tenant's connection among them."""
    await create_all(storage)
    assert await agents(storage).list() == [AGENT]
    assert await routes(storage).list() == [ROUTE]
    assert await tenants(storage).get("acme") == TENANT
    assert await access_numbers(storage).get("8000-8099@carrier-a") == NUMBER
    plain = replace(TENANT, id="b", access_id="72", connection=None, default_extension=None, enabled=False)
    await tenants(storage).create(plain, by="admin", now=NOW)
    assert await tenants(storage).list() == [TENANT, plain]


def test_an_access_number_row_is_named_by_its_numbers_and_trunks() -> None:
    """R1-05: rows for one trunk and for any trunk may stand side by side."""
    assert access_number_key(AccessNumber("8000", "8000")) == "8000"
    assert access_number_key(AccessNumber("8000", "8009", trunks=frozenset({"b", "a"}))) == "8000-8009@a+b"


async def test_what_exists_is_not_created_and_what_does_not_is_not_changed(storage: Storage) -> None:
    """Keys mean one thing."""
    await create_all(storage)
    with pytest.raises(Duplicate, match="agent 801"):
        await agents(storage).create(AGENT, by="admin", now=NOW)
    with pytest.raises(NotFound, match="agent 802"):
        await agents(storage).replace(replace(AGENT, extension="802"), by="admin", now=NOW)
    with pytest.raises(NotFound):
        await agents(storage).delete("802", by="admin", now=NOW)
    with pytest.raises(NotFound, match="access number 9"):
        await access_numbers(storage).get("9")


async def test_a_replaced_value_may_change_its_key(storage: Storage) -> None:
    """An access number's range is part of its key."""
    await create_all(storage)
    repository = access_numbers(storage)
    wider = replace(NUMBER, last="8199")
    await repository.replace(wider, by="admin", now=NOW, key="8000-8099@carrier-a")
    assert await repository.list() == [wider]


async def test_a_change_that_contradicts_the_rest_is_refused(storage: Storage) -> None:
    """R1-04: a duplicate access ID, or one that begins another, is refused with the reason; nothing is changed."""
    await create_all(storage)
    before = await load_directory(storage)
    for access_id in ("71", "715"):
        with pytest.raises(Conflict) as refused:
            await tenants(storage).create(replace(TENANT, id="b", access_id=access_id), by="admin", now=NOW)
        assert [(one.entity, one.field) for one in refused.value.problems] == [("tenant b", "access_id")]
    with pytest.raises(Conflict, match="no agent 999"):
        await routes(storage).create(Route("night", "999"), by="admin", now=NOW)
    assert (await load_directory(storage))[0] == before[0]


async def test_a_number_too_long_for_the_trunk_is_refused(storage: Storage) -> None:
    """R1-04: the trunks' digit plans come from the settings."""
    await create_all(storage)
    wide = TrunkProfile("carrier-a", plan=DigitPlan(sequence_width=10))
    check = check_with([wide, TrunkProfile("carrier-b", plan=DigitPlan(sequence_width=10))], None)
    long = replace(TENANT, id="b", access_id="720000", trunks=frozenset({"carrier-a"}))
    with pytest.raises(Conflict, match="16 digits"):
        await tenants(storage, check).create(long, by="admin", now=NOW)
    await tenants(storage, check).create(replace(long, access_id="72000"), by="admin", now=NOW)


async def test_an_old_mistake_does_not_stop_other_changes(storage: Storage) -> None:
    """What a change of the settings made wrong can be mended step by step."""
    await create_all(storage)
    check = check_with([TrunkProfile("carrier-a")], "nowhere")
    assert check(await storage.read(business.read)) != []
    await agents(storage, check).create(replace(AGENT, extension="802"), by="admin", now=NOW)
    with pytest.raises(Conflict, match="carrier-c"):
        await tenants(storage, check).replace(replace(TENANT, trunks=frozenset({"carrier-c"})), by="admin", now=NOW)


async def test_what_others_name_is_not_deleted(storage: Storage) -> None:
    """No dangling names."""
    await create_all(storage)
    for repository, key in ((agents(storage), "801"), (routes(storage), "reception"), (tenants(storage), "acme")):
        with pytest.raises(Conflict):
            await repository.delete(key, by="admin", now=NOW)
    await access_numbers(storage).delete("8000-8099@carrier-a", by="admin", now=NOW)
    await tenants(storage).delete("acme", by="admin", now=NOW)
    await routes(storage).delete("reception", by="admin", now=NOW)
    await agents(storage).delete("801", by="admin", now=NOW)
    assert repr((await load_directory(storage))[1]) == "<Directory 0 tenants, 0 access numbers, 0 agents, 0 routes>"


async def test_contradicting_changes_at_once_do_not_both_pass(storage: Storage) -> None:
    """R1-04: each is checked against what the other has done."""
    await create_all(storage)
    new = [replace(TENANT, id=f"t{n}", access_id="9") for n in range(8)]
    results = await asyncio.gather(
        *(tenants(storage).create(one, by="admin", now=NOW) for one in new), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 7 + ["Tenant"]


async def test_with_a_tenant_go_its_tokens_and_keys(storage: Storage) -> None:
    """Nothing of a deleted tenant can be used any more."""
    await create_all(storage)
    tokens, keys = Tokens(storage, "n1"), ApiKeys(storage)
    await tokens.issue_many("acme", [NewToken()] * 1200, width=6, ttl=300.0, now=NOW)
    secret, _ = await keys.create("crm", Role.TENANT, by="admin", now=NOW, tenant="acme")
    await access_numbers(storage).delete("8000-8099@carrier-a", by="admin", now=NOW)
    await tenants(storage).delete("acme", by="admin", now=NOW)
    assert await tokens.page("acme") == []
    assert await keys.verify(secret, NOW) is None


async def test_every_change_is_in_the_audit_log_without_secrets(storage: Storage) -> None:
    """Who, what, before and after."""
    repository = tenants(storage)
    await agents(storage).create(AGENT, by="setup", now=NOW)
    await repository.create(TENANT, by="alice", now=NOW)
    await repository.replace(replace(TENANT, name="New"), by="bob", now=NOW + 1)
    await repository.delete("acme", by="carol", now=NOW + 2)
    log = await Audit(storage).page(kind="tenant")
    assert [(entry.actor, entry.action, entry.key, entry.at - NOW) for entry in log] == [
        ("carol", "delete", "acme", 2),
        ("bob", "replace", "acme", 1),
        ("alice", "create", "acme", 0),
    ]
    deleted, replaced, created = log
    assert (created.before, deleted.after) == (None, None)
    assert replaced.before is not None
    assert replaced.after is not None
    assert (replaced.before["name"], replaced.after["name"]) == ("Acme & 测试", "New")
    assert replaced.after["connection"]["secret"] == "***"
    assert replaced.after["trunks"] == ["carrier-a", "carrier-b"]
    assert "s3cret" not in repr(log)


async def test_the_audit_log_pages_and_takes_notes(storage: Storage) -> None:
    """What changes no table is written down too."""
    audit = Audit(storage)
    for n in range(5):
        await audit.note(at=NOW, actor="alice", action="hangup", kind="call", key=f"call-{n}", after={"token": "x"})
    first = await audit.page(limit=3)
    rest = await audit.page(limit=3, before=first[-1].id)
    assert [entry.key for entry in first + rest] == [f"call-{n}" for n in (4, 3, 2, 1, 0)]
    assert [entry.key for entry in await audit.page(key="call-2")] == ["call-2"]
    assert first[0].after == {"token": "***"}


async def test_the_feed_notices_changes_and_outlives_the_database(url: str, storage: Storage) -> None:
    """Routes change without restart; a database that is gone leaves the last directory in place."""
    await create_all(storage)
    reader = await Storage.open(url)
    feed = DirectoryFeed(reader, interval=0.01)
    assert await feed.refresh()
    assert not await feed.refresh()
    assert feed.current.tenant_of("71") == TENANT
    task = asyncio.create_task(feed.run())
    await agents(storage).create(replace(AGENT, extension="802"), by="admin", now=NOW)
    await eventually(lambda: feed.current.agent("802"), "the new agent is seen")
    await reader.close()
    with pytest.raises(StorageUnavailable):
        await feed.refresh()
    assert not task.done()
    assert feed.current.agent("802") is not None
    task.cancel()
