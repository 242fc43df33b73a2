"""One API for each test, over an empty data folder."""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.unit.web.server import Api, api

Lines = list[MutableMapping[str, Any]]


@pytest.fixture(autouse=True)
def logs() -> Iterator[Lines]:
    """What was logged during the test."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Api]:
    """An API with one agent (8001), two tenants (acme 7001, beta 7002) and a key of each sort."""
    async with api(tmp_path) as running:
        yield running
