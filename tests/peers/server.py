"""The server under test: its own configuration, folder, ports and process; started, watched, killed and restarted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, Self

import httpx

from tests.peers.api import Api
from tests.peers.configuration import Changes, merged, toml, usual
from tests.peers.listener import Listener
from tests.peers.native_build import environment
from tests.peers.ports import PORTS
from tests.peers.process import Child
from tests.peers.waiting import eventually, eventually_true
from tests.peers.wire import Address

ROOT = Path(__file__).parents[2]
START_WITHIN = 30.0


class Template:
    """A migrated database with one admin key, made once a test run with the server's own commands, then copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: tuple[Path, str] | None = None

    def copy_to(self, data: Path) -> str:
        """Put a copy into a data folder; returns the key's secret."""
        if self._made is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            config = self.folder / "template.toml"
            config.write_text(toml({"node": {"data_dir": str(self.folder / "data")}}))
            self._made = self.folder / "data" / "tandem.db", make_key(config)
        made, secret = self._made
        data.mkdir(parents=True, exist_ok=True)
        for file in made.parent.glob(f"{made.name}*"):
            shutil.copy(file, data / file.name)
        return secret


class Server:
    """One Tandem. Without changes: UDP listeners `outside` and `inside`, one trunk `carrier` from all of loopback."""

    def __init__(self, folder: Path, config: Changes | None = None, *, template: Template | None = None) -> None:
        """`config` is merged key by key over the usual one; a section that is None in it is left out."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.file, self.data = folder, folder / "tandem.toml", folder / "data"
        config_of_most = usual(self.data)
        self._rtp_kept = int(config_of_most["media"]["rtp_port_min"])
        self.config = merged(config_of_most, config or {})
        self.file.write_text(toml(self.config))
        self.env: dict[str, str] = {**environment(ROOT), "PYTHONFAULTHANDLER": "1", "PYTHONUNBUFFERED": "1"}
        self.faults_expected = False
        "Set by a test that makes the server log errors on purpose."
        self.lives = 0
        self.shared = False
        "Whether other tests use it too: then it must not be stopped by one of them."
        self._template = template
        self._log_start = 0
        self._child: Child | None = None
        self._api: Api | None = None
        self._others: list[Api | Listener] = []

    @classmethod
    async def started(cls, folder: Path, config: Changes | None = None, *, template: Template | None = None) -> Self:
        """A server that is ready."""
        server = cls(folder, config, template=template)
        try:
            await server.start()
        except BaseException:
            await server.close()
            raise
        return server

    # --- life ---

    async def start(self) -> None:
        """Start the process (with the same folder, database and ports as before) and wait until it is ready."""
        secret = self._api.token if self._api else self._first_key()
        self.lives += 1
        command = [sys.executable, "-m", "b2bua", "serve", "--config", str(self.file)]
        self._child = Child(command, folder=self.folder, log="server.log", env=self.env)
        if self._api is None:
            self._api = Api(f"http://{self.api_address[0]}:{self.api_address[1]}", secret)
        await eventually_true(self._is_ready, f"the server is ready\n{self.log()[-4000:]}", START_WITHIN)

    async def begin(self) -> None:
        """A test begins on a server that others used before: new clients, and only what comes now is its own."""
        self.shared, self.faults_expected = True, False
        self._api = Api(self.api.url, self.api.token)
        self._log_start = len(self.log(whole=True))
        await self.api.begin()

    async def finish(self) -> None:
        """The test on a shared server is over: leave it as if nothing had been."""
        await self.api.sweep()
        await self.close_clients()

    async def stop(self, within: float = 15.0) -> int:
        """SIGTERM, as an operator would; returns the exit code."""
        assert not self.shared, "other tests use this server: take one of your own from `start_server`"
        self.child.signal(signal.SIGTERM)
        return await self.child.ended(within)

    def kill9(self) -> None:
        """A crash: SIGKILL, and wait until it is gone."""
        assert not self.shared, "other tests use this server: take one of your own from `start_server`"
        self.child.kill()

    async def restart(self) -> None:
        """Stop it if it still runs, and start it again on the same database and ports."""
        if self.child.alive:
            await self.stop()
        await self.start()

    async def close(self) -> None:
        """End everything of this server."""
        await self.close_clients()
        if self._child:
            await self._child.aclose(15)
        PORTS.release(self._rtp_kept)

    def close_now(self) -> None:
        """End the process, blocking: where no event loop is left, and the clients are closed already."""
        self.child.close(15)
        PORTS.release(self._rtp_kept)

    async def close_clients(self) -> None:
        """Close the connections of the test's own clients."""
        for other in self._others:
            await other.close()
        self._others.clear()
        if self._api:
            await self._api.close()

    @property
    def child(self) -> Child:
        """The running (or last) process."""
        assert self._child, "the server was never started"
        return self._child

    @property
    def pid(self) -> int:
        return self.child.pid

    # --- addresses ---

    @property
    def outside(self) -> Address:
        """Where the trunk calls."""
        return self.listener("outside")

    @property
    def inside(self) -> Address:
        """The address agents' phones see."""
        return self.listener("inside")

    def listener(self, name: str) -> Address:
        """Address of a listener of the configuration."""
        section = self.config[f"listeners.{name}"]
        return str(section["address"]), int(section["port"])

    @property
    def api_address(self) -> Address:
        return str(self.config["api"]["address"]), int(self.config["api"]["port"])

    @property
    def events_address(self) -> Address:
        return str(self.config["events"]["address"]), int(self.config["events"]["port"])

    @property
    def rtp_ports(self) -> range:
        """The ports its sound may come from."""
        media = self.config["media"]
        return range(int(media["rtp_port_min"]), int(media["rtp_port_max"]) + 1)

    # --- what it offers ---

    @property
    def api(self) -> Api:
        """Its HTTP API with an admin key."""
        assert self._api, "the server was never started"
        return self._api

    def api_as(self, token: str) -> Api:
        """Its HTTP API with another key; "" is none."""
        other = Api(self.api.url, token)
        self._others.append(other)
        return other

    async def listen(self, *, after: int | None = None, token: str | None = None) -> Listener:
        """A listener on the WebSocket: all events from now on, or behind number `after`."""
        listener = await Listener.over_websocket(self.api.url, token=token or self.api.token, after=after)
        self._others.append(listener)
        return listener

    async def listen_tcp(self, *, after: int | None = None, token: str | None = None) -> Listener:
        """A listener on the event socket. "From now on" is a moment after this returns; `after` is exact."""
        listener = await Listener.over_tcp(self.events_address, token=token or self.api.token, after=after)
        self._others.append(listener)
        return listener

    def tandem(self, *arguments: str) -> Child:
        """A command (`server.tandem("tokens", "list")`) with this server's configuration and key in its environment."""
        env = {**self.env, "TANDEM_CONFIG": str(self.file), "TANDEM_API_TOKEN": self.api.token}
        name = f"command-{len(list(self.folder.glob('command-*')))}.log"
        return Child([sys.executable, "-m", "b2bua", *arguments], folder=self.folder, log=name, env=env)

    # --- its log ---

    def log(self, *, whole: bool = False) -> str:
        """Everything it wrote to standard error, of all its lives; of a shared server what came since `begin`."""
        path = self.folder / "server.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return text if whole else text[self._log_start :]

    def log_lines(self) -> list[dict[str, Any]]:
        """The log's JSON objects; lines that are none are left out."""
        found = []
        for line in self.log().splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found

    async def log_contains(self, text: str, within: float | None = None) -> None:
        """Wait until the log has this text."""
        await eventually(lambda: text in self.log(), f"the log contains {text!r}", within)

    def faults(self) -> list[str]:
        """Lines at `error` and above, and tracebacks: mistakes of the server, not of its peers."""
        lines = [str(line) for line in self.log_lines() if line.get("level") in ("error", "critical")]
        marks = ("Traceback (most recent call last)", "Fatal Python error", "Assertion failed")
        found = (line for line in self.log().splitlines() if line.startswith(marks) or "Sanitizer: " in line)
        return [*lines, *found]

    # --- its process ---

    def descriptors(self) -> int:
        """Open file descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self) -> int:
        """Proportional set size in kB."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
        return 0

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __repr__(self) -> str:
        return f"<Server {self.outside[1]}/{self.inside[1]} {self._child!r} lives={self.lives}>"

    def _first_key(self) -> str:
        if "storage" in self.config and "url" in self.config["storage"]:
            upgrade = Child(
                [*TANDEM, "db", "upgrade"], folder=self.folder, log="upgrade.log", env=command_env(self.file)
            )
            assert upgrade.ended_now(30) == 0, upgrade.log()
            return make_key(self.file)
        if self._template:
            return self._template.copy_to(self.data)
        return make_key(self.file)

    async def _is_ready(self) -> bool:
        assert self.child.alive, f"the server ended with {self.child.exit_code}\n{self.log()[-6000:]}"
        try:
            return (await self.api.http.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False


TANDEM = (sys.executable, "-m", "b2bua")


def command_env(config: Path) -> dict[str, str]:
    """Environment of a command about one configuration."""
    return {"PYTHONPATH": str(ROOT), "TANDEM_CONFIG": str(config)}


def make_key(config: Path, name: str = "test", role: str = "admin") -> str:
    """An API key made by `tandem api-key create`; returns its secret."""
    command = [*TANDEM, "api-key", "create", name, "--role", role, "--json"]
    child = Child(command, folder=config.parent, log=f"{name}.err", env=command_env(config), pipes=True)
    try:
        assert child.process.stdout
        text = child.process.stdout.read()
        assert child.ended_now(30) == 0, child.log()
        return str(json.loads(text)["secret"])
    finally:
        child.close()
