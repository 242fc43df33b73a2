"""Fixtures of the end-to-end tests: real peers, the real server, and everything ended by the one who started it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.legs import shared_server
from tests.e2e.several_trunks import CONFIG as SEVERAL_TRUNKS
from tests.peers.baresip import Baresip
from tests.peers.certificates import Authority
from tests.peers.configuration import Changes
from tests.peers.pjsip_phone import PjsipPhone
from tests.peers.rtp import Rtp
from tests.peers.server import Server, Template
from tests.peers.sipp import Sipp
from tests.peers.uac import Caller
from tests.peers.uas import Phone
from tests.postgres import Postgres


class StartServer(Protocol):
    """`server = await start_server({"calls": {"ring_timeout": 2}})`; several servers need different names."""

    def __call__(self, config: Changes | None = None, *, name: str = "server") -> Awaitable[Server]: ...


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A migrated SQLite database with an admin key; each server starts with a copy."""
    return Template(tmp_path_factory.mktemp("template"))


@pytest.fixture
async def start_server(tmp_path: Path, template: Template) -> AsyncIterator[StartServer]:
    """Starts servers with a configuration of the test's own. A fault in a server's log fails the test at its end."""
    servers: list[Server] = []

    async def start(config: Changes | None = None, *, name: str = "server") -> Server:
        server = Server(tmp_path / name, config, template=template)
        servers.append(server)
        await server.start()
        return server

    yield start
    for server in servers:
        await server.close()
        show_log(server)
    for server in servers:
        no_faults(server)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, template: Template) -> Iterator[list[Server]]:
    """The servers of the usual configuration, of which the last one is in use; see `server`."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.close_now()


@pytest.fixture
async def server(
    shared: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """The usual server (`tests.peers.configuration.usual`). It is shared: a test finds it empty and is swept up after.

    Starting one takes two seconds, so only tests that need their own configuration, or stop it, use `start_server`.
    """
    if not shared or not shared[-1].child.alive:
        shared.append(Server(tmp_path_factory.mktemp("shared"), template=template))
        await shared[-1].start()
        await shared[-1].close_clients()
    server = shared[-1]
    await server.begin()
    yield server
    try:
        await server.finish()
    except BaseException:
        server.close_now()  # whatever state it is in, the next test shall have a new one
        raise
    finally:
        show_log(server)
    no_faults(server)


@pytest.fixture(scope="module")
def pool() -> Iterator[list[Server]]:
    """The servers that the tests of a module share (`tests.e2e.legs.shared_server`)."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.close_now()


@pytest.fixture(scope="session")
def pool_of_trunks() -> Iterator[list[Server]]:
    """The servers behind `trunks`."""
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.close_now()


@pytest.fixture
async def trunks(
    pool_of_trunks: list[Server], tmp_path_factory: pytest.TempPathFactory, template: Template
) -> AsyncIterator[Server]:
    """A server with several trunks (`tests.e2e.several_trunks`), shared and swept as `server` is."""
    async with shared_server(pool_of_trunks, tmp_path_factory.mktemp("trunks"), SEVERAL_TRUNKS, template) as server:
        yield server


def show_log(server: Server) -> None:
    """pytest shows it only where the test failed."""
    print(f"--- log of {server!r}\n{server.log()[-12_000:]}")


def no_faults(server: Server) -> None:
    """Peers may do what they like: an error in the server's log is a mistake of the server."""
    faults = [] if server.faults_expected else server.faults()
    assert not faults, "the server logged faults:\n" + "\n".join(faults[:5])


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    """A trunk under full control of the test."""
    async with await Caller.open("trunk") as peer:
        yield peer
        print(peer.ladder())


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    """An agent's phone under full control of the test; `server.api.furnish(phone.uri)` makes it extension 1001."""
    async with await Phone.open("1001") as peer:
        yield peer
        print(peer.ladder())


@pytest.fixture
async def trunk(tmp_path: Path) -> AsyncIterator[Sipp]:
    """A trunk played by SIPp, with a sound end point."""
    with Rtp() as sound:
        async with Sipp(tmp_path, "trunk", rtp=sound) as peer:
            yield peer
            print(peer.describe())


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Sipp]:
    """An agent's phone played by SIPp, with a sound end point."""
    with Rtp() as sound:
        async with Sipp(tmp_path, "agent", rtp=sound) as peer:
            yield peer
            print(peer.describe())


@pytest.fixture
async def open_pjsip(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[PjsipPhone]]]:
    """Opens PJSIP phones: `phone = await open_pjsip("1001", answer=200, srtp="required")`."""
    async with AsyncExitStack() as stack:

        async def open_(name: str = "1001", **options: object) -> PjsipPhone:
            peer = await PjsipPhone.open(tmp_path, name, **options)  # type: ignore[arg-type]
            stack.callback(lambda: print(peer.describe()))
            return await stack.enter_async_context(peer)

        yield open_


@pytest.fixture
async def baresip(tmp_path: Path) -> AsyncIterator[Baresip]:
    """baresip, answering every call."""
    async with await Baresip.open(tmp_path, "1001") as peer:
        yield peer
        print(peer.describe())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate authority of this test's own."""
    return Authority(tmp_path / "certificates")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A throw-away PostgreSQL for the run; `postgres.create("name")` gives a URL for `storage.url`."""
    cluster = Postgres()
    cluster.start()
    yield cluster
    cluster.close()
