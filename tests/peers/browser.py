"""A person at a page: Debian's chromium, driven by Playwright, that takes down every complaint of the browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"]
"Tests run as root in containers, where the sandbox and /dev/shm are not to be had."

PICTURES = os.environ.get("TANDEM_SCREENSHOTS")
"A folder for the pictures of docs/img that tests take; without it none are taken."

PATIENCE = 10_000
"Milliseconds a page has to show what is expected."


class Person:
    """One browser window with a storage of its own."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        "Errors of scripts, and what the page's policy has refused."
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    async def signs_in(self, url: str, key: str, **more: str) -> Self:
        """Types a key, and texts into other fields by their id, and sends them with the Enter key."""
        await self.page.goto(url)
        for field, text in more.items():
            await self.page.fill(f"#{field}", text)
        await self.page.fill("#secret", key)
        await self.page.keyboard.press("Enter")
        return self

    async def sees(self, where: str, text: str, within: int = PATIENCE) -> None:
        """This text is in the element of this id, and the element can be seen."""
        found = self.page.locator(f"#{where}")
        await expect(found).to_contain_text(text, timeout=within)
        await expect(found).to_be_visible(timeout=within)

    async def sees_no(self, where: str) -> None:
        await expect(self.page.locator(f"#{where}")).to_be_hidden(timeout=PATIENCE)

    async def presses(self, button: str) -> None:
        """A button by the name that a person, or a reader of the screen, finds it by."""
        await self.page.get_by_role("button", name=button, exact=True).click(timeout=PATIENCE)

    async def is_pictured(self, name: str) -> None:
        """The whole page as it is now, where pictures are wanted."""
        if PICTURES:
            await self.page.screenshot(path=Path(PICTURES) / name, full_page=True)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a window.  Raises AssertionError where Debian's chromium is not installed."""
    path = shutil.which("chromium")
    assert path, "chromium is not installed: scripts/setup does it"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def person(browser: Browser, *, width: int = 1280, height: int = 800) -> AsyncIterator[Person]:
    """A person at a window; afterwards the browser must have had nothing to complain of."""
    context = await browser.new_context(viewport={"width": width, "height": height})
    someone = Person(await context.new_page())
    yield someone
    await context.close()
    assert not someone.complaints, someone.complaints
