"""POST /v1/images: the ways in, and what comes back."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from tests.e2e.http.pictures import fresh, grey
from tests.e2e.http.problems import assert_problem

FIELDS = ("file", "image", "myfile", "inputFile", "anything else")
TYPES = ("image/png", "image/jpeg", "application/octet-stream", "application/x-www-form-urlencoded", None)


@pytest.mark.parametrize("field", FIELDS)
def test_takes_a_form_with_a_file(api, field):
    """The file of a multipart form is the picture, whatever its field is called, and its name comes back."""
    response = api.post("/v1/images", files={field: ("cat.png", fresh())})

    assert response.status_code == 200
    assert response.json()["filename"] == "cat.png"


@pytest.mark.parametrize("kind", TYPES)
def test_takes_a_raw_body(api, kind):
    """A body of any type but a form's is the picture itself, and has no name."""
    headers = {} if kind is None else {"Content-Type": kind}
    response = api.post("/v1/images", content=fresh(), headers=headers)

    assert response.status_code == 200
    assert response.json()["filename"] is None


def test_passes_over_fields_that_are_no_files(api):
    """Text before and after the file does not count as the picture."""
    files = {"note": (None, "hello"), "file": ("cat.png", grey(7)), "more": (None, b"\x89PNG")}
    answer = api.post("/v1/images", files=files).json()

    assert answer["image"]["sha256"] == hashlib.sha256(grey(7)).hexdigest()


def test_the_first_of_two_files_counts(api):
    """Of two files in a form only the first is classified."""
    files = [("one", ("one.png", grey(1))), ("two", ("two.png", grey(2)))]
    answer = api.post("/v1/images", files=files).json()

    assert answer["filename"] == "one.png"
    assert answer["image"]["sha256"] == hashlib.sha256(grey(1)).hexdigest()


def test_an_answer_has_every_member(api):
    """An answer says what the picture shows, what it was, who classified it, and where the time went."""
    picture = grey(120, side=48)
    answer = api.post("/v1/images", files={"file": ("grey.png", picture)}).json()

    assert set(answer) == {
        "id", "state", "filename", "label", "score", "predictions", "model", "image", "timing_ms"
    }  # fmt: skip
    assert uuid.UUID(answer["id"]).version == 7
    assert answer["state"] == "done"
    assert answer["image"] == {
        "format": "png", "width": 48, "height": 48, "sha256": hashlib.sha256(picture).hexdigest()
    }  # fmt: skip
    first, *others = answer["predictions"]
    assert (first["label"], first["score"]) == (answer["label"], answer["score"])
    assert set(first) == {"class_id", "wnid", "label", "score"}
    assert answer["score"] >= others[0]["score"] >= others[-1]["score"] > 0
    assert set(answer["timing_ms"]) == {"queued", "decode", "infer", "total"}
    assert answer["model"].startswith("efficientnet-lite0@")


@pytest.mark.parametrize(("query", "count"), [("", 5), ("?top=1", 1), ("?top=100", 100)])
def test_top_says_how_many_labels(api, query, count):
    """`top` slices the same answer, at the post and later."""
    posted = api.post(f"/v1/images{query}", content=fresh()).json()
    found = api.get(f"/v1/images/{posted['id']}{query}").json()

    assert len(posted["predictions"]) == count
    assert found == posted


def test_wait_0_gives_the_place_of_the_answer(api):
    """Who does not wait gets 202 with the place where the answer will be, and when to look."""
    response = api.post("/v1/images?wait=0", content=fresh())

    assert response.status_code == 202
    assert int(response.headers["retry-after"]) >= 1
    pending = response.json()
    assert pending == {"id": pending["id"], "state": "pending"}
    assert response.headers["location"] == f"/v1/images/{pending['id']}"
    answer = api.get(response.headers["location"], params={"wait": 60})
    assert (answer.status_code, answer.json()["state"]) == (200, "done")


@pytest.mark.parametrize("prefer", ["respond-async", "handling=lenient, Respond-Async", "respond-async; x=1"])
def test_prefer_respond_async_does_not_wait(api, prefer):
    """`Prefer: respond-async` is `wait=0` (RFC 7240)."""
    response = api.post("/v1/images?wait=30", content=fresh(), headers={"Prefer": prefer})

    assert response.status_code == 202


@pytest.mark.parametrize(
    "query",
    [
        "top=0",
        "top=101",
        "top=-1",
        "top=five",
        "top=",
        "top=2.5",
        "wait=-1",
        "wait=60.5",
        "wait=nan",
        "wait=x",
    ],
)
def test_a_bad_number_is_refused(api, query):
    """A `top` or `wait` that is none is named in the problem."""
    response = api.post(f"/v1/images?{query}", content=fresh())

    assert query.partition("=")[0] in assert_problem(response, "invalid-request")["detail"]
