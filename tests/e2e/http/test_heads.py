"""Request heads: too large, cut into pieces, malformed, and what some use to confuse two servers."""

from __future__ import annotations

import pytest
from tests.e2e.http.pictures import grey
from tests.e2e.http.problems import assert_problem
from tests.e2e.http.states import client_of, resting
from tests.e2e.http.wire import Wire

from iraas.testing.specimen import whole_png

OFFER = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2-settings": "AAMAAABkAAQAoAAA"}
TWENTY_KB = "x" * 20_000
LARGE_HEADS = {
    "one field": f"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {TWENTY_KB}\r\n\r\n",
    "many fields": "GET /livez HTTP/1.1\r\nhost: localhost\r\n" + "x: y\r\n" * 4_000 + "\r\n",
    "address": f"GET /{TWENTY_KB} HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "method": f"{TWENTY_KB} / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "name without an end": f"GET /livez HTTP/1.1\r\nhost: localhost\r\n{TWENTY_KB}",
    "value without an end": f"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {TWENTY_KB}",
    "a megabyte": f"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {TWENTY_KB * 50}\r\n\r\n",
    "before a body": f"POST /v1/images HTTP/1.1\r\nhost: localhost\r\nx: {TWENTY_KB}\r\ncontent-length: 3\r\n\r\nabc",
}
MALFORMED = (
    "\x00\r\n\r\n",
    "hello\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET /livez HTTX/1.1\r\n\r\n",
    "GET /li vez HTTP/1.1\r\n\r\n",
    "GET /li\x00vez HTTP/1.1\r\n\r\n",
    "GET http://[::1 HTTP/1.1\r\n\r\n",
    "GET /\xff\xfe HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "CONNECT localhost:22 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x01" * 40,  # TLS
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /livez HTTP/1.1\r\nhost: localhost\r\nno colon\r\n\r\n",
    "GET /livez HTTP/1.1\r\nhost: localhost\r\nspace : x\r\n\r\n",
    "GET /livez HTTP/1.1\r\nhost: localhost\r\n : x\r\n\r\n",
    "GET /livez HTTP/1.1\r\nhost: localhost\r\nnul: \x00\r\n\r\n",
)
AMBIGUOUS = (  # which bytes are the body? CWE-444
    "content-length: 3\r\ntransfer-encoding: chunked",
    "content-length: 3\r\ncontent-length: 4",
    "content-length: 3, 4",
    "content-length: +3",
    "content-length: -3",
    "content-length: 3x",
    "content-length: " + "9" * 30,
    "transfer-encoding: chunked, identity",
    "transfer-encoding : chunked",
)


@pytest.mark.parametrize("head", LARGE_HEADS.values(), ids=LARGE_HEADS.keys())
def test_a_large_head_is_refused(service, head):
    """More than 16 KB before the body are refused, wherever in the head they are."""
    with Wire(service) as wire:
        wire.send_unless_refused(head.encode("latin-1"))
        response = wire.response()

    if response.status_code != 400:  # a method of 20 KB is no HTTP to begin with
        assert_problem(response, "headers-too-large")
    assert response.headers["connection"] == "close"


def test_a_large_head_in_small_pieces_is_refused(service):
    """A head that comes in many packets is counted together."""
    with Wire(service) as wire:
        wire.send(b"GET /livez HTTP/1.1\r\nx: ")
        while not wire.says_within(0.001):
            wire.send(b"x" * 500)
        assert_problem(wire.response(), "headers-too-large")


def test_a_head_of_16_kb_is_taken(service):
    """What is below the limit is read, in one packet or in many."""
    head = f"GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {'x' * 16_000}\r\n\r\n".encode()
    with Wire(service) as wire:
        wire.send(head)
        assert wire.response().status_code == 200
        for at in range(0, len(head), 1_000):
            wire.send(head[at : at + 1_000])
        assert wire.response().status_code == 200


@pytest.mark.parametrize("behind", [b"0\r\nx: %b", b"1;x=%b"], ids=["trailers", "chunk extension"])
@pytest.mark.parametrize("route", ["POST /v1/images", "POST /nothing", "GET /livez"])
def test_the_end_of_a_body_is_no_way_around(service, route, behind):
    """Fields behind a chunked body count too: they would be collected like those before it."""
    with Wire(service) as wire:
        wire.head(route, transfer_encoding="chunked")
        wire.send_unless_refused(behind % (b"x" * 1_000_000))
        said = wire.rest()

    assert b"431" in said or b"404" in said or b"200" in said
    assert said.count(b"HTTP/1.1") <= 2


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_http_is_a_problem(service, text):
    """What cannot be read as a request is a 400 in the same form as every error."""
    with Wire(service) as wire:
        wire.send(text.encode("latin-1"))
        response = wire.response()
        assert wire.rest() == b""

    assert_problem(response, "invalid-request")
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize("fields", AMBIGUOUS)
def test_a_body_of_two_lengths_is_refused(service, fields):
    """Where two servers could disagree on a body's end, this one does not guess."""
    with Wire(service) as wire:
        wire.send(f"POST /v1/images HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n\r\nabc".encode())
        assert_problem(wire.response(), "invalid-request")


@pytest.mark.parametrize("body", [b"xyz\r\n", b"-1\r\n", b"1\r\nab", b"ffffffffffffffffff\r\n"])
def test_a_malformed_chunk_is_refused(service, body):
    """A chunk that is none ends the request."""
    with Wire(service) as wire:
        wire.head(transfer_encoding="chunked")
        wire.send(body)
        assert_problem(wire.response(), "invalid-request")


def test_requests_in_one_packet_are_answered_in_order(service):
    """Pipelined requests get their answers one after the other."""
    paths = ("/livez", "/nothing", "/readyz")
    with Wire(service) as wire:
        wire.send("".join(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n" for path in paths).encode())
        assert [wire.response().status_code for _ in paths] == [200, 404, 200]


def test_line_breaks_after_a_request_do_no_harm(service):
    """Old clients send a line break too many behind a body (RFC 9112, section 2.2)."""
    picture = whole_png()
    with Wire(service) as wire:
        for _ in range(2):
            wire.head(content_length=len(picture))
            wire.send(picture)
            wire.send(b"\r\n")
            assert wire.response().status_code == 200


def test_who_waits_is_not_cut_off(start):
    """The time of a head does not run while an answer is on its way, whatever the client sends meanwhile."""
    service, picture = start(HEAD_MAX_SECONDS="3"), grey(5)
    with client_of(service) as client, Wire(service) as wire:
        with resting(service, client):
            wire.head("POST /v1/images?wait=60", content_length=len(picture))
            wire.send(picture)
            wire.send(b"\r\nGET /livez HTTP/1.1\r\nhost: local")
            assert not wire.says_within(4.5)
        assert wire.response().json()["label"] == "grey 5"
        wire.send(b"host\r\n\r\n")
        assert wire.response().status_code == 200


def test_an_upgrade_is_declined(service):
    """A client that offers HTTP/2 in passing, as curl does, is answered in HTTP/1.1, again and again."""
    picture = whole_png()
    with Wire(service) as wire:
        for _ in range(2):
            wire.head(content_length=len(picture), **OFFER)
            wire.send(picture)
            assert wire.response().status_code == 200


def test_an_upgrade_with_chunks_in_one_packet_is_declined(service):
    """The offer changes nothing about how a body is read, nor about the request behind it."""
    picture = whole_png()
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(picture), picture)
    fields = "".join(f"{name}: {value}\r\n" for name, value in OFFER.items())
    post = (
        f"POST /v1/images HTTP/1.1\r\nhost: localhost\r\n{fields}transfer-encoding: chunked\r\n\r\n".encode()
    )
    with Wire(service) as wire:
        wire.send(
            2 * (post + chunks) + b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )
        assert [wire.response().status_code for _ in range(3)] == [200, 200, 200]
        assert wire.rest() == b""


def test_an_offer_keeps_the_rest_of_its_field(service):
    """`Connection: close, Upgrade` still closes."""
    with Wire(service) as wire:
        wire.head("GET /livez", connection="close, Upgrade", upgrade="websocket")
        response = wire.response()
        assert wire.rest() == b""

    assert (response.status_code, response.headers["connection"]) == (200, "close")
