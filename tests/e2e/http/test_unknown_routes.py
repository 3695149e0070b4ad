"""What is not there, and what may not be done to what is: problems like all others."""

from __future__ import annotations

import pytest
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.wire import Wire

NOT_ALLOWED = (  # method, path, what is allowed instead
    ("PUT", "/v1/images", {"POST"}),
    ("GET", "/v1/images", {"POST"}),
    ("POST", "/v1/images/5f0c7c3e-0000-7000-8000-000000000001", {"GET", "HEAD", "DELETE"}),
    ("POST", "/livez", {"GET", "HEAD"}),
    ("DELETE", "/metrics", {"GET", "HEAD"}),
    ("POST", "/page/page.css", {"GET", "HEAD"}),
    ("PATCH", "/", {"GET", "HEAD", "POST"}),
    ("GET", "/uploadImagesAndGetResults", {"POST"}),
)


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1", "/v1/images/", "/v1/images/a/b", "/favicon.ico", "/%0D%0Ax", "/é"]
)
def test_an_unknown_path_is_a_problem(api, path):
    """A path that leads nowhere is a 404 in the same form as every error."""
    assert_problem(api.get(path), "not-found")


@pytest.mark.parametrize(("method", "path", "allowed"), NOT_ALLOWED)
def test_a_wrong_method_is_a_problem(api, method, path, allowed):
    """A method that a path does not know is a 405 that says which it knows (RFC 9110, section 15.5.6)."""
    response = api.request(method, path, content=b"x")

    assert_problem(response, "invalid-request", status=405)
    assert set(response.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/", "/livez", "/page/page.css", "/openapi.json"])
def test_head_is_get_without_a_body(api, path):
    """HEAD gives the headers that GET would give, and nothing else (RFC 9110, section 9.3.2)."""
    with_body, without = api.get(path), api.head(path)

    assert without.status_code == 200
    assert without.content == b""
    assert without.headers["content-length"] == str(len(with_body.content))
    assert without.headers["content-type"] == with_body.headers["content-type"]


@pytest.mark.parametrize("method", ["BREW", "CONNECT", "PRI", "get"])
def test_a_method_of_nobody_is_refused(service, method):
    """What is no method of HTTP/1.1 is refused as a problem, too."""
    with Wire(service) as wire:
        wire.head(f"{method} /livez")
        response = wire.response()

    assert response.headers["content-type"] == "application/problem+json"
    assert 400 <= response.status_code < 500
