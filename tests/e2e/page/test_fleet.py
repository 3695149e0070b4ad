"""The fleet on the page: live, in words and in a picture, and honest when nothing is heard."""

from __future__ import annotations

import json
import re
import time

import pytest
from playwright.sync_api import Page, Route, expect
from tests.e2e.page.browser import open_page
from tests.e2e.page.test_access import CONTRASTS
from tests.e2e.page.test_trouble import IMAGES, KEY_NEEDED, answer_problem

EVENTS = "**/v1/fleet/events"
FULL = {
    "type": "out-of-room",
    "title": "Memory for uploads or room in the store is at its limit.",
    "status": 503,
}


def told(**changes: object) -> dict:
    """A fleet with workers of every kind, decisions of every kind, and ten minutes in which it grew and shrank."""
    now = time.time()
    history = [
        {
            "at": now - 600 + 2 * n,
            "visible": max(0, 40 - abs(n - 100)),
            "in_flight": min(4, n // 20),
            "in_service": 2 + (n > 110) * 3,
            "starting": 3 * (95 < n <= 110),
            "pictures_per_second": n / 10,
            "p95_ms": 120.0,
        }
        for n in range(1, 300)
    ]
    reasons = (
        (4, 5, 7, "added 2: <b>38</b> waiting on 5 workers", False),
        (75, 5, 5, "a worker could not start: no memory", True),
        (7_300, 4, 2, "removed 2: nothing waited for 60 s", False),
    )
    return {
        "at": now,
        "queue": {"visible": 38, "in_flight": 4, "oldest_seconds": 3.2},
        "workers": {
            "in_service": 5, "starting": 2, "busy": 3, "idle": 2, "draining": 1, "minimum": 1, "maximum": 12,
        },
        "pictures_per_second": 28.4,
        "latency_ms": {"p50": 62.0, "p95": 1240.0},
        "service_ms": 12.0,
        "boot_seconds": 1.7,
        "policy": "spare capacity",
        "decisions": [
            {"at": now - age, "before": before, "capacity": after, "reason": reason, "trouble": trouble}
            for age, before, after, reason, trouble in reasons
        ],
        "history": history,
        **changes,
    }  # fmt: skip


def frame(fleet: dict) -> str:
    """An event as the service sends it."""
    return f"id: 1\nevent: fleet\ndata: {json.dumps(fleet)}\n\n"


def tell(page: Page, *fleets: dict) -> None:
    """From now on the stream says this and ends."""
    body = "retry: 600000\n" + ": a comment\n\n".join(frame(fleet) for fleet in fleets)
    page.route(EVENTS, lambda route: route.fulfill(content_type="text/event-stream", body=body))


@pytest.fixture
def blank(browser, service):
    """A page that has not gone anywhere yet."""
    with open_page(browser, service.url) as page:
        yield page


def test_a_picture_moves_the_numbers(page, photo):
    """Without a reload, what is uploaded shows as pictures a second and as a time; workers stand there."""
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.get_by_role("list", name="Workers by what they do")).to_contain_text("busy")
    page.set_input_files("#files", [photo("chelsea.png"), photo("coffee.png")])

    expect(page.locator("#rate")).to_have_text(re.compile(r"0\.[1-9]"))
    expect(page.locator("#p95")).to_have_text(re.compile(r"\d+ ms|\d\.\d s"))
    expect(page.locator("#chart-caption")).to_contain_text("2 workers in service")


def test_everything_is_said_in_words(blank):
    """Numbers, workers by state, bounds, policy and decisions stand there as text."""
    tell(blank, told())
    blank.goto("/")

    for place, words in (
        ("waiting", "38"), ("oldest", "oldest 3 s"), ("held", "4"), ("rate", "28"), ("p50", "62 ms"), ("p95", "1.2 s"),
        ("bounds", "1 to 12; policy: spare capacity"),
    ):  # fmt: skip
        expect(blank.locator(f"#{place}")).to_have_text(words)
    expect(blank.locator("#counts li")).to_have_text(["3 busy", "2 idle", "2 starting", "1 draining"])
    for state, count in (("busy", 3), ("idle", 2), ("starting", 2), ("draining", 1)):
        expect(blank.locator(f"#blocks .{state}")).to_have_count(count)
    expect(blank.locator("#decisions li span")).to_have_text(
        [
            "added 2: <b>38</b> waiting on 5 workers",
            "a worker could not start: no memory",
            "removed 2: nothing waited for 60 s",
        ]
    )
    expect(blank.locator("#decisions time")).to_have_text([re.compile(r"^\d+ s ago"), "1 min ago", "2 h ago"])
    expect(blank.locator("#decisions .trouble")).to_have_count(1)


def test_no_worker_and_no_decision_are_said_too(blank):
    """A fleet that sleeps is not an empty space."""
    asleep = dict.fromkeys(("in_service", "starting", "busy", "idle", "draining", "minimum"), 0) | {
        "maximum": 4
    }
    latency = {"p50": None, "p95": None}
    tell(blank, told(workers=asleep, decisions=[], history=[], latency_ms=latency, policy=None))
    blank.goto("/")

    expect(blank.locator("#counts")).to_have_text("no workers now")
    expect(blank.locator("#bounds")).to_have_text("0 to 4")
    expect(blank.locator("#p95")).to_have_text("\u2013")
    expect(blank.locator("#no-decisions")).to_be_visible()
    expect(blank.locator("#chart-caption")).to_have_text("Nothing is known of the last ten minutes yet.")


def test_the_chart_has_a_name_and_words(blank):
    """The picture is an image with a title and a description, and the same numbers stand below it."""
    tell(blank, told())
    blank.goto("/")

    words = (
        "In the last ten minutes: at most 44 jobs in the queue, 2 to 5 workers in service, "
        "at most 30 pictures a second."
    )
    chart = blank.get_by_role("img", name="Jobs and workers over the last ten minutes")
    expect(chart).to_be_visible()
    expect(chart.locator("desc")).to_have_text(words)
    expect(blank.locator("#chart-caption")).to_have_text(words)
    lines = chart.locator("path.line").evaluate_all(
        "paths => paths.map((path) => [path.getBBox().width, path.getBBox().height])"
    )
    assert len(lines) == 4
    assert min(width for width, _ in lines) > 0.9 * (chart.bounding_box()["width"] - 42)
    assert min(height for _, height in lines) > 20


def test_times_without_news_are_gaps(blank):
    """Where nothing is known, no line is drawn as if it were."""
    fleet = told()
    fleet["history"] = fleet["history"][:100] + fleet["history"][150:]
    tell(blank, fleet)
    blank.goto("/")
    expect(blank.locator("path.line.serving")).to_have_count(2)


def test_later_events_add_their_own_points(blank):
    """An event without a history is a point of it, and what is older than ten minutes goes."""
    first = told()
    later = told(at=first["at"] + 400, queue={"visible": 90, "in_flight": 1, "oldest_seconds": 1.0})
    del later["history"]
    tell(blank, first, later)
    blank.goto("/")

    expect(blank.locator("#waiting")).to_have_text("90")
    expect(blank.locator("#chart-caption")).to_contain_text("at most 91 jobs")
    expect(blank.locator("#chart-caption")).to_contain_text("5 workers in service")


def test_a_lost_service_is_said_and_found_again(page):
    """When the line breaks, the page says so, keeps what it knew, tries again ever more rarely, and recovers."""
    expect(page.locator("#connection")).to_have_text("Live")
    page.route(EVENTS, lambda route: route.abort("connectionrefused"))
    page.evaluate(HIDE.replace("HIDDEN", "true"))
    page.evaluate(HIDE.replace("HIDDEN", "false"))

    lost = "Not connected: the service cannot be reached. Trying again in "
    expect(page.locator("#connection")).to_contain_text(lost)
    expect(page.locator("#waiting")).to_be_visible()
    expect(page.locator("#connection")).to_contain_text(re.compile(r"in [4-9] s|in 1\d s"))
    page.unroute(EVENTS)
    expect(page.locator("#connection")).to_have_text("Live")


HIDE = """() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => HIDDEN });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_nobody_looks_and_nothing_is_asked(page, service):
    """A page in the background gives its line back, and takes one again when it is looked at."""
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/fleet" in request.url else None)
    ended = []
    page.on("requestfailed", lambda request: ended.append(request.url))
    expect(page.locator("#connection")).to_have_text("Live")
    page.evaluate(HIDE.replace("HIDDEN", "true"))
    page.wait_for_function("performance.now() > 0")
    assert [url for url in asked if url.endswith("/v1/fleet")] == []
    before = len(asked)
    with page.expect_request(EVENTS):
        page.evaluate(HIDE.replace("HIDDEN", "false"))
    expect(page.locator("#connection")).to_have_text("Live")
    assert len(asked) == before + 1
    assert [url for url in ended if url.endswith("/v1/fleet/events")] != []


def test_a_service_with_too_many_listeners_is_asked_when_it_said(blank):
    """After a 503 the page waits for the seconds of Retry-After, and says so."""
    blank.clock.install()
    blank.route(EVENTS, lambda route: answer_problem(route, FULL, **{"Retry-After": "600"}), times=1)
    blank.goto("/")

    expect(blank.locator("#connection")).to_have_text(
        f"Not connected. {FULL['title']} Trying again in 600 s."
    )
    blank.clock.fast_forward(500_000)
    expect(blank.locator("#connection")).to_contain_text("600 s")
    blank.clock.fast_forward(101_000)
    expect(blank.locator("#connection")).to_have_text("Live")


def test_a_line_on_which_nothing_comes_is_given_up(blank):
    """When the service falls silent without a word, the page does not believe for ever that it is live."""
    blank.clock.install()
    blank.route(EVENTS, lambda route: None)
    blank.goto("/")
    expect(blank.locator("#connection")).to_have_text("Connecting…")
    blank.clock.fast_forward(20_000)
    expect(blank.locator("#connection")).to_contain_text("Not connected")


def test_a_guarded_fleet_is_shown_once_there_is_a_key(blank, photo):
    """On a 401 the page says so and asks nobody; the key that the first picture brings opens the fleet, too."""

    def guard(route: Route) -> None:
        known = route.request.headers.get("authorization") == "Bearer right"
        route.continue_() if known else answer_problem(route, KEY_NEEDED)

    blank.route(EVENTS, guard)
    blank.route(IMAGES, guard)
    blank.goto("/")
    expect(blank.locator("#connection")).to_contain_text("to those who have a key")
    expect(blank.get_by_label("API key")).to_have_count(0)
    blank.set_input_files("#files", [photo("chelsea.png")])
    blank.get_by_label("API key").fill("right")
    blank.keyboard.press("Enter")

    expect(blank.locator("#connection")).to_have_text("Live")
    expect(blank.get_by_role("heading", name="1 of 1 done")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_fleet_stands_out(browser, service, scheme):
    """Its text has a contrast of at least 4.5 to 1, the chart's too."""
    with open_page(browser, service.url, color_scheme=scheme) as page:
        tell(page, told())
        page.goto("/")
        expect(page.locator("#decisions li")).to_have_count(3)
        # Text of a picture has its colour from `fill`.
        contrasts = page.evaluate(
            CONTRASTS.replace(
                "getComputedStyle(node).color",
                "(node.ownerSVGElement ? getComputedStyle(node).fill : getComputedStyle(node).color)",
            )
        )
    assert [(text, ratio) for text, ratio in contrasts if ratio < 4.5] == []
    assert any(text == "Jobs in the queue" for text, _ in contrasts)


@pytest.mark.parametrize("width", [320, 360])
def test_a_narrow_screen_has_the_whole_fleet(browser, service, width):
    """Nothing is wider than the screen, with many workers and long reasons."""
    many = {
        "in_service": 90,
        "starting": 9,
        "busy": 80,
        "idle": 10,
        "draining": 3,
        "minimum": 0,
        "maximum": 200,
    }
    decision = {"at": time.time(), "before": 9, "capacity": 90, "reason": "x" * 300, "trouble": True}
    with open_page(browser, service.url, viewport={"width": width, "height": 740}) as page:
        tell(page, told(workers=many, decisions=[decision]))
        page.goto("/")
        expect(page.locator("#decisions li")).to_have_count(1)
        expect(page.locator("#blocks .block")).to_have_count(64)
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_who_wants_no_movement_sees_none_in_the_fleet(browser, service):
    """With prefers-reduced-motion a worker that starts stands still."""
    with open_page(browser, service.url, reduced_motion="reduce") as page:
        tell(page, told())
        page.goto("/")
        expect(page.locator("#blocks .starting").first).to_be_visible()
        assert page.evaluate("document.getAnimations().length") == 0
