"""A real browser for the tests of the page: Debian's Chromium, driven by Playwright.

Only the tests that ask for it need either; both are imported and looked for where they are used.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

AXE = Path(__file__).parent.parent / "web" / "node_modules" / "axe-core" / "axe.min.js"

VIEWS = (
    "overview",
    "source",
    "functions",
    "function",
    "flame",
    "treemap",
    "imports",
    "files",
    "threads",
    "compare",
)

Open = Callable[..., "Page"]


def program() -> str:
    """The path of the browser."""
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    pytest.fail("needs Chromium (Debian: apt-get install chromium), or CHROMIUM set to its path")


@contextmanager
def started() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        yield browser
        browser.close()


def address(page: Path, state: str = "") -> str:
    return page.resolve().as_uri() + (f"#/{state}" if state else "")


class Tabs:
    """Pages that are open, and what they said that they should not have said."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.said: list[str] = []

    def open(self, path: Path, state: str = "", **how: Any) -> Page:
        """A page at a view, drawn; ``how`` is for Browser.new_context()."""
        how = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **how}
        context = self._browser.new_context(**how)
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self._ask(request.url))
        page.goto(address(path, state))
        if how.get("java_script_enabled", True):
            page.wait_for_selector("main > *, #app > p.warning", state="attached")
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        self.said.append(f"{message.type}: {message.text}")

    def _ask(self, url: str) -> None:
        if not url.startswith(("file:", "blob:", "data:")):
            self.said.append(f"request: {url}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def go(page: Page, state: str) -> None:
    """To another view of the same page, as a link does."""
    page.evaluate("state => { location.hash = '#/' + state }", state)
    page.wait_for_function("state => location.hash === '#/' + state", arg=state)
    page.wait_for_timeout(50)


def faults(page: Page) -> list[str]:
    """What axe-core finds of WCAG 2.2 A and AA."""
    assert AXE.exists(), f"{AXE} is missing: sh scripts/lint.sh page installs it"
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    result = page.evaluate("tags => axe.run({ runOnly: tags })", tags)
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in result["violations"]
        for node in fault["nodes"][:3]
    ]


def downloaded(page: Page, button: str, within: str = "main") -> str:
    """The text that a button saves."""
    with page.expect_download() as saved:
        page.locator(within).get_by_role("button", name=button, exact=True).first.click()
    return Path(saved.value.path()).read_text(encoding="utf-8")


def rows(page: Page, label: str) -> list[list[str]]:
    """The cells of a table that are in the document."""
    table = page.locator(f'section.rows[aria-label="{label}"] tbody tr:not(.gap)')
    return [[cell.strip() for cell in row] for row in table.evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )]  # fmt: skip
