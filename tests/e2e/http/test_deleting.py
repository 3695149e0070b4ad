"""DELETE /v1/images/{id}: picture and answer go, whatever the workers are doing."""

from __future__ import annotations

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.e2e.http.pictures import broken_within, fresh
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import settled


@pytest.fixture
def stored(service):
    """Every file of the stores that holds these bytes."""

    def finding(data: bytes) -> list[str]:
        folders = (service.data / "inputs", service.data / "results")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return [path.name for path in files if data in path.read_bytes()]

    return finding


def test_a_deleted_picture_is_gone(api):
    """After 204 nobody finds the picture, and there is nothing left to delete."""
    place = f"/v1/images/{api.post('/v1/images', content=fresh()).json()['id']}"

    deleted = api.delete(place)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert_problem(api.get(place), "not-found")
    assert_problem(api.delete(place), "not-found")


def test_nothing_of_the_user_is_kept(api, stored):
    """Picture, file name and fingerprint are gone from the disk once the delete is answered."""
    picture, name = fresh(), f"{uuid.uuid4().hex}.png"
    sha256 = hashlib.sha256(picture).hexdigest()
    answer = api.post("/v1/images", files={"file": (name, picture)}).json()
    assert len(stored(name.encode())) == 2
    assert len(stored(sha256.encode())) == 2

    api.delete(f"/v1/images/{answer['id']}").raise_for_status()

    assert stored(picture) == stored(name.encode()) == stored(sha256.encode()) == []


def test_a_pending_picture_can_be_deleted(api, paused, stored):
    """A picture that waits for a worker is deleted too, and the worker's answer does not bring it back."""
    picture = fresh()
    with paused():
        place = api.post("/v1/images?wait=0", content=picture).headers["location"]
        assert api.delete(place).status_code == 204
        assert_problem(api.get(place), "not-found")

    settled(api)
    assert_problem(api.get(place), "not-found")
    assert stored(picture) == []


def test_those_who_wait_are_told(api, paused):
    """A request that waits for the answer of a deleted picture ends with 404."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    picture = fresh()
    with ThreadPoolExecutor(2) as others, paused():
        place = api.post("/v1/images?wait=0", content=picture, headers=key).headers["location"]
        getting = others.submit(api.get, place, params={"wait": 60})
        assert not getting.done()
        api.delete(place).raise_for_status()

        assert_problem(getting.result(), "not-found")


def test_a_failed_picture_can_be_deleted(api):
    """A failure is an answer, and goes like one."""
    failed = api.post("/v1/images", content=broken_within()).json()

    assert api.delete(f"/v1/images/{failed['id']}").status_code == 204
    assert_problem(api.get(f"/v1/images/{failed['id']}"), "not-found")


def test_an_unknown_id_is_404(api):
    """There is nothing to delete under an id that was never given out."""
    assert_problem(api.delete(f"/v1/images/{uuid.uuid4()}"), "not-found")
