"""Clients that take their time, all at once, and what each of them gets when its time is over.

The limits are those of an ordinary service: 5 s to the first byte of a body, 16 KB/s over 10 s, 10 s for a head.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import httpx2
import pytest
from tests.e2e.http.pictures import fresh
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import metrics
from tests.e2e.http.wire import Wire

from iraas.testing.specimen import whole_png

DROPS = 40  # seconds after which a client that nobody stops gives up
LATEST = 40.0  # seconds; generous, since other load must not fail a test


class End(NamedTuple):
    """How a client's patience was rewarded."""

    response: httpx2.Response | None  # None: hung up on without a word
    seconds: float


def drip(wire: Wire, drop: bytes) -> None:
    """Send a drop a second, until the other side says something or hangs up."""
    try:
        for _ in range(DROPS):
            wire.send(drop)
            if wire.says_within(1):
                return
    except OSError:
        return


def silence(wire: Wire) -> httpx2.Response:
    """A picture is promised, and never comes."""
    wire.head(content_length=1_000)
    return wire.response()


def byte_a_second(wire: Wire) -> httpx2.Response:
    """A picture comes a byte a second."""
    wire.head(content_length=1_000)
    drip(wire, b"\x89")
    return wire.response()


def chunk_a_second(wire: Wire) -> httpx2.Response:
    """A picture comes a chunk of one byte a second."""
    wire.head(transfer_encoding="chunked")
    drip(wire, b"1\r\n\x89\r\n")
    return wire.response()


def form_byte_a_second(wire: Wire) -> httpx2.Response:
    """A form comes a byte a second, and never gets to its picture."""
    wire.head(content_length=1_000, content_type="multipart/form-data; boundary=b")
    drip(wire, b"-")
    return wire.response()


def fast_and_then_silence(wire: Wire) -> httpx2.Response:
    """Half of a picture comes at once, and the rest never."""
    wire.head(content_length=200_000)
    wire.send(bytes(100_000))
    return wire.response()


def head_byte_a_second(wire: Wire) -> None:
    """A head comes a byte a second (Slowloris)."""
    wire.send(b"GET /livez HTTP/1.1\r\nx: ")
    drip(wire, b"x")


def says_nothing(wire: Wire) -> None:
    """A connection is opened, and nothing said on it."""
    wire.rest()


def line_break_a_second(wire: Wire) -> None:
    """A connection that was used once is kept with line breaks."""
    wire.head("GET /livez")
    wire.response()
    drip(wire, b"\r\n")


def body_that_nobody_wants(wire: Wire) -> None:
    """A body comes a byte a second behind a request that was answered long ago."""
    wire.head("GET /livez", content_length=1_000)
    wire.response()
    drip(wire, b"x")


def slow_and_steady(wire: Wire) -> httpx2.Response:
    """A picture of 960 KB comes over a line of 80 KB/s: five times the least, that a pause may fall into it."""
    wire.head(content_length=960_000)
    picture = whole_png().ljust(960_000, b"\x00")
    for at in range(0, 960_000, 80_000):
        wire.send(picture[at : at + 80_000])
        wire.says_within(1)
    return wire.response()


Client = Callable[[Wire], httpx2.Response | None]
LATE_BODIES: dict[Client, float] = {  # seconds after which each is refused
    silence: 5,
    byte_a_second: 10,
    chunk_a_second: 10,
    form_byte_a_second: 10,
    fast_and_then_silence: 10,
}
LATE_HEADS: tuple[Client, ...] = (
    head_byte_a_second,
    says_nothing,
    line_break_a_second,
    body_that_nobody_wants,
)


@pytest.fixture(scope="module")
def ends(service, api) -> dict[Client, Future[End]]:
    """All of them at once, while a neighbour posts pictures."""
    clients = (*LATE_BODIES, *LATE_HEADS, slow_and_steady)

    def run(client: Client) -> End:
        with Wire(service) as wire:
            began = time.monotonic()
            response = client(wire)
            if response is None:
                assert wire.rest() == b""
            return End(response, time.monotonic() - began)

    with ThreadPoolExecutor(len(clients)) as threads:
        ends = {client: threads.submit(run, client) for client in clients}
        for _ in range(20):
            assert api.post("/v1/images", content=fresh()).status_code == 200
    return ends


@pytest.mark.parametrize("client", LATE_BODIES, ids=lambda client: client.__name__)
def test_a_late_body_is_refused(ends, client):
    """A body that is slower than a modem is given up, with words."""
    end = ends[client].result()

    assert_problem(end.response, "body-too-slow")
    assert end.response.headers["connection"] == "close"
    assert LATE_BODIES[client] - 1 <= end.seconds <= LATEST


@pytest.mark.parametrize("client", LATE_HEADS, ids=lambda client: client.__name__)
def test_a_late_head_ends_the_connection(ends, client):
    """Who keeps a connection without asking for anything loses it."""
    assert 9 <= ends[client].result().seconds <= LATEST


def test_a_slow_line_is_no_crime(ends):
    """A body above the least rate may take its time."""
    assert ends[slow_and_steady].result().response.status_code == 200


@pytest.mark.usefixtures("ends")
def test_their_memory_is_given_back(api):
    """Nothing is kept of bodies that never came."""
    assert metrics(api)["iraas_body_bytes"] == 0
