"""The error table as clients may rely on it, and the check that a response is one of its rows."""

from __future__ import annotations

from typing import Any

import httpx2

STATUS = {
    "missing-image": 400,
    "empty-image": 400,
    "invalid-request": 400,
    "unauthorized": 401,
    "forbidden-origin": 403,
    "not-found": 404,
    "body-too-slow": 408,
    "input-expired": 410,
    "deleted": 410,
    "image-too-large": 413,
    "unsupported-media-type": 415,
    "undecodable-image": 422,
    "too-many-pixels": 422,
    "too-many-chunks": 422,
    "idempotency-mismatch": 422,
    "overloaded": 429,
    "headers-too-large": 431,
    "classifier-crashed": 500,
    "backend-unavailable": 503,
    "out-of-room": 503,
}
RETRYABLE = {"body-too-slow", "overloaded", "backend-unavailable", "out-of-room"}


def assert_problem(response: httpx2.Response, slug: str, status: int | None = None) -> dict[str, Any]:
    """The members of a problem that is exactly the table's row of `slug`."""
    expected = status or STATUS[slug]
    assert response.status_code == expected, response.text
    assert response.headers["content-type"] == "application/problem+json"
    members: dict[str, Any] = response.json()
    assert (members["type"], members["status"]) == (slug, expected)
    assert members["title"]
    assert members["detail"]
    assert members["retryable"] == (slug in RETRYABLE)
    assert ("retry-after" in response.headers) == (expected in (429, 503))
    if "retry-after" in response.headers:
        assert int(response.headers["retry-after"]) >= 1
    return members
