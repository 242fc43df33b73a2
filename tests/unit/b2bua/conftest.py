"""A server's real API over a real database, and the command `tandem` beside it."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from b2bua import log
from b2bua.cli import make_app
from b2bua.settings import Log
from tests.unit.web.server import Api, api

Tandem = Callable[..., Awaitable[Result]]


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Api]:
    writer = log.start(Log(level="error"), io.StringIO())
    async with api(tmp_path) as running:
        yield running
    writer.close()


@pytest.fixture
def tandem(server: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tandem:
    """Runs `tandem` beside the server; the answer must be a success unless `fails` is given."""
    monkeypatch.chdir(tmp_path)
    app = make_app(lambda settings: None)

    async def run(*arguments: str, key: str = "admin", fails: bool = False) -> Result:
        environ = {"TANDEM_API_TOKEN": server.keys[key], "TANDEM_URL": server.url}
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environ)
        assert result.exit_code == (1 if fails else 0), result.output
        return result

    return run
