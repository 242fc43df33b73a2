"""A tenant's response server and look-up services in a process of their own, told what to answer and how badly."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.waiting import eventually, eventually_now

ROOT = Path(__file__).resolve().parents[2]

ROLES = ("response", "marketing", "member", "order", "business-staff", "inbound-staff")
LOOK_UPS = ROLES[1:]


class TenantSystem:
    """The process, and the rows by which a tenant's calls are analysed with it."""

    def __init__(self, folder: Path) -> None:
        self._http, self._rpc = PORTS.take(), PORTS.take()
        command = [sys.executable, "-m", "tests.peers.tenant_child", str(self._http), str(self._rpc)]
        self.child = Child(command, folder=folder, log="tenant-system.log", env={"PYTHONPATH": str(ROOT)})
        self._control = httpx.Client(base_url=f"http://127.0.0.1:{self._http}", timeout=5)
        eventually_now(lambda: self.child.bound(self._http, "tcp"), "the tenant's system listens")

    def url(self, role: str, kind: str = "json") -> str:
        """Where a service is asked by POST."""
        return f"http://127.0.0.1:{self._http}/{role}" if kind == "json" else f"http://127.0.0.1:{self._rpc}/#{role}"

    def service(self, role: str, kind: str = "json", tenant: str = "acme", **more: object) -> dict[str, Any]:
        """A row of `services`."""
        return {
            "id": f"{tenant}-{role}", "tenant": tenant, "role": role, "kind": kind, "url": self.url(role, kind), **more
        }  # fmt: skip

    def answers(self, habits: Mapping[str, str] | None = None, **answers: Any) -> None:
        """From now on the services answer this (`business_staff=...`), with these habits; what was asked is forgotten.

        Habits: slow, error, garbage, shape (JSON of another shape), huge, drip, later (202).
        """
        by_role = {role.replace("_", "-"): answer for role, answer in answers.items()}
        self._control.post("/control", json={"answers": by_role, "habits": dict(habits or {})}).raise_for_status()

    def asked(self, role: str | None = None) -> list[dict[str, Any]]:
        """What was asked so far: role, question, transport, at (epoch seconds)."""
        found: list[dict[str, Any]] = self._control.get("/control").json()["asked"]
        return [one for one in found if role is None or one["role"] == role]

    async def was_asked(self, role: str) -> dict[str, Any]:
        """The first question to a service, waited for."""
        return (await eventually(lambda: self.asked(role), f"the {role} service was asked"))[0]

    def close(self) -> None:
        """End the process."""
        self._control.post("/control", json={})  # releases what is slow
        self._control.close()
        self.child.close()
