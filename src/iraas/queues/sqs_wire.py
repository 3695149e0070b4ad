"""botocore's signed request -> AWSResponse, over connections that are kept open.

botocore's own transport takes a third of the CPU time of a call (`python -m bench.calls`), mostly in objects
that nobody asks for. `before-send` is its documented way to put another in its place:
https://docs.aws.amazon.com/botocore/latest/topics/events.html. What is signed, retried, and made of an answer
stays botocore's; errors are raised as its own, so that it retries them as its own.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import httptools
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

CONNECT_SECONDS = 2.0
WRITE_SECONDS = 10.0  # a request of 1 MiB on a slow line
READ_BYTES = 65_536  # a step
PORTS = {"http": 80, "https": 443}
# A peer that vanished without a word is noticed while a poll waits for it: 5 s of silence, then 3 probes.
KEEP_ALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}


class Place(NamedTuple):
    """Where a URL leads."""

    scheme: str
    host: str
    port: int
    head: bytes  # of a POST there, up to the first header of the caller's


class Wire:
    """Carries requests of any number of threads, one at a time on each connection."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._idle: deque[tuple[Place, socket.socket]] = deque()  # the one used last at the end
        self._closed = False

    def send(
        self, request: AWSPreparedRequest, *, read_seconds: float, before: Callable[[], object]
    ) -> AWSResponse:
        """The answer; `before` is called when the connection is there and the request about to go.

        Raises botocore's errors of a connection.
        """
        place = _place(request.url)
        connection = self._connection(place)
        try:
            before()
            _write(connection, place, request)
            answer = _read(connection, time.monotonic() + read_seconds)
        except TimeoutError as error:
            connection.close()
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from None
        except (OSError, httptools.HttpParserError) as error:
            connection.close()
            raise ConnectionClosedError(endpoint_url=request.url, request=request, error=error) from None
        except BaseException:
            connection.close()
            raise
        if answer.stays_open and not self._closed:
            self._idle.append((place, connection))
        else:
            connection.close()
        return AWSResponse(request.url, answer.status, answer.headers, _Body(b"".join(answer.parts)))

    def close(self) -> None:
        """Close what is idle now, and what is in use when it was used."""
        self._closed = True
        while self._idle:
            self._idle.pop()[1].close()

    def _connection(self, place: Place) -> socket.socket:
        while self._idle:
            try:
                kept, connection = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if kept == place and not _has_news(connection):
                return connection
            connection.close()
        return self._connect(place)

    def _connect(self, place: Place) -> socket.socket:
        url = f"{place.scheme}://{place.host}:{place.port}"
        try:
            connection = socket.create_connection((place.host, place.port), timeout=CONNECT_SECONDS)
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from None
        except OSError as error:  # no such host, refused, no way there
            raise EndpointConnectionError(endpoint_url=url, error=error) from None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEP_ALIVE.items():
            if hasattr(socket, name):  # macOS lacks some
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return self._encrypted(connection, place, url) if place.scheme == "https" else connection

    def _encrypted(self, connection: socket.socket, place: Place, url: str) -> socket.socket:
        assert self._tls is not None, "a wire without TLS was given an https address"
        try:
            return self._tls.wrap_socket(connection, server_hostname=place.host)
        except TimeoutError as error:
            connection.close()
            raise ConnectTimeoutError(endpoint_url=url, error=error) from None
        except ssl.SSLError as error:
            connection.close()
            raise SSLError(endpoint_url=url, error=error) from None
        except OSError as error:
            connection.close()
            raise EndpointConnectionError(endpoint_url=url, error=error) from None


class _Answer:
    """Fills itself from the parser's calls."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.parts: list[bytes] = []
        self.whole = False
        self.stays_open = False

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()
        self.stays_open = self.parser.should_keep_alive()  # it forgets when the message is over

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, part: bytes) -> None:
        self.parts.append(part)

    def on_message_complete(self) -> None:
        self.whole = True


class _Body(io.BytesIO):
    """A body that was read, as `AWSResponse` reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.getvalue()


@lru_cache(maxsize=8)
def _place(url: str) -> Place:
    parts = urlsplit(url)
    port = parts.port or PORTS[parts.scheme]
    host = parts.hostname or ""
    named = f"[{host}]" if ":" in host else host
    if port != PORTS[parts.scheme]:
        named += f":{port}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = f"POST {target} HTTP/1.1\r\nHost: {named}\r\nAccept-Encoding: identity\r\n"
    return Place(parts.scheme, host, port, head.encode("latin-1"))


def _write(connection: socket.socket, place: Place, request: AWSPreparedRequest) -> None:
    parts = [place.head]
    for name, value in request.headers.items():
        parts += (
            name.encode("latin-1"),
            b": ",
            value if isinstance(value, bytes) else value.encode("latin-1"),
        )
        parts.append(b"\r\n")
    parts += (b"\r\n", request.body or b"")
    connection.settimeout(WRITE_SECONDS)
    connection.sendall(b"".join(parts))


def _read(connection: socket.socket, deadline: float) -> _Answer:
    answer = _Answer()
    while not answer.whole:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        received = connection.recv(READ_BYTES)
        if not received:
            raise ConnectionResetError("closed before the answer was whole")
        answer.parser.feed_data(received)
    del answer.parser  # the two hold each other
    return answer


def _has_news(connection: socket.socket) -> bool:
    """Whether an idle connection has something to read: it was closed, or is out of step."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
