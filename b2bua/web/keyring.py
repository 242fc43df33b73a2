"""Bearer tokens to callers: verified against the database, remembered for moments, so that a request costs no query.

A key revoked through this node ends at once, through another node within FRESH seconds. While the database is away,
keys seen not long ago go on working, so that an operator can still look at calls and end them.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from b2bua.storage import StorageUnavailable
from b2bua.storage.api_keys import PREFIX, ApiKey, ApiKeys
from b2bua.web.buckets import Buckets
from b2bua.web.problems import Problem
from b2bua.web.rights import Caller

FRESH = 5.0
"Seconds a verified key is believed without asking again."
STALE = 900.0
"Seconds it is believed while the database does not answer."
PATIENCE = 0.5
"Seconds a request with a key seen before waits for the database."
MOST = 4096
"Keys remembered at once."
STRANGERS = (50.0, 200.0)
"Wrong keys a second, and at once, that one address may show before it gets 429 without a look at the database."
MAX_SECRET = 256

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="tandem"'}


@dataclass(slots=True)
class _Known:
    key: ApiKey
    at: float
    "When the database last said so."
    asked: float
    "When it was last asked, whether or not it answered."


class KeyRing:
    """The keys this node has seen lately, and how many requests each may make."""

    def __init__(
        self,
        keys: ApiKeys,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`rate`: requests a second for one key; the same number may come at once."""
        self._keys, self._clock, self._wall = keys, clock, wall
        self._known: dict[bytes, _Known] = {}
        self._asking: dict[bytes, asyncio.Future[ApiKey | None]] = {}
        self._forgotten = 0
        "How often keys were forgotten."
        self._budgets = Buckets(rate, rate)
        self._strangers = Buckets(*STRANGERS)

    async def caller(self, authorization: str | None, address: str) -> Caller:
        """Who shows this Authorization header. Problem 401, 429, or StorageUnavailable."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(401, "no-key", "this needs an API key: `Authorization: Bearer tdm_...`", headers=CHALLENGE)
        return await self.of_secret(secret.strip(), address)

    async def of_secret(self, secret: str, address: str) -> Caller:
        """Who holds this key; one request is taken from his budget. Problem 401, 429, or StorageUnavailable."""
        key = await self._verified(secret, address)
        if wait := self._budgets.take(key.id, self._clock()):
            raise _too_many("this key makes too many requests", wait)
        return Caller(key.id, key.name, key.role, key.tenant, key.extension)

    async def holder(self, secret: str) -> Caller | None:
        """Who holds this key, outside HTTP: no budget is touched. None: nobody. Raises StorageUnavailable."""
        try:
            key = await self._verified(secret, "")
        except Problem:
            return None
        return Caller(key.id, key.name, key.role, key.tenant, key.extension)

    async def still(self, secret: str) -> bool:
        """Whether a long connection may go on; the budget is not touched."""
        try:
            await self._verified(secret, "")
        except Problem:
            return False
        except StorageUnavailable:
            return True
        return True

    def forget(self, id: str) -> None:
        """Ask the database again when this key is next shown: it was revoked."""
        self._forgotten += 1
        self._known = {digest: known for digest, known in self._known.items() if known.key.id != id}

    def forget_tenant(self, tenant: str) -> None:
        """The same for all keys of a tenant: it was deleted, and they with it."""
        self._forgotten += 1
        self._known = {digest: known for digest, known in self._known.items() if known.key.tenant != tenant}

    def forget_agent(self, extension: str) -> None:
        """The same for all keys of an agent."""
        self._forgotten += 1
        self._known = {digest: known for digest, known in self._known.items() if known.key.extension != extension}

    async def _verified(self, secret: str, address: str) -> ApiKey:
        digest = sha256(secret.encode("utf-8", "replace")).digest()
        known = self._known.get(digest)
        if known is not None and self._clock() - known.asked < FRESH and not self._over(known.key):
            return known.key
        asking = self._asking.get(digest)
        if asking is None:
            # only now, as many requests that come with a good key at once are one look-up
            if known is None and address and (wait := self._strangers.take(address, self._clock())):
                raise _too_many("too many unknown keys from this address", wait)
            asking = self._asking[digest] = asyncio.ensure_future(self._ask(digest, secret))
            asking.add_done_callback(lambda done: self._asked(digest, address, done))
        key = await self._answer(asking, known)
        if key is None:
            raise Problem(401, "wrong-key", "this API key is unknown, expired or revoked", headers=CHALLENGE)
        return key

    async def _answer(self, asking: "asyncio.Future[ApiKey | None]", known: _Known | None) -> ApiKey | None:
        """What the database says, or what is remembered where that takes long: a locked one is away as well."""
        if known is None or self._is_stale(known):
            return await asyncio.shield(asking)
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(asking)
        except TimeoutError:
            return known.key

    async def _ask(self, digest: bytes, secret: str) -> ApiKey | None:
        """The key as the database has it, or as it had it while the database is away."""
        if not secret.startswith(PREFIX) or len(secret) > MAX_SECRET or not secret.isascii():
            return None
        forgotten = self._forgotten
        try:
            key = await self._keys.verify(secret, self._wall())
        except StorageUnavailable:
            known = self._known.get(digest)
            if known is None or self._is_stale(known):
                raise
            known.asked = self._clock()
            return known.key
        now = self._clock()
        self._known.pop(digest, None)
        if key is not None and forgotten == self._forgotten:  # else it may just have been revoked
            if len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[digest] = _Known(key, now, now)
        return key

    def _asked(self, digest: bytes, address: str, done: "asyncio.Future[ApiKey | None]") -> None:
        del self._asking[digest]
        if not done.cancelled() and done.exception() is None and done.result() is not None:
            self._strangers.give_back(address)

    def _is_stale(self, known: _Known) -> bool:
        return self._clock() - known.at > STALE or self._over(known.key)

    def _over(self, key: ApiKey) -> bool:
        return key.expires_at is not None and key.expires_at <= self._wall()


def _too_many(what: str, wait: float) -> Problem:
    return Problem(429, "too-many-requests", what, headers={"Retry-After": str(max(1, round(wait + 0.5)))})
