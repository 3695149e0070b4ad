"""The page for everyone: by keyboard, by screen reader, in the dark, on a narrow screen, without movement."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tests.e2e.page.browser import open_page

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "connect-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}

# Every visible text: its colour against the nearest ground that is painted (WCAG 2, contrast ratio).
CONTRASTS = """() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
    const ground = (node) => {
        const colour = parts(getComputedStyle(node).backgroundColor);
        return colour.length === 3 || colour[3] === 1 ? colour : ground(node.parentElement);
    };
    return [...document.querySelectorAll("body *")]
        .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
        .filter((node) => node.checkVisibility() && !node.matches(":disabled, noscript"))
        .map((node) => {
            const [one, two] = [parts(getComputedStyle(node).color), ground(node)].map(light);
            return [node.textContent, (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05)];
        });
}"""


def put_every_state_on(page, photo):
    """One picture done, one failed; both on the page."""
    text = {"name": "notes.png", "mimeType": "image/png", "buffer": b"I am no picture"}
    page.set_input_files("#files", [photo("chelsea.png"), text])
    expect(page.get_by_role("heading", name="1 of 2 done, 1 failed")).to_be_visible()


def test_the_keyboard_is_enough(page, photo):
    """Tab reaches the chooser with a visible focus, and Enter opens it; the results come next."""
    button = page.get_by_role("button", name="Choose pictures")
    with page.expect_file_chooser() as chooser:
        while not button.evaluate("button => button === document.activeElement"):
            page.keyboard.press("Tab")
        assert button.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
        page.keyboard.press("Enter")
    chooser.value.set_files([photo("chelsea.png")])
    expect(page.get_by_role("heading", name="1 of 1 done")).to_be_visible()

    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent")
        )
    assert reached == ["Save CSV", "Save JSON", "Clear", "Command", "Copy"]


def test_a_screen_reader_has_names_for_everything(page, photo):
    """The accessibility tree names every part: headings, controls, lists, the preview and the scores."""
    put_every_state_on(page, photo)

    expect(page.locator("body")).to_match_aria_snapshot(
        """
        - banner:
          - link "iraas"
          - navigation "Site":
            - link "API"
        - main:
          - heading "What is in the picture?" [level=1]
          - region "Add pictures":
            - button "Choose pictures"
          - region "1 of 2 done, 1 failed":
            - heading "1 of 2 done, 1 failed" [level=2]
            - progressbar "1 of 2 done, 1 failed"
            - group "Results":
              - button "Save CSV"
              - button "Save JSON"
              - button "Clear"
            - list "Pictures":
              - listitem:
                - img "Preview of chelsea.png"
                - heading "chelsea.png" [level=3]
                - paragraph: /.+/
                - list "Scores":
                  - listitem: /.+ \\d+\\.\\d%/
              - listitem:
                - heading "notes.png" [level=3]
                - paragraph: /This is not a PNG, JPEG or WebP image/
          - region "The same from a terminal":
            - button "Copy"
        """
    )


def test_news_is_read_aloud(page, photo):
    """A polite live region tells of an answer and of the count."""
    page.set_input_files("#files", [photo("chelsea.png")])

    expect(page.get_by_role("status")).to_have_text(
        re.compile(r"chelsea\.png: .*cat.*, [\d.]+%\. 1 of 1 done\.")
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/", "/docs"])
def test_text_stands_out(browser, service, photo, scheme, address):
    """Every text has a contrast of at least 4.5 to 1, in light and in dark, and dark is dark."""
    with open_page(browser, service.url, color_scheme=scheme) as page:
        page.goto(address)
        if address == "/":
            put_every_state_on(page, photo)
        else:
            expect(page.locator(".route").first).to_be_visible()
        contrasts = page.evaluate(CONTRASTS)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert len(contrasts) > 15
    assert [(text, ratio) for text, ratio in contrasts if ratio < 4.5] == []
    assert (int(re.findall(r"\d+", ground)[0]) < 64) == (scheme == "dark")


@pytest.mark.parametrize("address", ["/", "/docs"])
def test_a_narrow_screen_needs_no_sideways_scrolling(browser, service, photo, address):
    """At 320 pixels nothing is wider than the screen."""
    with open_page(browser, service.url, viewport={"width": 320, "height": 640}) as page:
        page.goto(address)
        if address == "/":
            put_every_state_on(page, photo)
        else:
            expect(page.locator(".route").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_who_wants_no_movement_has_none(browser, service, photo):
    """With prefers-reduced-motion nothing is animated."""
    with open_page(browser, service.url, reduced_motion="reduce") as page:
        page.goto("/")
        put_every_state_on(page, photo)
        assert page.evaluate("document.getAnimations().length") == 0
        name = "bar => getComputedStyle(bar, '::before').animationName"
        assert page.locator(".score-bar").first.evaluate(name) == "none"


@pytest.mark.parametrize("address", ["/", "/docs"])
def test_the_policy_is_strict(page, address):
    """Both pages come with a content security policy that allows this server only, and nothing inline."""
    policy = page.goto(address).headers["content-security-policy"]

    assert dict(part.strip().split(" ", 1) for part in policy.split(";") if part.strip()) == POLICY
