"""Debian's chromium, headless -> pages in contexts of their own, each watched for what must not happen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

FLAGS = [
    "--no-sandbox",  # tests may run as root, where chromium's sandbox refuses to start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000  # a loaded machine with two cores is slow, not wrong

expect.set_options(timeout=PATIENCE_MS)


def find_chromium() -> str:
    """The path of chromium; without one, a test fails in CI and is skipped at a desk."""
    path = shutil.which("chromium")
    if path:
        return path
    words = "no chromium on PATH; `make programs` installs it where it may"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless chromium that is gone afterwards."""
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Watch:
    """What a page did that it must never do."""

    def __init__(self, page: Page, origin: str) -> None:
        self.origin = origin
        self.faults: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # Chromium reports each 4xx in these words; the page cannot prevent it. A breach of the content
        # security policy is reported here too.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "blob:", "data:")):
            self.faults.append(f"request to elsewhere: {request.url}")


@contextmanager
def open_page(browser: Browser, origin: str, **options: object) -> Iterator[Page]:
    """A page in a context of its own; afterwards it must have stayed clean (`Watch`)."""
    context = browser.new_context(base_url=origin, **options)
    page = context.new_page()
    watch = Watch(page, origin)
    yield page
    context.close()
    assert watch.faults == []
