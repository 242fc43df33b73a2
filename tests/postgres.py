"""A throw-away PostgreSQL: its own cluster on a free loopback port, run by an unprivileged user, gone at the end."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tests.peers.ports import PORTS
from tests.peers.waiting import deadline

USERS = ("postgres", "nobody")
"Who runs it when we are root: PostgreSQL refuses to."

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
}

CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"Faster, and nobody will miss these data."

PR_SET_PDEATHSIG = 1


def binaries() -> Path:
    """The folder of the newest installed server. Raises RuntimeError naming the package that has it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if anywhere := shutil.which("postgres"):
        return Path(anywhere).parent
    raise RuntimeError("PostgreSQL is missing: install the package `postgresql`")


class Postgres:
    """A cluster in a folder of its own. `durable` keeps fsync on, for tests of what survives."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tandem-test-postgres-"))
        self.port = PORTS.take()
        self._settings = SETTINGS | ({} if durable else CARELESS)
        self._user: int | None = None
        self._group: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            entry = _unprivileged()
            self._user, self._group = entry.pw_uid, entry.pw_gid
            os.chown(self.folder, self._user, self._group)
        self._run("initdb", "-D", self._data, "-U", "tandem", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def url(self, database: str) -> str:
        """The URL that our settings take."""
        return f"postgresql://tandem@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [binaries() / "postgres", "-D", self._data, "-p", str(self.port), *options],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            group=self._group,
            extra_groups=None if self._user is None else [],
            preexec_fn=_die_with_parent,
        )
        end = deadline(None)
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start in {self.folder}")
            time.sleep(0.02)

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server: it ends all connections; `at_once` as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._process.wait()
            self._process = None

    def pause(self, paused: bool) -> None:
        """Freeze it or let it go on: it neither answers nor ends its connections."""
        assert self._process is not None
        # Each of its processes has a session of its own, so they are found by their parent.
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            os.kill(pid, signal.SIGSTOP if paused else signal.SIGCONT)

    def create(self, database: str, template: str = "template1") -> str:
        """A new database, and its URL."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tandem", "-T", template, database)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Delete a database, connections or not."""
        self._run("dropdb", "-f", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tandem", database)

    def close(self) -> None:
        """Stop it and delete everything."""
        self.stop(at_once=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        command = [str(binaries() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [binaries() / program, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            group=self._group,
            extra_groups=None if self._user is None else [],
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")

    def __repr__(self) -> str:
        return f"<Postgres {self.port} {'running' if self._process else 'stopped'}>"


def _unprivileged() -> pwd.struct_passwd:
    for name in USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(f"none of the users {', '.join(USERS)} exists")


def _die_with_parent() -> None:
    # In the child, just before it becomes the server: a killed test run leaves no server behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)
