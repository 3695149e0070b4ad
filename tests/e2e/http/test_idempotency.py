"""Idempotency-Key: one key, one picture, one job, one answer."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx2
import pytest
from tests.e2e.http.pictures import broken_within, fresh, grey
from tests.e2e.http.problems import assert_problem

AT_ONCE = 8


@pytest.fixture
def key() -> str:
    """A key that nobody used before."""
    return str(uuid.uuid4())


@pytest.fixture
def post(api, key):
    """Posts a picture with the key."""

    def posting(picture: bytes, **parameters: object) -> httpx2.Response:
        return api.post("/v1/images", content=picture, params=parameters, headers={"Idempotency-Key": key})

    return posting


def test_the_same_picture_again_has_the_same_answer(post):
    """A repeated post gives the first one's id and answer, to the last letter."""
    first, second = post(grey(3)), post(grey(3))

    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert uuid.UUID(first.json()["id"]).version == 8


def test_another_picture_is_refused(post):
    """The same key with other bytes is a mistake, and is told so, answered or not."""
    post(grey(3), wait=0)

    assert_problem(post(grey(4)), "idempotency-mismatch")
    assert post(grey(3)).status_code == 200
    assert_problem(post(grey(4)), "idempotency-mismatch")


def test_posting_again_while_it_is_pending_waits_for_the_same_answer(post):
    """A client that lost its connection posts again, and waits for the job that it has already."""
    pending = post(grey(3), wait=0).json()

    assert post(grey(3)).json()["id"] == pending["id"]


def test_the_same_picture_at_once_is_one_job(post):
    """Clients that post the same at the same moment all get the one answer."""
    together = Barrier(AT_ONCE)

    def client(_number: int) -> httpx2.Response:
        together.wait()
        return post(grey(3))

    with ThreadPoolExecutor(AT_ONCE) as clients:
        responses = list(clients.map(client, range(AT_ONCE)))

    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1


def test_other_pictures_at_once_have_one_winner(post):
    """Of clients that post different pictures at the same moment one is answered, the others are refused."""
    together = Barrier(AT_ONCE)

    def client(number: int) -> httpx2.Response:
        together.wait()
        return post(grey(number))

    with ThreadPoolExecutor(AT_ONCE) as clients:
        responses = list(clients.map(client, range(AT_ONCE)))

    [won] = [response for response in responses if response.status_code == 200]
    assert won.json()["state"] == "done"
    for response in responses:
        if response is not won:
            assert_problem(response, "idempotency-mismatch")


def test_a_failure_is_an_answer_too(post):
    """A picture that failed gives the same problem again, and keeps other pictures off its key."""
    first, second = post(broken_within()), post(broken_within())

    assert_problem(first, "undecodable-image")
    assert first.content == second.content
    assert_problem(post(grey(3)), "idempotency-mismatch")


def test_a_refused_picture_does_not_use_the_key_up(post):
    """Nothing was accepted of a picture that was refused at once: the key is free for the right one."""
    assert_problem(post(b"<svg/>"), "unsupported-media-type")

    assert post(grey(3)).status_code == 200


def test_a_deleted_picture_uses_the_key_up(api, post):
    """After a delete its key says so, for the same picture and for others."""
    answer = post(grey(3)).json()
    api.delete(f"/v1/images/{answer['id']}").raise_for_status()

    assert_problem(post(grey(3)), "deleted")
    assert_problem(post(grey(4)), "deleted")


@pytest.mark.parametrize(
    "key", ["", "fifteen letters", "x" * 256, "sixteen letters\tor more", "schlüssel" * 3]
)
def test_a_bad_key_is_refused(api, key):
    """A key has 16 to 255 printable ASCII characters."""
    headers = {"Idempotency-Key": key.encode()}

    assert_problem(api.post("/v1/images", content=fresh(), headers=headers), "invalid-request")


@pytest.mark.parametrize("length", [16, 255])
def test_a_key_of_either_extreme_is_taken(api, length):
    """The shortest key and the longest one are good."""
    headers = {"Idempotency-Key": str(uuid.uuid4()).ljust(length, "x")[-length:]}

    assert api.post("/v1/images", content=fresh(), headers=headers).status_code == 200
