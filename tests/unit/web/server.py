"""A real API for tests: uvicorn on a loopback port over a real SQLite file; only the live calls are a fake of ours."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import httpx

from b2bua.calls.attending import Attending
from b2bua.calls.floor import FloorService
from b2bua.calls.view import CallView, CannotStart, Party
from b2bua.events import EventLog
from b2bua.metrics import Metrics
from b2bua.reports.keeper import Keeper
from b2bua.settings import Api as ApiSettings
from b2bua.settings import Listener, Node, Phones, Recording, Settings, Trunk
from b2bua.sip.trunk_desk import TrunkDesk
from b2bua.storage import Storage
from b2bua.storage.api_keys import ApiKeys, Role
from b2bua.storage.directory import DirectoryFeed
from b2bua.storage.history import EventHistory
from b2bua.storage.reports import Reports
from b2bua.storage.spool import Spool
from b2bua.web import Node as ApiNode
from b2bua.web import WebServer
from b2bua.web.limits import Limits
from b2bua.web.ports import Check
from routing.goal import Goal
from routing.plan import Plan
from tests.peers.ports import PORTS
from tests.unit.web.running import running

CALL = CallView(
    id="0190-a",
    tenant="acme",
    direction="inbound",
    trunk="carrier",
    called="4008100001",
    caller="13800138000",
    billing_number="02155550000",
    extension="8001",
    state="talking",
    since=1_735_689_600.0,
    data={"order": 7},
)


class FakeCalls:
    """The registry of live calls as the API sees it."""

    def __init__(self) -> None:
        self.calls = {
            call.id: call
            for call in (CALL, replace(CALL, id="0190-b", tenant="beta"), replace(CALL, id="0190-c", tenant=None))
        }
        self.ended: list[tuple[str, str]] = []
        self.recorded: list[tuple[str, bool, str]] = []
        self.rerouted: list[tuple[str, Goal, Mapping[str, Any], str]] = []
        self.started: list[tuple[Party, Party, str | None]] = []
        self.looked_at: list[str | None] = []
        "Whose calls were listed, None: everybody's."
        self.refusal: CannotStart | None = None

    def list(self, extension: str | None = None) -> list[CallView]:
        self.looked_at.append(extension)
        return [call for call in self.calls.values() if extension is None or call.extension == extension]

    def get(self, id: str) -> CallView | None:
        return self.calls.get(id)

    def hang_up(self, id: str, by: str) -> bool:
        self.ended.append((id, by))
        return self.calls.pop(id, None) is not None

    def reroute(self, id: str, goal: Goal, data: Mapping[str, Any], by: str) -> bool:
        self.rerouted.append((id, goal, data, by))
        return id in self.calls

    def record(self, id: str, on: bool, by: str) -> bool:
        self.recorded.append((id, on, by))
        return id in self.calls

    def start(self, a: Party, b: Party, tenant: str | None, by: str) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.started.append((a, b, tenant))
        return "0190-new"


class StillFloor(FloorService):
    """A real floor without calls, whose plan and clock a test changes."""

    def __init__(self, events: EventLog) -> None:
        self.plan, self.now = Plan(), asyncio.get_running_loop().time()
        super().__init__(lambda: self.plan, lambda: (), lambda call: None, events, Metrics(), lambda: self.now)


class NoLines:
    """Where nobody keeps a line."""

    def open(self, extension: str, patient: bool = False) -> None:
        pass


def attending(feed: DirectoryFeed, events: EventLog) -> Attending:
    """Agents on a real floor without calls."""
    floor = FloorService(lambda: feed.plan, lambda: (), lambda call: None, events, Metrics())
    return Attending(lambda: feed.current, lambda: feed.plan, floor, NoLines())


def settings(folder: Path, **api: Any) -> Settings:
    """Two trunks with the same widths and different prefixes, one with another width; a listener on each side."""
    trunk = {"listener": "outside", "addresses": ["192.0.2.0/28"], "access_id_width": 4, "sequence_width": 6}
    return Settings(
        node=Node(name="one", data_dir=folder),
        phones=Phones(realm="phones.test"),
        listeners={
            "outside": Listener(side="outside", address="127.0.0.1", port=5060),
            "inside": Listener(side="inside", address="127.0.0.1", port=5070),
        },
        trunks={
            "carrier": Trunk.model_validate(trunk),
            "other": Trunk.model_validate(trunk | {"prefix": "99", "addresses": ["192.0.2.16/28"]}),
            "wide": Trunk.model_validate(trunk | {"sequence_width": 10, "addresses": ["192.0.2.32/28"]}),
            **_outbound(trunk, api.pop("outbound", None)),
        },
        sources=api.pop("sources", {}),
        recording=Recording.model_validate(api.pop("recording", {})),
        api=ApiSettings.model_validate({"port": PORTS.take(), "rate": 100_000} | api),
        file=folder / "tandem.toml",
    )


def _outbound(trunk: dict[str, Any], name: str | None) -> dict[str, Trunk]:
    """A trunk that campaigns can dial over, where a test asks for one."""
    more = {"addresses": ["192.0.2.48/28"], "target": "192.0.2.49"}
    return {} if name is None else {name: Trunk.model_validate(trunk | more)}


@dataclass
class Api:
    """A running API and what a test wants from it."""

    node: ApiNode
    spool: Spool
    server: WebServer
    calls: FakeCalls
    url: str
    keys: dict[str, str] = field(default_factory=dict)
    "Secrets by name: admin, operator, acme, beta (tenants), listener, acme-listener, metrics."

    def client(self, key: str | None = "admin", **options: Any) -> httpx.AsyncClient:
        """A client that shows this key."""
        headers = {} if key is None else {"Authorization": f"Bearer {self.keys[key]}"}
        # a busy machine takes seconds for the first OpenAPI document
        options.setdefault("timeout", 30.0)
        return httpx.AsyncClient(base_url=self.url, headers=headers, trust_env=False, **options)

    async def ask(self, method: str, path: str, *, key: str | None = "admin", **request: Any) -> httpx.Response:
        """One request of its own connection."""
        async with self.client(key) as client:
            return await client.request(method, path, **request)


TENANTS: list[dict[str, Any]] = [
    {
        "id": "acme",
        "name": "Acme",
        "access_id": "7001",
        "trunks": ["carrier", "other"],
        "billing_numbers": ["02155550000"],
    },
    {"id": "beta", "name": "Beta", "access_id": "7002", "trunks": ["carrier"], "billing_numbers": ["02155550000"]},
]
AGENT = {"extension": "8001", "name": "First desk", "contact": "sip:8001@192.0.2.10:5060", "listener": "inside"}


@asynccontextmanager
async def api(
    folder: Path,
    *,
    checks: Mapping[str, Check] | None = None,
    storage_timeout: float = 5.0,
    limits: Limits | None = None,
    **options: Any,
) -> AsyncIterator[Api]:
    """An API with an agent, two tenants and one key of each sort."""
    config = settings(folder, **options)
    storage = await Storage.open(config.database_url, timeout=storage_timeout)
    spool = Spool.open(folder / "spool", storage)
    try:
        feed = DirectoryFeed(storage)
        await feed.refresh()
        calls = FakeCalls()
        events = EventLog("one", spool, EventHistory(storage, "one"), last=0)
        node = ApiNode(
            settings=config,
            storage=storage,
            events=events,
            calls=calls,
            floor=StillFloor(events),
            attending=attending(feed, events),
            metrics=Metrics(),
            statistics=Keeper(events, Reports(storage, "one"), lambda: feed.plan, UTC),
            directory=lambda: feed.current,
            plan=lambda: feed.plan,
            reload_directory=feed.refresh,
            trunks=TrunkDesk(config, lambda type_, data: None, lambda trunk, why: None),
            checks=checks or {},
        )
        server = WebServer(node, limits)
        async with running(server):
            scheme = "https" if config.api.tls_certificate else "http"
            made = Api(node, spool, server, calls, f"{scheme}://127.0.0.1:{config.api.port}")
            await _fill(made, ApiKeys(storage))
            yield made
    finally:
        await spool.close()
        await storage.close()


async def _fill(made: Api, keys: ApiKeys) -> None:
    made.keys["admin"], _ = await keys.create("admin", Role.ADMIN, by="test", now=1.0)
    if made.url.startswith("https"):
        return
    async with made.client() as client:
        for path, body in [("/v1/agents", AGENT), *(("/v1/tenants", tenant) for tenant in TENANTS)]:
            answer = await client.post(path, json=body)
            assert answer.status_code == 201, answer.text
    for name, role, tenant in (
        ("operator", Role.OPERATOR, None),
        ("acme", Role.TENANT, "acme"),
        ("beta", Role.TENANT, "beta"),
        ("listener", Role.LISTENER, None),
        ("acme-listener", Role.LISTENER, "acme"),
        ("metrics", Role.METRICS, None),
    ):
        made.keys[name], _ = await keys.create(name, role, by="test", now=1.0, tenant=tenant)
