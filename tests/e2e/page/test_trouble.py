"""What the page does when the service is busy, slow, guarded or gone. Faults are put in on the wire."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, Request, Route, expect

IMAGES = re.compile(r"/v1/images\?")
BUSY = {"type": "overloaded", "title": "More images are waiting than can be answered soon.", "status": 429}
KEY_NEEDED = {"type": "unauthorized", "title": "A valid API key is needed.", "status": 401}


def answer_problem(route: Route, problem: dict, **headers: str) -> None:
    route.fulfill(
        status=problem["status"],
        body=json.dumps(problem),
        headers={"Content-Type": "application/problem+json"} | headers,
    )


def tokens_of(page: Page) -> list[str]:
    """The idempotency key of each post from now on."""
    tokens: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            tokens.append(request.headers["idempotency-key"])

    page.on("request", note)
    return tokens


def test_a_busy_service_is_asked_again_when_it_said(page, photo, card):
    """After a 429 the page waits for the seconds of Retry-After, says so, and sends the same job again."""
    page.clock.install()
    tokens = tokens_of(page)
    page.route(IMAGES, lambda route: answer_problem(route, BUSY, **{"Retry-After": "600"}), times=1)
    page.set_input_files("#files", [photo("chelsea.png")])

    expect(card("chelsea.png")).to_contain_text("Trying again in 600 s.")
    page.clock.fast_forward(500_000)
    expect(card("chelsea.png")).to_contain_text("Trying again in 600 s.")
    assert len(tokens) == 1
    page.clock.fast_forward(101_000)
    expect(card("chelsea.png").locator(".label")).to_contain_text("cat")
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def test_six_refusals_are_left_to_a_person(page, photo, card):
    """A service that stays busy is asked six times; then there is a button, and it works."""
    tokens = tokens_of(page)
    page.route(IMAGES, lambda route: answer_problem(route, BUSY, **{"Retry-After": "0"}), times=6)
    page.set_input_files("#files", [photo("chelsea.png")])

    again = card("chelsea.png").get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(card("chelsea.png")).to_contain_text(BUSY["title"])
    assert len(tokens) == 6
    again.click()
    expect(page.get_by_role("heading", name="1 of 1 done")).to_be_visible()
    assert len(set(tokens)) == 1


def test_a_lost_connection_never_submits_twice(page, photo, card):
    """When the connection breaks, the page sends again under the same idempotency key."""
    tokens = tokens_of(page)
    page.route(IMAGES, lambda route: route.abort("connectionreset"), times=1)
    page.set_input_files("#files", [photo("chelsea.png")])

    expect(card("chelsea.png")).to_contain_text("The service cannot be reached.")
    expect(card("chelsea.png").locator(".label")).to_contain_text("cat")
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


def test_a_late_answer_is_fetched(page, photo, card):
    """When the answer is not there in time (202), the page asks at its Location until it is."""
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "GET" else None)
    page.route(
        IMAGES, lambda route: route.continue_(url=route.request.url.replace("wait=30", "wait=0")), times=1
    )
    page.set_input_files("#files", [photo("chelsea.png")])

    expect(card("chelsea.png").locator(".label")).to_contain_text("cat")
    assert any(re.search(r"/v1/images/[0-9a-f-]{36}\?wait=30$", url) for url in asked)


def test_a_picture_that_is_too_large_is_refused_in_words(page, card, tmp_path):
    """A picture over the limit is refused with its reason, although its body was never read."""
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(12_000_000))
    page.set_input_files("#files", large)

    expect(card("large.png")).to_contain_text("The image has more bytes than this service takes.")


def test_a_guarded_service_is_given_its_key(page, photo):
    """On a 401 the page asks for a key, says when it is wrong, keeps it for the tab only, and goes on."""
    carried = []

    def guard(route: Route) -> None:
        carried.append(route.request.headers.get("authorization"))
        route.continue_() if carried[-1] == "Bearer right" else answer_problem(route, KEY_NEEDED)

    page.route(IMAGES, guard)
    page.set_input_files("#files", [photo("chelsea.png"), photo("coffee.png")])

    field = page.get_by_label("API key")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("type", "password")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That key was not accepted.")).to_be_visible()
    expect(field).to_be_focused()
    page.keyboard.type("right")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="2 of 2 done")).to_be_visible()
    expect(field).to_have_count(0)
    assert carried[0] is None
    assert page.evaluate("[Object.values(sessionStorage), localStorage.length, document.cookie]") == [
        ["right"],
        0,
        "",
    ]
    expect(page.get_by_label("Command")).to_contain_text('-H "Authorization: Bearer $IRAAS_KEY"')


def test_what_is_not_from_the_service_is_said_so(page, photo, card):
    """An answer of something between, which is no JSON, becomes words and not a script error."""
    page.route(IMAGES, lambda route: route.fulfill(status=200, body="<h1>Sign in to the guest network</h1>"))
    page.set_input_files("#files", [photo("chelsea.png")])

    expect(card("chelsea.png")).to_contain_text("This was no answer of the service.")
