"""GET /v1/images/{id}: done, pending, unknown, and what is no id."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.e2e.http.pictures import broken_within, fresh
from tests.e2e.http.problems import assert_problem

NO_IDS = (
    "1", "cat.png", "00000000-0000-0000-0000-00000000000", "dead-letters", "..%2Finputs", "%00", "~new",
    "g" * 36, "x" * 5_000, "00000000-0000-0000-0000-000000000000%0A",
)  # fmt: skip


def test_gives_the_answer_of_the_post(api):
    """A picture's answer is the same at the post and ever after."""
    posted = api.post("/v1/images", content=fresh())

    found = api.get(f"/v1/images/{posted.json()['id']}")

    assert found.status_code == 200
    assert found.content == posted.content


@pytest.mark.parametrize(
    "spelling", [str.upper, lambda text: text.replace("-", "")], ids=["capitals", "plain"]
)
def test_an_id_may_be_spelled_differently(api, spelling):
    """An id is a UUID in any spelling of it (RFC 9562, section 4)."""
    posted = api.post("/v1/images", content=fresh()).json()

    assert api.get(f"/v1/images/{spelling(posted['id'])}").json() == posted


def test_a_pending_picture_is_202(api, paused):
    """Until there is an answer the client is told to come again, at once or after the wait it asked for."""
    with paused():
        posted = api.post("/v1/images?wait=0", content=fresh())
        pending = [api.get(posted.headers["location"], params={"wait": wait}) for wait in (0, 0.2)]

    for response in pending:
        assert (response.status_code, response.json()) == (202, posted.json())
        assert response.headers["location"] == posted.headers["location"]
        assert int(response.headers["retry-after"]) >= 1


def test_waits_for_the_answer(api, paused):
    """With `wait` the answer comes to those who wait, when it is there."""
    with ThreadPoolExecutor(1) as other:
        with paused():
            place = api.post("/v1/images?wait=0", content=fresh()).headers["location"]
            waiting = other.submit(api.get, place, params={"wait": 60})
        assert waiting.result().json()["state"] == "done"


def test_a_failure_gives_the_problem_of_the_post(api):
    """A failed picture's problem is the same at the post and later, and names the picture."""
    posted = api.post("/v1/images", content=broken_within())
    members = assert_problem(posted, "undecodable-image")

    found = api.get(f"/v1/images/{members['id']}")

    assert members["state"] == "failed"
    assert_problem(found, "undecodable-image")
    assert found.json() == members


def test_an_unknown_id_is_404(api):
    """Nothing is known of an id that was never given out."""
    assert_problem(api.get(f"/v1/images/{uuid.uuid4()}"), "not-found")


@pytest.mark.parametrize("text", NO_IDS)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_no_id_is_404(api, method, text):
    """Text that is no UUID reaches no store."""
    assert_problem(api.request(method, f"/v1/images/{text}"), "not-found")


@pytest.mark.parametrize("query", ["top=0", "wait=61", "wait=inf"])
def test_a_bad_number_is_refused(api, query):
    """The limits of `top` and `wait` are those of the post."""
    assert_problem(api.get(f"/v1/images/{uuid.uuid4()}?{query}"), "invalid-request")
