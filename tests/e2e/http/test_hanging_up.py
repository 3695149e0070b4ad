"""Clients that hang up: what was half there is forgotten, what was accepted is answered."""

from __future__ import annotations

import uuid

import pytest
from tests.e2e.http.pictures import fresh, grey
from tests.e2e.http.states import family, metrics, settled
from tests.e2e.http.wire import Wire
from tests.waiting import until

HALF = bytes(500_000)
ABANDONED = 'iraas_requests_total{route="/v1/images",status="499"}'  # nginx' number for it


@pytest.fixture
def accepted(api):
    """How many pictures were accepted so far."""
    return lambda: metrics(api)["iraas_images_accepted_total"]


@pytest.mark.parametrize(
    ("fields", "start"),
    [
        ({"content_length": 2 * len(HALF)}, b""),
        ({"transfer_encoding": "chunked"}, b"%x\r\n" % (2 * len(HALF))),
        (
            {"content_length": 2 * len(HALF), "content_type": "multipart/form-data; boundary=b"},
            b'--b\r\ncontent-disposition: form-data; name="f"; filename="cat.png"\r\n\r\n',
        ),
    ],
    ids=["raw", "chunks", "form"],
)
def test_half_a_picture_is_forgotten(service, api, accepted, fields, start):
    """Of an upload that broke off nothing is accepted, and its memory is given back."""
    before, processes = accepted(), family(service)
    gone = metrics(api).get(ABANDONED, 0)
    with Wire(service) as wire:
        wire.head(**fields)
        wire.send(start + HALF)
        until(lambda: metrics(api)["iraas_body_bytes"] >= len(HALF) / 2, what="the half arrives")

    until(lambda: metrics(api).get(ABANDONED, 0) == gone + 1, what="the service notices")
    assert metrics(api)["iraas_body_bytes"] == 0
    assert accepted() == before
    assert family(service) == processes


def test_hanging_up_in_the_head_leaves_nothing(service, api):
    """A connection that breaks off within the head is closed, and others go on."""
    for _ in range(50):
        with Wire(service) as wire:
            wire.send(b"POST /v1/images HTT")

    assert api.post("/v1/images", content=fresh()).status_code == 200


def test_who_hangs_up_while_waiting_has_its_answer_later(service, api):
    """An accepted picture is answered, whether or not anybody waits for it."""
    key, picture = str(uuid.uuid4()), grey(5)
    before = metrics(api)["iraas_images_accepted_total"]
    with Wire(service) as wire:
        wire.head(content_length=len(picture), idempotency_key=key)
        wire.send(picture)
        until(lambda: metrics(api)["iraas_images_accepted_total"] > before, what="the picture is accepted")

    settled(api)
    answer = api.post("/v1/images?wait=0", content=picture, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["state"]) == (200, "done")


def test_a_hundred_that_hang_up_at_once(service, api):
    """A network that breaks under many uploads leaves a healthy service."""
    wires = [Wire(service) for _ in range(100)]
    for wire in wires:
        wire.head(content_length=100_000)
        wire.send(bytes(50_000))
    for wire in wires:
        wire.close()

    settled(api)
    assert api.post("/v1/images", content=fresh()).status_code == 200
