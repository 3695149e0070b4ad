"""Bodies at the limit and beyond it: refused by their length, before they are read, where they tell it."""

from __future__ import annotations

import pytest
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.wire import Wire

from iraas.testing.specimen import whole_png

LIMIT = 10_000_000  # bytes of an image, by default
MEGABYTE = bytes(1_000_000)
AT_THE_LIMIT = whole_png().ljust(LIMIT, b"\x00")
BEYOND = AT_THE_LIMIT + b"\x00"


def in_chunks(data: bytes):
    """The data in pieces: without a length, so that it travels in chunks."""
    for at in range(0, len(data), 100_000):
        yield data[at : at + 100_000]


WAYS = {
    "raw": lambda data: {"content": data},
    "form": lambda data: {"files": {"file": ("large.png", data)}},
    "chunks": lambda data: {"content": in_chunks(data)},
}


@pytest.mark.parametrize("way", WAYS)
def test_ten_megabytes_are_taken(api, way):
    """A picture of exactly the limit is classified, however it travels."""
    assert api.post("/v1/images", **WAYS[way](AT_THE_LIMIT)).status_code == 200


@pytest.mark.parametrize("way", WAYS)
def test_a_byte_more_is_refused(api, way):
    """One byte beyond the limit is too much, however it travels."""
    assert_problem(api.post("/v1/images", **WAYS[way](BEYOND)), "image-too-large")


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("expect", [{}, {"expect": "100-continue"}])
def test_a_hundred_megabytes_are_refused_before_they_are_sent(service, kind, expect):
    """The refusal comes by the declared length alone: no byte of the body was sent, and none was asked for."""
    with Wire(service) as wire:
        wire.head(content_length=100_000_000, content_type=kind, **expect)
        response = wire.response()

    assert_problem(response, "image-too-large")
    assert response.headers["connection"] == "close"


def test_an_acceptable_body_is_asked_for(service):
    """Who asks before sending is told to go on (RFC 9110, section 10.1.1), and then answered."""
    picture = whole_png()
    with Wire(service) as wire:
        wire.head(content_length=len(picture), expect="100-continue")
        assert wire.response().status_code == 100
        wire.send(picture)
        assert wire.response().status_code == 200


def test_a_client_that_listens_while_it_sends_is_told(service):
    """A hundred megabytes that are on their way already are refused while they come."""
    with Wire(service) as wire:
        wire.head(content_length=100_000_000)
        for _ in range(100):
            if wire.says_within(0):
                break
            wire.send(MEGABYTE)
        assert_problem(wire.response(), "image-too-large")


def test_a_client_that_does_not_listen_is_read_for_a_moment(service):
    """A client that reads nothing before it has sent its twelve megabytes finds the refusal then.

    Were the connection closed at once, its reset would take the refusal along (RFC 9112, section 9.6).
    """
    with Wire(service) as wire:
        wire.head(content_length=12 * len(MEGABYTE))
        for _ in range(12):
            wire.send(MEGABYTE)
        assert_problem(wire.response(), "image-too-large")


def test_chunks_without_an_end_are_refused(service):
    """A body that never says how long it is ends at the limit."""
    piece = b"%x\r\n%b\r\n" % (len(MEGABYTE), MEGABYTE)
    with Wire(service) as wire:
        wire.head(transfer_encoding="chunked")
        sent = 0
        while not wire.says_within(0):
            wire.send(piece)
            sent += 1
        assert_problem(wire.response(), "image-too-large")

    assert sent < 100


def test_a_large_body_to_where_none_is_read(service):
    """A body for a path that wants none is refused with the path, and not collected."""
    with Wire(service) as wire:
        wire.head("POST /nothing", content_length=100_000_000)
        assert_problem(wire.response(), "not-found")
