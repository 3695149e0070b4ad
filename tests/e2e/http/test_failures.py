"""What goes wrong on the service's side: the problem of it, and what still works."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tests.e2e.http.pictures import fresh, grey
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import client_of, metrics, resting, settled

from iraas.testing.fatal_model import RED
from iraas.testing.png_writer import write_png

NEVER_REFUSED = 256  # waiting pictures


def test_a_picture_whose_input_is_gone_has_expired(service, api, paused):
    """When a worker finds no picture to its job, the job is answered, not tried for ever."""
    with paused():
        posted = api.post("/v1/images?wait=0", content=fresh())
        [stored] = (service.data / "inputs").rglob(posted.json()["id"])
        stored.unlink()
    settled(api)  # until then nothing tells this picture from one that never was

    found = api.get(posted.headers["location"])

    members = assert_problem(found, "input-expired")
    assert (members["id"], members["state"]) == (posted.json()["id"], "failed")


def test_a_picture_that_kills_its_worker_is_condemned(start):
    """A picture on which the classifier dies twice is answered so, at the post and later; others are answered."""
    red = write_png(np.full((8, 8, 3), RED), colour_type=2)
    with client_of(start(model="fatal")) as client:
        posted = client.post("/v1/images?wait=60", content=red)
        members = assert_problem(posted, "classifier-crashed")

        assert members["state"] == "failed"
        assert client.get(f"/v1/images/{members['id']}").content == posted.content
        assert client.post("/v1/images", content=grey(100)).json()["label"] == "brightness 3"


def test_a_backlog_is_refused_at_the_door(start):
    """When more waits than can be answered in time, new pictures are refused; what was accepted is answered."""
    service = start(MAX_BACKLOG_SECONDS="0.05")

    def post(_number: int) -> str:
        return client.post("/v1/images?wait=0", content=grey(6)).raise_for_status().headers["location"]

    with client_of(service) as client, ThreadPoolExecutor(8) as clients:
        with resting(service, client):
            places = list(clients.map(post, range(NEVER_REFUSED)))
            refused = client.post("/v1/images", content=grey(6))
            assert_problem(refused, "overloaded")
            assert_problem(client.post("/v1/images", content=grey(6)), "overloaded")
            assert metrics(client)["iraas_images_accepted_total"] == NEVER_REFUSED

        settled(client)
        assert {client.get(place).json()["label"] for place in places} == {"grey 6"}
        assert client.post("/v1/images", content=grey(7)).json()["label"] == "grey 7"


def test_a_store_that_is_gone_is_said(start):
    """Without its store the service says so, and that trying again may help; it lives, and is not ready."""
    service = start()
    with client_of(service) as client:
        assert client.post("/v1/images", content=grey(1)).status_code == 200
        shutil.rmtree(service.data / "inputs")

        assert_problem(client.post("/v1/images", content=grey(2)), "backend-unavailable")
        assert_problem(client.get("/readyz"), "backend-unavailable")
        assert client.get("/livez").status_code == 200
        assert client.get("/metrics").status_code == 200
