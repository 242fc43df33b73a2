"""API keys: random bearer tokens, of which only a hash is kept, each with one role."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from b2bua.storage import audit
from b2bua.storage.errors import NotFound
from b2bua.storage.storage import Storage
from b2bua.storage.tables import agents, api_keys, tenants

PREFIX = "tdm_"

USE_STEP = 60.0
"Seconds for which `last_used` may be behind: a write with every request would be too much."


class Role(StrEnum):
    """What a key may do."""

    ADMIN = "admin"
    OPERATOR = "operator"
    TENANT = "tenant"
    AGENT = "agent"
    LISTENER = "listener"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed; the secret itself exists only in the answer to `create`."""

    id: str
    name: str
    role: Role
    tenant: str | None
    "The only tenant it reaches; None: all."
    created_at: float
    expires_at: float | None = None
    last_used: float | None = None
    "Exact to the minute."
    revoked_at: float | None = None
    extension: str | None = None
    "The agent whose own state it may change (role `agent`)."

    def is_valid(self, now: float) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class ApiKeys:
    """All keys. All methods may raise StorageUnavailable."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def create(
        self,
        name: str,
        role: Role,
        *,
        by: str,
        now: float,
        tenant: str | None = None,
        expires_at: float | None = None,
        extension: str | None = None,
    ) -> tuple[str, ApiKey]:
        """A new key and its secret `tdm_...`.

        Raises ValueError when the role `tenant` has no tenant, or not exactly the role `agent` has an extension;
        NotFound when that tenant or agent does not exist.
        """
        if role is Role.TENANT and tenant is None:
            raise ValueError("a key with the role tenant needs a tenant")
        if (role is Role.AGENT) != (extension is not None):
            raise ValueError("a key with the role agent needs an extension, any other has none")
        secret = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(secrets.token_hex(6), name, role, tenant, now, expires_at, extension=extension)
        await self.storage.write(lambda conn: _create(conn, key, hashed(secret), by, now))
        return secret, key

    async def verify(self, secret: str, now: float) -> ApiKey | None:
        """The key whose secret this is, unless revoked or expired."""
        if not secret.startswith(PREFIX):
            return None
        sought = hashed(secret)
        key = await self.storage.read(lambda conn: _find(conn, api_keys.c.hash == sought))
        if key is None or not key.is_valid(now):
            return None
        if key.last_used is None or now - key.last_used >= USE_STEP:
            used = sa.update(api_keys).where(api_keys.c.id == key.id).values(last_used=now)
            await self.storage.write(lambda conn: conn.execute(used) and None)
        return key

    async def list(self) -> list[ApiKey]:
        """All keys, oldest first, revoked ones too."""
        query = sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        return await self.storage.read(lambda conn: [_key(dict(row)) for row in conn.execute(query).mappings()])

    async def revoke(self, key_id: str, *, by: str, now: float) -> ApiKey:
        """End it at once; a second time changes nothing. Raises NotFound."""
        return await self.storage.write(lambda conn: _revoke(conn, key_id, by, now))


def hashed(secret: str) -> str:
    """What is kept of a secret. Plain SHA-256 will do: 256 random bits cannot be tried out."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _create(conn: sa.Connection, key: ApiKey, hash_: str, by: str, now: float) -> None:
    tenant = sa.select(tenants.c.id).where(tenants.c.id == key.tenant)
    if key.tenant is not None and conn.execute(tenant).first() is None:
        raise NotFound(f"there is no tenant {key.tenant}")
    agent = sa.select(agents.c.extension).where(agents.c.extension == key.extension)
    if key.extension is not None and conn.execute(agent).first() is None:
        raise NotFound(f"there is no agent {key.extension}")
    conn.execute(sa.insert(api_keys), {**_shown(key), "hash": hash_})
    audit.record(conn, at=now, actor=by, action="create", kind="api_key", key=key.id, after=_shown(key))


def _revoke(conn: sa.Connection, key_id: str, by: str, now: float) -> ApiKey:
    found = _find(conn, api_keys.c.id == key_id)
    if found is None:
        raise NotFound(f"there is no API key {key_id}")
    if found.revoked_at is not None:
        return found
    revoked = replace(found, revoked_at=now)
    conn.execute(sa.update(api_keys).where(api_keys.c.id == key_id).values(revoked_at=now))
    audit.record(
        conn,
        at=now,
        actor=by,
        action="revoke",
        kind="api_key",
        key=key_id,
        before=_shown(found),
        after=_shown(revoked),
    )
    return revoked


def _find(conn: sa.Connection, where: sa.ColumnElement[bool]) -> ApiKey | None:
    row = conn.execute(sa.select(api_keys).where(where)).mappings().first()
    return None if row is None else _key(dict(row))


def _key(row: Mapping[str, Any]) -> ApiKey:
    return ApiKey(**{name: value for name, value in row.items() if name != "hash"} | {"role": Role(row["role"])})


def _shown(key: ApiKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in ApiKey.__slots__} | {"role": key.role.value}
