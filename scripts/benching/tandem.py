"""A Tandem of its own on loopback, in a folder of its own: configured, started, filled through its HTTP API."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.waiting import eventually_now
from tests.peers.wire import Address

HOST = "127.0.0.1"
CALLER = "02088880000"
"The tenant's own number, which its calls come from."
CALLED = "4008100001"
START_WITHIN = 60.0
"Seconds until it must be ready."
BULK = 500
"Tokens of one bulk request."

RTP_PORTS = (16384, 32766)
"The server's default; everything else here listens below."

# Calls of a load have no sound where signalling is measured: each leg of them would be alarmed as one-way.
CONFIGURATION = """\
[node]
name = "{name}"
data_dir = "{folder}/data"
max_calls = {max_calls}
shutdown_grace = 1

[listeners.outside]
side = "outside"
address = "{host}"
port = {outside}

[listeners.inside]
side = "inside"
address = "{host}"
port = {inside}

[trunks.carrier]
listener = "outside"
addresses = ["127.0.0.0/8"]
access_id_width = 4
sequence_width = 8

[media]
rtp_port_min = {rtp_min}
rtp_port_max = {rtp_max}

[quality]
silence_alarm = 0

[api]
port = {api}

[events]
port = {events}
"""


UNLIMITED = """
[overload]
adaptive = false
"""
"What passes without a limit is what is measured; the server's own limit is four fifths of it."


class Tandem:
    """One server process. Start it, fill it, use it, close it."""

    name = "Tandem"

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "bench",
        prefix: Sequence[str] = (),
        max_calls: int = 3800,
        rtp_ports: tuple[int, int] = RTP_PORTS,
        more: str = UNLIMITED,
    ) -> None:
        """`prefix` is put before the command, such as taskset and its arguments; `more`: further settings, as TOML."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.prefix = folder.resolve(), list(prefix)
        self.outside: Address = (HOST, PORTS.take())
        self.inside: Address = (HOST, PORTS.take())
        self.api_port, self.events_port = PORTS.take(), PORTS.take()
        self.file = self.folder / "tandem.toml"
        self.file.write_text(
            CONFIGURATION.format(
                name=name,
                folder=self.folder,
                host=HOST,
                max_calls=max_calls,
                outside=self.outside[1],
                inside=self.inside[1],
                api=self.api_port,
                events=self.events_port,
                rtp_min=rtp_ports[0],
                rtp_max=rtp_ports[1],
            )
            + more,
            encoding="utf-8",
        )
        self.child: Child | None = None
        self._api: httpx.Client | None = None
        self.tenant = self.secret = ""

    # --- life ---

    def start(self) -> Self:
        """Make an API key, start the process and wait until it takes calls. AssertionError with its log otherwise."""
        key = self.command("api-key", "create", "bench", "--json")
        self.secret = json.loads(key)["secret"]
        self._api = httpx.Client(
            base_url=f"http://{HOST}:{self.api_port}", headers={"Authorization": f"Bearer {self.secret}"}, timeout=30
        )
        command = [*self.prefix, *self._tandem("serve")]
        self.child = Child(command, folder=self.folder, log="tandem.log", env=self._environment())
        eventually_now(self._ready_or_ended, "Tandem is ready", START_WITHIN)
        if not self.child.alive:
            raise AssertionError(f"Tandem ended at once:\n{self.log_tail()}")
        return self

    def command(self, *arguments: str) -> str:
        """Run a `tandem` command with our configuration; its output. AssertionError when it fails."""
        done = subprocess.run(
            self._tandem(*arguments), capture_output=True, text=True, check=False, cwd=self.folder, timeout=60,
            env={**os.environ, **self._environment()},
        )  # fmt: skip
        assert done.returncode == 0, f"tandem {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def close(self) -> None:
        """SIGTERM, and wait for its end."""
        if self._api is not None:
            self._api.close()
        if self.child is not None:
            self.child.close(15)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        assert self.child is not None
        return self.child.pid

    @property
    def address(self) -> Address:
        """Where trunks call."""
        return self.outside

    @property
    def database(self) -> Path:
        return self.folder / "data" / "tandem.db"

    def log_tail(self, lines: int = 40) -> str:
        """The newest lines of its log."""
        return "\n".join(self.child.log().splitlines()[-lines:]) if self.child else "(not started)"

    def _tandem(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "b2bua", *arguments, "--config", str(self.file)]

    def _environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(Path(__file__).parents[2]), "NO_COLOR": "1"}

    def _ready_or_ended(self) -> bool:
        assert self.child is not None
        if not self.child.alive:
            return True
        try:
            return self.api.get("/readyz", timeout=1).status_code == 200
        except httpx.TransportError:
            return False

    # --- the API ---

    @property
    def api(self) -> httpx.Client:
        assert self._api is not None, "not started"
        return self._api

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create something; what the server answered. AssertionError when it refused."""
        return self._checked(self.api.post(path, json=body))

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Write something; what the server answered. AssertionError when it refused."""
        return self._checked(self.api.put(path, json=body))

    def put_file(self, path: str, file: Path, kind: str) -> dict[str, Any]:
        """Upload a file of this media type. AssertionError when it was refused."""
        return self._checked(self.api.put(path, content=file.read_bytes(), headers={"Content-Type": kind}))

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Read something."""
        return self._checked(self.api.get(path, params=query))

    def _checked(self, response: httpx.Response) -> dict[str, Any]:
        assert response.is_success, f"{response.request.method} {response.url}: {response.status_code} {response.text}"
        found: dict[str, Any] = response.json()
        return found

    def metrics(self) -> dict[str, float]:
        """Everything at /metrics, by name with labels as it stands there."""
        text = self.api.get("/metrics").text
        pairs = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    # --- the business ---

    def serve_one_tenant(self, agent: str, *, extension: str = "8001", called: str = CALLED) -> None:
        """A tenant with the access ID 7001, an access number, and one agent at this contact."""
        self.post(
            "/v1/agents", {"extension": extension, "name": "Agent", "contact": agent, "listener": "inside"}
        )  # fmt: skip
        self.add_tenant(default_extension=extension)
        self.post("/v1/access-numbers", {"first": called})

    def add_tenant(self, **more: Any) -> None:
        """The tenant, with the access ID 7001."""
        self.tenant = "acme"
        self.post(
            "/v1/tenants",
            {
                "id": self.tenant,
                "name": "Acme",
                "access_id": "7001",
                "trunks": ["carrier"],
                "billing_numbers": [CALLER],
                "token_ttl": 86400,
                **more,
            },
        )

    def numbers(self, count: int) -> list[str]:
        """Issue so many tokens; the original called numbers that spend them."""
        found: list[str] = []
        while len(found) < count:
            part = min(BULK, count - len(found))
            tokens = [{"data": {"order": f"A-{len(found) + at}"}} for at in range(part)]
            issued = self.post("/v1/tokens/bulk", {"tenant": self.tenant, "tokens": tokens})["tokens"]
            found += [one["original_called_number"] for one in issued]
        return found
