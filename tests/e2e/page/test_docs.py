"""/openapi.json -> /docs: every route, every shape, in words."""

from __future__ import annotations

import json

from playwright.sync_api import expect


def test_every_route_and_shape_is_described(page):
    """The page has a section for each route and each shape of the description, and a table of responses."""
    api = page.request.get("/openapi.json").json()
    page.goto("/docs")

    expect(page.get_by_role("heading", name="POST /v1/images", exact=True)).to_be_visible()
    for path, item in api["paths"].items():
        for method, operation in item.items():
            heading = page.get_by_role("heading", name=f"{method.upper()} {path}", exact=True)
            expect(heading).to_have_count(1)
            section = page.locator("section.route").filter(has=heading)
            expect(section.get_by_role("region", name="Responses")).to_be_visible()
            named = [*operation["responses"], *(each["name"] for each in operation.get("parameters", []))]
            assert set(named) <= set(section.locator("td:first-child code").all_text_contents())
    for name in api.get("components", {}).get("schemas", {}):
        expect(page.get_by_role("heading", name=name, exact=True)).to_have_count(1)


def test_every_problem_is_named(page):
    """Under a route, behind a summary, stand the problems that it may answer with, by slug and in words."""
    page.goto("/docs")
    section = page.locator("section.route").filter(has=page.get_by_role("heading", name="POST /v1/images"))
    section.get_by_text("Problems").first.click()

    for slug in ("missing-image", "image-too-large", "undecodable-image", "overloaded"):
        expect(section.get_by_text(slug, exact=True)).to_be_visible()
    expect(section.get_by_text("The image has no bytes.")).to_be_visible()


def test_links_lead_somewhere(page):
    """Each link within the page has its target on the page."""
    page.goto("/docs")
    expect(page.locator(".route").first).to_be_visible()

    astray = """links => links.map((link) => link.getAttribute("href"))
        .filter((href) => href.startsWith("#") && !document.getElementById(href.slice(1)))"""
    assert page.locator("main a").evaluate_all(astray) == []


def test_a_guarded_description_is_given_its_key(page):
    """When the description needs a key, the page asks for it and then shows the routes."""
    problem = json.dumps({"type": "unauthorized", "title": "A valid API key is needed.", "status": 401})

    def guard(route):
        known = route.request.headers.get("authorization") == "Bearer right"
        route.continue_() if known else route.fulfill(status=401, body=problem)

    page.route("**/openapi.json", guard)
    page.goto("/docs")
    page.get_by_label("API key").fill("right")
    page.get_by_role("button", name="Use this key").click()

    expect(page.locator(".route").first).to_be_visible()
