"""API keys: roles, scopes, revocation, what a wrong key gets; and the rights of every end point."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from b2bua.storage import Storage, StorageUnavailable
from b2bua.storage.api_keys import ApiKey, ApiKeys, Role
from b2bua.web.keyring import FRESH, STALE, STRANGERS, KeyRing
from b2bua.web.problems import Problem
from routing.plan import KINDS
from tests.unit.web.server import Api

OF_TENANTS = [word for word, kind in KINDS.items() if kind.of_tenants]
"Kinds of the plan that belong to tenants, who see their own."

OTHERS = {"operator", "acme", "listener", "metrics"}

ADMIN_ONLY = [
    ("POST", "/v1/tenants"),
    ("PUT", "/v1/tenants/acme"),
    ("PATCH", "/v1/tenants/acme"),
    ("DELETE", "/v1/tenants/acme"),
    ("POST", "/v1/access-numbers"),
    ("PUT", "/v1/access-numbers/1"),
    ("PATCH", "/v1/access-numbers/1"),
    ("DELETE", "/v1/access-numbers/1"),
    ("POST", "/v1/agents"),
    ("PUT", "/v1/agents/8001"),
    ("PATCH", "/v1/agents/8001"),
    ("DELETE", "/v1/agents/8001"),
    ("DELETE", "/v1/registrations/8001"),
    ("POST", "/v1/routes"),
    ("PUT", "/v1/routes/r"),
    ("PATCH", "/v1/routes/r"),
    ("DELETE", "/v1/routes/r"),
    ("POST", "/v1/trunks"),
    ("PUT", "/v1/trunks/carrier"),
    ("PATCH", "/v1/trunks/carrier"),
    ("DELETE", "/v1/trunks/carrier"),
    ("GET", "/v1/api-keys"),
    ("POST", "/v1/api-keys"),
    ("DELETE", "/v1/api-keys/1"),
    ("GET", "/v1/audit"),
    ("POST", "/v1/plan"),
    ("POST", "/v1/reload"),
    ("POST", "/v1/reports/rebuild"),
    ("POST", "/v1/campaigns"),
    ("PUT", "/v1/campaigns/1"),
    ("PATCH", "/v1/campaigns/1"),
    ("DELETE", "/v1/campaigns/1"),
    *((method, f"/v1/{word}/1") for word in KINDS for method in ("PUT", "PATCH", "DELETE")),
    *(("POST", f"/v1/{word}") for word in KINDS),
]
OPERATORS = [
    ("GET", "/v1/access-numbers"),
    ("GET", "/v1/access-numbers/1"),
    ("GET", "/v1/agents"),
    ("GET", "/v1/agents/8001"),
    ("GET", "/v1/registrations"),
    ("GET", "/v1/routes"),
    ("GET", "/v1/routes/r"),
    ("GET", "/v1/trunks"),
    ("GET", "/v1/trunks/carrier"),
    ("POST", "/v1/trunks/carrier/maintenance"),
    ("POST", "/v1/calls"),
    ("GET", "/v1/calls/1/trace"),
    ("GET", "/v1/calls/1/trace.pcap"),
    ("GET", "/v1/drain"),
    ("PUT", "/v1/drain"),
    ("DELETE", "/v1/drain"),
    ("GET", "/v1/outside"),
    ("GET", "/v1/bans"),
    ("POST", "/v1/bans"),
    ("DELETE", "/v1/bans/1"),
    ("GET", "/v1/agent-states"),
    ("GET", "/v1/agents/8001/state"),
    ("GET", "/v1/agents/8001/screen"),
    ("POST", "/v1/agents/8001/login"),
    ("POST", "/v1/agents/8001/pause"),
    ("POST", "/v1/agents/8001/resume"),
    ("POST", "/v1/agents/8001/wrap-up"),
    ("DELETE", "/v1/agents/8001/wrap-up"),
    ("POST", "/v1/agents/8001/logout"),
    ("POST", "/v1/campaigns/1/commands/1/disposition"),
    ("POST", "/v1/campaigns/1/commands/1/choice"),
    *(("GET", path) for word in KINDS if word not in OF_TENANTS for path in (f"/v1/{word}", f"/v1/{word}/1")),
]
TENANTS_TOO = [
    ("GET", "/v1/tenants"),
    ("GET", "/v1/tenants/acme"),
    ("GET", "/v1/tokens"),
    ("POST", "/v1/tokens"),
    ("POST", "/v1/tokens/bulk"),
    ("GET", "/v1/tokens/1"),
    ("DELETE", "/v1/tokens/1"),
    ("GET", "/v1/calls"),
    ("GET", "/v1/calls/1"),
    ("DELETE", "/v1/calls/1"),
    ("GET", "/v1/cdrs"),
    ("GET", "/v1/cdrs.csv"),
    ("GET", "/v1/cdrs/1"),
    ("PUT", "/v1/calls/1/recording"),
    ("POST", "/v1/calls/1/answer"),
    ("POST", "/v1/calls/1/transfer"),
    ("POST", "/v1/calls/1/park"),
    ("GET", "/v1/parked"),
    *((method, "/v1/calls/1/monitor") for method in ("GET", "POST", "PATCH", "DELETE")),
    *((method, "/v1/calls/1/consult") for method in ("POST", "PATCH", "DELETE")),
    ("POST", "/v1/calls/1/priority"),
    ("GET", "/v1/calls/1/explanation"),
    ("GET", "/v1/queues/1/waiting"),
    ("GET", "/v1/recordings"),
    ("GET", "/v1/recordings/1"),
    ("GET", "/v1/recordings/1/index"),
    ("DELETE", "/v1/recordings/1"),
    ("GET", "/v1/messages"),
    ("GET", "/v1/messages/1"),
    ("GET", "/v1/messages/1/sound"),
    ("DELETE", "/v1/messages/1"),
    ("GET", "/v1/reports"),
    ("GET", "/v1/reports/calls"),
    ("GET", "/v1/reports/1"),
    ("GET", "/v1/reports/1.csv"),
    ("GET", "/v1/plan"),
    ("GET", "/v1/campaigns"),
    ("GET", "/v1/campaigns/1"),
    *(("POST", f"/v1/campaigns/1/{order}") for order in ("start", "pause", "resume", "drain", "stop")),
    *(("GET", f"/v1/campaigns/1/{part}") for part in ("mistakes", "progress", "counters", "snapshots", "batches")),
    ("POST", "/v1/campaigns/1/snapshots"),
    ("GET", "/v1/campaigns/1/evidence"),
    ("GET", "/v1/campaigns/1/live"),
    ("GET", "/v1/campaigns/1/batches/1"),
    ("PUT", "/v1/campaigns/1/batches/1"),
    ("DELETE", "/v1/campaigns/1/batches/1"),
    ("POST", "/v1/campaigns/1/batches/1/fetch"),
    ("GET", "/v1/campaigns/1/batches/1/problems"),
    ("GET", "/v1/campaigns/1/batches/1/problems.csv"),
    ("GET", "/v1/campaigns/1/contacts"),
    ("POST", "/v1/campaigns/1/contacts"),
    ("GET", "/v1/campaigns/1/contacts.csv"),
    ("GET", "/v1/campaigns/1/contacts/1"),
    ("PATCH", "/v1/campaigns/1/contacts/1"),
    ("GET", "/v1/campaigns/1/commands"),
    ("GET", "/v1/campaigns/1/commands.csv"),
    ("GET", "/v1/campaigns/1/commands/1"),
    ("GET", "/v1/do-not-call"),
    ("GET", "/v1/do-not-call/1"),
    ("PUT", "/v1/do-not-call/1"),
    ("GET", "/v1/do-not-call/1/import"),
    ("POST", "/v1/do-not-call/1/numbers"),
    ("POST", "/v1/do-not-call/1/numbers/remove"),
    *(("GET", path) for word in OF_TENANTS for path in (f"/v1/{word}", f"/v1/{word}/1")),
]
LISTENERS_TOO = [("GET", "/v1/board")]
BODIES = {
    "/v1/tenants": {"id": "g", "name": "G", "access_id": "1", "trunks": ["x"], "billing_numbers": ["1"]},
    "/v1/tenants/acme": {"name": "G", "access_id": "1", "trunks": ["x"], "billing_numbers": ["1"]},
    "/v1/access-numbers": {"first": "1", "default_tenant": "x"},
    "/v1/access-numbers/1": {"first": "1"},
    "/v1/agents": {"extension": "1", "name": "a", "contact": "sip:a@b", "listener": "x"},
    "/v1/agents/8001": {"name": "a", "contact": "sip:a@b", "listener": "x"},
    "/v1/routes": {"name": "r", "extension": "9"},
    "/v1/routes/r": {"extension": "9"},
    "/v1/calls": {"a": {"agent": "1"}, "b": {"agent": "2"}},
    "/v1/tokens/bulk": {"tokens": [{}]},
    "/v1/api-keys": {"name": "k", "role": "tenant"},
}


async def test_each_end_point_is_for_its_roles_and_no_others(web: Api) -> None:
    """Whoever may not gets 403 whatever exists; whoever may gets anything but 401 and 403; nobody without a key."""
    for ends, allowed in (
        (ADMIN_ONLY, {"admin"}),
        (OPERATORS, {"admin", "operator"}),
        (TENANTS_TOO, {"operator", "acme"}),
        (LISTENERS_TOO, {"operator", "acme", "listener"}),
    ):
        for name in OTHERS | {"admin"}:
            if name == "admin" and ends is not ADMIN_ONLY:
                continue
            async with web.client(name) as client:
                for method, path in ends:
                    if name == "admin" and (method == "DELETE" or path == "/v1/reports/rebuild"):
                        continue
                    answer = await client.request(method, path, json=BODIES.get(path, {}) if method != "GET" else None)
                    may = answer.status_code not in (401, 403)
                    assert may == (name in allowed), (name, method, path, answer.status_code, answer.text)
                    assert answer.status_code < 500, (name, method, path, answer.text)
    async with web.client(None) as client:
        for method, path in ADMIN_ONLY + OPERATORS + TENANTS_TOO + LISTENERS_TOO:
            answer = await client.request(method, path)
            assert (answer.status_code, answer.json()["type"]) == (401, "urn:tandem:problem:no-key")
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_every_documented_end_point_is_in_one_of_the_lists(web: Api) -> None:
    listed = {(method.lower(), path) for method, path in ADMIN_ONLY + OPERATORS + TENANTS_TOO + LISTENERS_TOO}
    names = {"acme": "{id}", "1": "{}", "8001": "{extension}", "r": "{name}", "carrier": "{name}", "1.csv": "{}.csv"}

    def shape(path: str) -> str:
        return "/".join("{}" if part.startswith("{") or part in names else part for part in path.split("/"))

    document = (await web.ask("GET", "/v1/openapi.json", key=None)).json()
    documented = {
        (method, shape(path))
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith("/v1/") and path != "/v1/events"
    }
    assert documented == {(method, shape(path)) for method, path in listed}


async def test_a_wrong_key_gets_401_whatever_it_looks_like(web: Api) -> None:
    for value in ("Bearer tdm_wrong", "Bearer x", "Bearer", "Basic dTpw", "", "Bearer tdm_" + "a" * 5000):
        async with web.client(None) as client:
            answer = await client.get("/v1/tenants", headers={"Authorization": value})
        assert answer.status_code == 401, value
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_key_is_made_shown_once_used_and_revoked_at_once(web: Api) -> None:
    made = await web.ask("POST", "/v1/api-keys", json={"name": "acme's platform", "role": "tenant", "tenant": "acme"})
    assert made.status_code == 201
    web.keys["new"] = made.json()["secret"]
    assert (await web.ask("GET", "/v1/tokens", key="new")).status_code == 200
    listed = await web.ask("GET", "/v1/api-keys")
    assert web.keys["new"] not in listed.text
    assert web.keys["new"] not in (await web.ask("GET", "/v1/audit")).text
    assert (await web.ask("DELETE", made.headers["location"])).json()["revoked_at"] is not None
    assert (await web.ask("GET", "/v1/tokens", key="new")).status_code == 401


async def test_a_key_must_fit_its_role(web: Api) -> None:
    for body, fields in (
        ({"role": "tenant"}, ["tenant"]),
        ({"role": "admin", "tenant": "acme", "expires_at": 1.0}, ["tenant", "expires_at"]),
    ):
        answer = await web.ask("POST", "/v1/api-keys", json={"name": "k"} | body)
        assert [mistake["field"] for mistake in answer.json()["errors"]] == fields
    unknown = await web.ask("POST", "/v1/api-keys", json={"name": "k", "role": "tenant", "tenant": "nobody"})
    assert unknown.status_code == 404


async def test_the_last_administrators_key_stays(web: Api) -> None:
    (admin,) = [key for key in (await web.ask("GET", "/v1/api-keys")).json()["api_keys"] if key["role"] == "admin"]
    refused = await web.ask("DELETE", f"/v1/api-keys/{admin['id']}")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tandem:problem:last-admin")
    await web.ask("POST", "/v1/api-keys", json={"name": "second", "role": "admin"})
    assert (await web.ask("DELETE", f"/v1/api-keys/{admin['id']}")).status_code == 200


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class Keys(ApiKeys):
    """The real keys, behind a database that can be away or slow."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.away, self.asked = False, 0
        self.hold: asyncio.Event | None = None

    async def verify(self, secret: str, now: float) -> ApiKey | None:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            raise StorageUnavailable("away")
        return await super().verify(secret, now)


@pytest.fixture
async def keys(tmp_path: Path) -> AsyncIterator[Keys]:
    storage = await Storage.open(f"sqlite:///{tmp_path / 'keys.db'}")
    yield Keys(storage)
    await storage.close()


async def test_a_key_is_looked_up_once_in_a_while(keys: Keys) -> None:
    secret, key = await keys.create("k", Role.OPERATOR, by="test", now=1.0)
    clock = Clock()
    ring = KeyRing(keys, 1000.0, clock=clock, wall=clock)
    found = await asyncio.gather(*(ring.caller(f"Bearer {secret}", "192.0.2.1") for _ in range(300)))
    assert {caller.key for caller in found} == {key.id}
    assert keys.asked == 1
    clock.now += FRESH
    await ring.caller(f"bearer {secret}", "192.0.2.1")
    assert keys.asked == 2


async def test_a_key_revoked_elsewhere_ends_within_seconds(keys: Keys) -> None:
    secret, key = await keys.create("k", Role.OPERATOR, by="test", now=1.0)
    clock = Clock()
    ring = KeyRing(keys, 1000.0, clock=clock, wall=clock)
    await ring.of_secret(secret, "192.0.2.1")
    await keys.revoke(key.id, by="test", now=2.0)
    clock.now += FRESH
    with pytest.raises(Problem, match="revoked"):
        await ring.of_secret(secret, "192.0.2.1")
    assert not await ring.still(secret)


async def test_a_key_that_expires_ends_on_time_though_it_is_remembered(keys: Keys) -> None:
    secret, _ = await keys.create("k", Role.OPERATOR, by="test", now=1.0, expires_at=102.0)
    clock = Clock()
    ring = KeyRing(keys, 1000.0, clock=clock, wall=clock)
    await ring.of_secret(secret, "192.0.2.1")
    clock.now = 102.0
    with pytest.raises(Problem, match="expired"):
        await ring.of_secret(secret, "192.0.2.1")


async def test_known_keys_work_on_for_a_while_when_the_database_is_away(keys: Keys) -> None:
    """An operator can still end calls; a key never seen gets 503, and after a quarter of an hour so does his."""
    secret, _ = await keys.create("k", Role.OPERATOR, by="test", now=1.0)
    other, _ = await keys.create("o", Role.OPERATOR, by="test", now=1.0)
    clock = Clock()
    ring = KeyRing(keys, 1000.0, clock=clock, wall=clock)
    await ring.of_secret(secret, "192.0.2.1")
    keys.away = True
    clock.now += STALE
    assert (await ring.of_secret(secret, "192.0.2.1")).name == "k"
    with pytest.raises(StorageUnavailable):
        await ring.of_secret(other, "192.0.2.1")
    clock.now += FRESH
    with pytest.raises(StorageUnavailable):
        await ring.of_secret(secret, "192.0.2.1")


async def test_a_database_that_hangs_holds_up_no_key_seen_before(keys: Keys) -> None:
    secret, _ = await keys.create("k", Role.OPERATOR, by="test", now=1.0)
    clock = Clock()
    ring = KeyRing(keys, 1000.0, clock=clock, wall=clock)
    await ring.of_secret(secret, "192.0.2.1")
    clock.now += FRESH
    keys.hold = asyncio.Event()
    assert (await ring.of_secret(secret, "192.0.2.1")).name == "k"
    keys.hold.set()


async def test_somebody_who_tries_keys_is_stopped_before_the_database(keys: Keys) -> None:
    secret, _ = await keys.create("k", Role.OPERATOR, by="test", now=1.0)
    clock = Clock()
    ring = KeyRing(keys, 1000.0, clock=clock, wall=clock)
    codes = []
    for at in range(int(STRANGERS[1]) + 50):
        with pytest.raises(Problem) as refused:
            await ring.of_secret(f"tdm_{at}", "192.0.2.66")
        codes.append(refused.value.status)
    assert codes[:200] == [401] * 200
    assert codes[200:] == [429] * 50
    assert keys.asked == 200
    assert (await ring.of_secret(secret, "192.0.2.1")).name == "k"


async def test_a_key_has_so_many_requests_a_second(keys: Keys) -> None:
    secret, _ = await keys.create("k", Role.OPERATOR, by="test", now=1.0)
    clock = Clock()
    ring = KeyRing(keys, 2.0, clock=clock, wall=clock)
    for _ in range(2):
        await ring.of_secret(secret, "192.0.2.1")
    with pytest.raises(Problem) as refused:
        await ring.of_secret(secret, "192.0.2.1")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    clock.now += 0.5
    await ring.of_secret(secret, "192.0.2.1")


async def test_a_holder_seen_before_is_known_while_the_database_is_away(keys: Keys) -> None:
    """For the event socket: its listeners stay, and may come back; nobody's budget is touched."""
    secret, key = await keys.create("wallboard", Role.LISTENER, by="test", now=1.0)
    clock = Clock()
    ring = KeyRing(keys, 1.0, clock=clock, wall=clock)
    for _ in range(5):
        holder = await ring.holder(secret)
        assert holder is not None
        assert (holder.key, holder.role) == (key.id, Role.LISTENER)
    assert await ring.holder("tdm_wrong") is None
    keys.away = True
    clock.now += 2 * FRESH
    assert await ring.holder(secret) is not None
    with pytest.raises(StorageUnavailable):
        await ring.holder("tdm_" + "a" * 43)
