"""The pages and their files: served from the package alone, under a policy that lets nothing else in."""

from __future__ import annotations

import pytest
from tests.e2e.http.pictures import fresh
from tests.e2e.http.problems import assert_problem

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
    "connect-src 'self'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'",
}  # fmt: skip
OUTSIDE = (
    "/page/../app.py", "/page/..%2Fapp.py", "/page/%2e%2e/app.py", "/page/%2e%2e%2f%2e%2e%2fsettings.py",
    "/page/....//app.py", "/page//etc/passwd", "/page/%2Fetc%2Fpasswd", "/page/..%5Capp.py", "/page/%00",
    "/page/" + "x" * 5_000, "/page/", "/page",
)  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_is_html_of_its_own(api, path):
    """Each page is HTML that names no other server."""
    response = api.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "://" not in response.text.replace("http://www.w3.org/", "")


@pytest.mark.parametrize("path", ["/", "/docs", "/page/page.css", "/livez", "/openapi.json", "/nothing"])
def test_every_response_has_the_policy(api, path):
    """Whatever is answered, no browser may load, run or frame anything from elsewhere because of it."""
    headers = api.get(path).headers

    assert set(headers["content-security-policy"].split("; ")) == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_an_answer_has_the_policy(api):
    """Answers with a user's file name in them cannot be taken for a page."""
    headers = api.post("/v1/images", files={"f": ("<script>.html", fresh())}).headers

    assert set(headers["content-security-policy"].split("; ")) == POLICY
    assert (headers["content-type"], headers["x-content-type-options"]) == ("application/json", "nosniff")


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_but_the_page_is_served(api, path):
    """No spelling of a path leads out of the page's folder, or lists it."""
    assert_problem(api.get(path), "not-found")
