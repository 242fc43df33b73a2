"""The server's HTTP API as a test uses it: one short verb for each thing a test has to set up or to look at."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from routing.plan import KINDS
from tests.peers.waiting import eventually_true

Json = dict[str, Any]

ACCESS_NUMBER, BILLING_NUMBER, ACCESS_ID, TENANT, EXTENSION = "4008100001", "02088880000", "7001", "acme", "1001"
"What the helpers set up unless told otherwise, and what the SIPp scenarios dial."


TIES: dict[str, Json] = {
    "persons": {"team": None, "superior": None, "deputies": []},
    "teams": {"lead": None, "parent": None},
}
"What persons and teams name of each other, undone."


class Api:
    """Requests with a key. `request` and the verbs raise AssertionError with the server's words when it refuses."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.AsyncClient(base_url=url, headers=headers, timeout=10)
        "For requests that shall fail."
        self.since: float | None = None
        "Call records from before this time (epoch seconds) are not seen by `cdrs`: those of other tests."
        self._counted_before = ""

    async def request(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """The JSON of the answer (None without a body)."""
        params = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in query.items() if v is not None}
        answer = await self.http.request(method, path, json=body, params=params)
        assert answer.is_success, f"{method} {path} {body or ''}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str, **query: object) -> Any:
        return await self.request("GET", path, **query)

    async def post(self, path: str, body: object) -> Any:
        return await self.request("POST", path, body)

    async def patch(self, path: str, body: object) -> Any:
        return await self.request("PATCH", path, body)

    async def delete(self, path: str, **query: object) -> Any:
        return await self.request("DELETE", path, **query)

    # --- setting up ---

    async def add_tenant(
        self,
        id: str = TENANT,
        access_id: str = ACCESS_ID,
        *,
        trunks: Sequence[str] = ("carrier",),
        billing_numbers: Sequence[str] = (BILLING_NUMBER,),
        **more: object,
    ) -> Json:
        """A tenant; `more`: token_ttl, connection, default_extension, enabled."""
        body = {"id": id, "name": id, "access_id": access_id, "trunks": list(trunks)}
        return dict(await self.post("/v1/tenants", {**body, "billing_numbers": list(billing_numbers), **more}))

    async def add_access_number(self, first: str = ACCESS_NUMBER, last: str | None = None, **more: object) -> Json:
        """An access number; `more`: correlation, default_tenant, default_route, trunks, entry."""
        body = {"first": first, **({"last": last} if last else {}), **more}
        return dict(await self.post("/v1/access-numbers", body))

    async def add_agent(
        self, contact: str, extension: str = EXTENSION, *, listener: str = "inside", **more: object
    ) -> Json:
        """An agent at a SIP URI, such as `phone.uri`."""
        body = {"extension": extension, "name": f"agent {extension}", "contact": contact, "listener": listener, **more}
        return dict(await self.post("/v1/agents", body))

    async def add_route(self, name: str, extension: str) -> Json:
        """A named default route to an agent."""
        return dict(await self.post("/v1/routes", {"name": name, "extension": extension}))

    async def furnish(self, contact: str, **tenant: object) -> None:
        """The usual: one agent, one tenant, one access number that requires correlation."""
        await self.add_agent(contact)
        await self.add_tenant(**tenant)  # type: ignore[arg-type]
        await self.add_access_number()

    async def issue_token(self, tenant: str = TENANT, **more: object) -> Json:
        """A token; `more`: caller, extension, data, sequence, ttl, trunk. Dial with `diverted(token)`."""
        if not {"extension", "sequence"} & more.keys():
            more["extension"] = EXTENSION
        return dict(await self.post("/v1/tokens", {"tenant": tenant, **more}))

    async def token_state(self, token: Json) -> str:
        """free, claimed, consumed or revoked."""
        found = await self.get(f"/v1/tokens/{token['sequence']}", tenant=token["tenant"])
        return str(found["state"])

    # --- looking ---

    async def calls(self) -> list[Json]:
        """The live calls."""
        return list((await self.get("/v1/calls"))["calls"])

    async def cdrs(self, n: int = 1, *, within: float | None = None, **filters: object) -> list[Json]:
        """Wait until there are `n` (or more) ended calls of this filter, and return them whole, oldest first."""

        async def ended() -> list[Json]:
            rows = (await self.get("/v1/cdrs", limit=200, **{"since": self.since, **filters}))["cdrs"]
            done = [row for row in rows if row["ended_at"] is not None]
            return done if len(done) >= n else []

        rows = await eventually_true(ended, f"{n} call records {filters or ''}", within)
        return [dict(await self.get(f"/v1/cdrs/{row['id']}")) for row in reversed(rows)]

    async def cdr(self, *, within: float | None = None, **filters: object) -> Json:
        """The record of the only call of this filter, once it has ended."""
        rows = await self.cdrs(1, within=within, **filters)
        assert len(rows) == 1, f"{len(rows)} call records {filters or ''}, not one"
        return rows[0]

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels; 0 when there is none."""
        return metric(await self.metrics(), name, **labels)

    async def counted(self, name: str, **labels: str) -> float:
        """How much a counter has grown since `begin`: since this test began, where the server is shared."""
        text = await self.metrics()
        return metric(text, name, **labels) - metric(self._counted_before, name, **labels)

    async def metrics(self) -> str:
        """The page Prometheus reads."""
        answer = await self.http.get("/metrics")
        assert answer.is_success, answer.text
        return answer.text

    # --- a server that tests share ---

    async def begin(self) -> None:
        """A test begins: what was counted and recorded before is not its own."""
        self.since = time.time()
        self._counted_before = await self.metrics()

    async def sweep(self) -> None:
        """Hang up every call and delete all tenants, numbers, routes, agents and the plan."""
        for call in await self.calls():
            await self.http.delete(f"/v1/calls/{call['id']}")

        async def silent() -> bool:
            return not await self.calls()

        await eventually_true(silent, "all calls are over")
        for number in (await self.get("/v1/access-numbers"))["access_numbers"]:
            await self.delete(f"/v1/access-numbers/{number['key']}")
        for agent in (await self.get("/v1/agents"))["agents"]:
            await self.http.post(f"/v1/agents/{agent['extension']}/logout")
        await self._sweep_plan()
        for route in (await self.get("/v1/routes"))["routes"]:
            await self.delete(f"/v1/routes/{route['name']}")
        for tenant in (await self.get("/v1/tenants"))["tenants"]:
            await self.delete(f"/v1/tenants/{tenant['id']}")
        for agent in (await self.get("/v1/agents"))["agents"]:
            await self.delete(f"/v1/agents/{agent['extension']}")

    async def _sweep_plan(self) -> None:
        """Delete queues, menus and all else of the plan; what something else still names goes in a later round."""
        left: set[str] = set()
        for _ in range(5):
            before, left = left, set()
            plan = await self.get("/v1/plan")
            for kind, values in plan.items():
                for value in values:
                    path = f"/v1/{kind}/{value[KINDS[kind].key_field]}"
                    if kind in TIES:
                        await self.http.patch(path, json=TIES[kind])
                    if not (await self.http.delete(path)).is_success:
                        left.add(path)
            if not left:
                return
        raise AssertionError(f"these stay: {sorted(left or before)}")

    async def add_plan(self, **kinds: Sequence[Json]) -> None:
        """Create values of the plan together: `persons=[{...}], agent_profiles=[{...}]`."""
        await self.post("/v1/plan", {word.replace("_", "-"): list(values) for word, values in kinds.items()})

    async def close(self) -> None:
        await self.http.aclose()


def metric(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples in Prometheus' text format."""
    total = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                total += sample.value
    return total


def diverted(token: Json, *, reason: str = "unconditional") -> dict[str, str]:
    """The Diversion header with which a trunk tells the number first called."""
    return {"Diversion": f"<sip:{token['original_called_number']}@trunk.example>;reason={reason};counter=1"}
