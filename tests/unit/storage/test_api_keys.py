"""API keys: the secret is shown once, only its hash is kept, and it ends when it should."""

import pytest
import sqlalchemy as sa

from b2bua.storage import NotFound, Storage
from b2bua.storage.api_keys import ApiKeys, Role
from b2bua.storage.audit import Audit
from b2bua.storage.catalogue import agents, tenants
from routing.directory import Agent, Tenant

NOW = 1_800_000_000.0


@pytest.fixture
def keys(storage: Storage) -> ApiKeys:
    return ApiKeys(storage)


async def test_a_key_is_known_by_its_secret_alone(keys: ApiKeys) -> None:
    """Bearer tokens with roles."""
    secret, key = await keys.create("ops", Role.OPERATOR, by="admin", now=NOW)
    other, _ = await keys.create("ops", Role.ADMIN, by="admin", now=NOW + 1)
    assert secret.startswith("tdm_")
    assert len(secret) >= 40
    assert secret != other
    found = await keys.verify(secret, NOW)
    assert found is not None
    assert (found.id, found.role, found.tenant) == (key.id, Role.OPERATOR, None)
    for wrong in (secret[:-1], secret + "x", secret.upper(), "tdm_", "", key.id, "tdm_\ud800"):
        assert await keys.verify(wrong, NOW) is None


async def test_the_secret_is_nowhere_in_the_database(keys: ApiKeys, storage: Storage) -> None:
    """Hashed at rest, and not in the audit log either."""
    secret, _ = await keys.create("ops", Role.ADMIN, by="admin", now=NOW)

    def everything(conn: sa.Connection) -> str:
        names = sa.inspect(conn).get_table_names()
        return repr([conn.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names])

    assert secret not in await storage.read(everything)


async def test_a_key_ends_when_it_expires_or_is_revoked(keys: ApiKeys) -> None:
    """At once, and for good."""
    secret, _ = await keys.create("temp", Role.METRICS, by="admin", now=NOW, expires_at=NOW + 10)
    assert await keys.verify(secret, NOW + 9)
    assert await keys.verify(secret, NOW + 10) is None
    secret, key = await keys.create("ops", Role.ADMIN, by="admin", now=NOW)
    revoked = await keys.revoke(key.id, by="admin", now=NOW + 1)
    assert revoked.revoked_at == NOW + 1
    assert await keys.verify(secret, NOW + 2) is None
    assert (await keys.revoke(key.id, by="admin", now=NOW + 5)).revoked_at == NOW + 1
    with pytest.raises(NotFound):
        await keys.revoke("nonsense", by="admin", now=NOW)


async def test_the_last_use_is_kept_to_the_minute(keys: ApiKeys) -> None:
    """Without a write for each request."""
    secret, _ = await keys.create("ops", Role.ADMIN, by="admin", now=NOW)
    for second in (1, 30, 59):
        await keys.verify(secret, NOW + second)
    assert [key.last_used for key in await keys.list()] == [NOW + 1]
    await keys.verify(secret, NOW + 61)
    assert [key.last_used for key in await keys.list()] == [NOW + 61]


async def test_a_tenants_key_belongs_to_a_tenant_that_exists(keys: ApiKeys, storage: Storage) -> None:
    """A key of this role reaches one tenant, so it needs one."""
    with pytest.raises(ValueError, match="needs a tenant"):
        await keys.create("crm", Role.TENANT, by="admin", now=NOW)
    with pytest.raises(NotFound, match="acme"):
        await keys.create("crm", Role.TENANT, by="admin", now=NOW, tenant="acme")
    tenant = Tenant("acme", "Acme", "71", frozenset({"carrier"}), frozenset({"4008100001"}))
    await tenants(storage).create(tenant, by="admin", now=NOW)
    _, key = await keys.create("crm", Role.TENANT, by="admin", now=NOW, tenant="acme")
    assert key.tenant == "acme"
    assert await keys.list() == [key]


async def test_making_and_ending_a_key_is_audited(keys: ApiKeys, storage: Storage) -> None:
    """Who did it."""
    _, key = await keys.create("ops", Role.ADMIN, by="alice", now=NOW)
    await keys.revoke(key.id, by="bob", now=NOW)
    log = await Audit(storage).page(kind="api_key")
    assert [(entry.actor, entry.action, entry.key) for entry in log] == [
        ("bob", "revoke", key.id),
        ("alice", "create", key.id),
    ]


async def test_an_agents_key_names_him_and_no_other_key_does(keys: ApiKeys, storage: Storage) -> None:
    """Role agent: bound to one extension that exists."""
    await agents(storage).create(Agent("8001", "agent 8001", "sip:8001@192.0.2.10", "inside"), by="admin", now=NOW)
    secret, key = await keys.create("desk 1", Role.AGENT, by="admin", now=NOW, extension="8001")
    found = await keys.verify(secret, NOW)
    assert found is not None
    assert (found.id, found.role, found.extension) == (key.id, Role.AGENT, "8001")
    for role, extension in ((Role.AGENT, None), (Role.OPERATOR, "8001")):
        with pytest.raises(ValueError, match="agent"):
            await keys.create("wrong", role, by="admin", now=NOW, extension=extension)
    with pytest.raises(NotFound):
        await keys.create("nobody", Role.AGENT, by="admin", now=NOW, extension="8002")
