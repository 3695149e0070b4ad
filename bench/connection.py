"""PNG -> the bytes of a request -> the status of its answer. HTTP/1.1, no more of it than the bench needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

LOST = 0  # the status of a request whose connection broke, or that nobody answered
_BOUNDARY = "iraas-bench-0b7c2c4d9a5e4f63"


def request(url: str, png: bytes) -> bytes:
    """A POST of a form with one file, as curl -F sends it."""
    parts = urlsplit(url)
    opening = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="picture.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode()
    body = opening + png + f"\r\n--{_BOUNDARY}--\r\n".encode()
    head = (
        f"POST {parts.path}{'?' if parts.query else ''}{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    return head + body


class Connection(asyncio.Protocol):
    """One request at a time; calls `on_answer(connection, begun, status)` when it is over."""

    def __init__(self, on_answer: Callable[[Connection, float, int], None]) -> None:
        self._on_answer = on_answer
        self._transport: asyncio.Transport | None = None
        self._begun: float | None = None
        self._received = b""

    @property
    def is_open(self) -> bool:
        """Whether it can take another request."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, sent: bytes, begun: float) -> None:
        """Send a request that is said to have begun at `begun`."""
        assert self._transport is not None
        self._begun, self._received = begun, b""
        self._transport.write(sent)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is registered as none, and is one

    def data_received(self, data: bytes) -> None:
        """An answer, or a piece of one."""
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._received[:head_end].lower()
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        if len(self._received) < head_end + 4 + length:
            return
        if b"\r\nconnection: close" in head and self._transport is not None:
            self._transport.close()
        self._over(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Gone: what was under way has no answer."""
        self._transport = None
        self._over(LOST)

    def _over(self, status: int) -> None:
        if self._begun is not None:
            begun, self._begun = self._begun, None
            self._on_answer(self, begun, status)
