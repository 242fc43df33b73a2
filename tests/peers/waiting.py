"""Waiting for facts with a deadline: the only way a test may spend time."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE = float(os.environ.get("TANDEM_TEST_PATIENCE", "10"))
"Seconds a test waits for a fact before it fails; a slow or busy machine may raise it."

STEP = 0.02
"Seconds between two looks at a fact that cannot wake us."

T = TypeVar("T")


def deadline(within: float | None) -> float:
    """The monotonic time at which waiting ends; None means the usual patience."""
    return time.monotonic() + (PATIENCE if within is None else within)


async def eventually(check: Callable[[], T], what: str, within: float | None = None) -> T:
    """Wait until `check()` gives something true and return it, else AssertionError with `what`."""
    end = deadline(within)
    while True:
        if found := check():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE if within is None else within:g} s: {what} (last: {found!r})")
        await asyncio.sleep(STEP)


async def eventually_true(check: Callable[[], Awaitable[T]], what: str, within: float | None = None) -> T:
    """As `eventually`, for a check that has to be awaited (an HTTP request, a query)."""
    end = deadline(within)
    while True:
        if found := await check():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE if within is None else within:g} s: {what} (last: {found!r})")
        await asyncio.sleep(STEP)


def eventually_now(check: Callable[[], T], what: str, within: float | None = None) -> T:
    """As `eventually`, blocking: for code that has no event loop (scripts, fixtures of plain tests)."""
    end = deadline(within)
    while True:
        if found := check():
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE if within is None else within:g} s: {what} (last: {found!r})")
        time.sleep(STEP)
