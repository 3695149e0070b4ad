"""A browser for each file, a page for each test, and pictures to put on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import skimage
from playwright.sync_api import Browser, FilePayload, Locator, Page
from tests.e2e.page.browser import open_browser, open_page

PHOTOS = Path(skimage.__file__).parent / "data"  # these photographs come with scikit-image


@pytest.fixture(scope="module")  # no longer: Playwright's loop would be in the way of the asyncio tests
def browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, service) -> Iterator[Page]:
    with open_page(browser, service.url) as page:
        page.goto("/")
        yield page


@pytest.fixture
def photo() -> Callable[..., FilePayload]:
    """A photograph as a file to choose; under another name if one is given."""

    def as_file(source: str, name: str | None = None) -> FilePayload:
        return {
            "name": name or source,
            "mimeType": "image/jpeg" if source.endswith(".jpg") else "image/png",
            "buffer": (PHOTOS / source).read_bytes(),
        }

    return as_file


@pytest.fixture
def card(page: Page) -> Callable[[str], Locator]:
    """The card of the picture with this file name."""
    return lambda name: page.locator("#pictures > li").filter(
        has=page.get_by_role("heading", name=name, exact=True)
    )
