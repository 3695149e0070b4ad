"""Memory for bodies, and room in the store: refused in words when short, and found again."""

from __future__ import annotations

from contextlib import suppress

import pytest
from tests.e2e.http.pictures import grey
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import client_of, metrics, resting
from tests.e2e.http.wire import Wire
from tests.waiting import until

from iraas.testing.specimen import whole_png

BODIES_BYTES = 1_000_000
STORE_BYTES = 4_000_000
LARGE = whole_png().ljust(200_000, b"\x00")
ROOM_FOR = STORE_BYTES // len(LARGE)  # pictures


@pytest.fixture(scope="module")
def small(start):
    """A service with room for twenty large pictures, and memory for the bodies of five."""
    return start(MAX_BODIES_BYTES=str(BODIES_BYTES), MAX_STORE_BYTES=str(STORE_BYTES))


@pytest.fixture(scope="module")
def client(small):
    """Its client."""
    with client_of(small) as client:
        yield client


def test_bodies_in_memory_have_a_budget(small, client):
    """While uploads that are on their way take all the memory, another one is refused, and small ones are not."""
    with Wire(small) as wire:
        wire.head(content_length=BODIES_BYTES)
        wire.send(bytes(BODIES_BYTES - 100_000))
        until(lambda: metrics(client)["iraas_body_bytes"] >= 900_000, what="the body arrives")

        assert_problem(client.post("/v1/images", content=LARGE), "out-of-room")
        assert client.post("/v1/images", content=grey(9)).status_code == 200
        assert metrics(client)["iraas_body_bytes"] == 900_000

    until(lambda: metrics(client)["iraas_body_bytes"] == 0, what="the memory is given back")
    assert client.post("/v1/images", content=LARGE).status_code == 200


def test_a_wait_holds_no_memory(small, client):
    """A picture that is stored already takes none of the budget, however long its client waits."""
    with resting(small, client):
        for _ in range(2 * BODIES_BYTES // len(LARGE)):
            assert client.post("/v1/images?wait=0", content=LARGE).status_code == 202
        with Wire(small) as wire:
            wire.head("POST /v1/images?wait=60", content_length=len(LARGE))
            wire.send(LARGE)
            until(lambda: metrics(client)["iraas_queue_visible"] >= 11, what="the picture is queued")
            assert metrics(client)["iraas_body_bytes"] == 0


def test_old_pictures_make_room_for_new_ones(small, client):
    """Twice what the store holds goes through it: the oldest answered pictures go, their answers stay."""

    def posted() -> str | None:
        response = client.post("/v1/images", content=LARGE)
        if response.status_code == 200:
            return str(response.json()["id"])
        assert_problem(response, "out-of-room")
        return None

    ids = [until(posted, what="there is room again") for _ in range(2 * ROOM_FOR)]

    stored = {path.name: path for path in (small.data / "inputs").rglob("????????-????-*")}
    sizes = []
    for path in stored.values():
        with suppress(FileNotFoundError):  # room is still being made
            sizes.append(path.stat().st_size)
    assert sum(sizes) <= STORE_BYTES
    assert ids[-1] in stored
    assert ids[0] not in stored
    assert client.get(f"/v1/images/{ids[0]}").json()["state"] == "done"
    assert metrics(client)['iraas_retention_removed_total{what="inputs"}'] > 0


def test_pictures_without_an_answer_never_go(start):
    """When everything in the store still waits for its answer, uploads are refused until there are answers."""
    service = start(MAX_STORE_BYTES=str(STORE_BYTES))
    places = []
    with client_of(service) as client:
        with resting(service, client):
            while (response := client.post("/v1/images?wait=0", content=LARGE)).status_code == 202:
                places.append(response.headers["location"])
            assert_problem(response, "out-of-room")

        assert len(places) >= ROOM_FOR - 1
        for place in places:
            assert client.get(place, params={"wait": 60}).json()["state"] == "done"
        until(lambda: client.post("/v1/images", content=LARGE).status_code == 200, what="there is room again")
