"""uvicorn's HTTP protocol with the limits that it lacks: a request head's size and time, and connections.

A client that sends its head a byte a second would otherwise hold a connection for ever (Slowloris, CVE-2007-6750
in Apache), and so would one that goes on with a body that nobody reads, or that sends nothing but line breaks.
Headers, and trailers behind a chunked body, would be collected in memory whatever their size.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Literal

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from iraas.errors import HeadersTooLarge, InvalidRequest, IraasError, OutOfRoom
from iraas.web.problems import MEDIA_TYPE, headers, problem
from iraas.web.upgrade import DecliningProtocol

KEEP_ALIVE_SECONDS = 80  # more than a balancer's idle time-out of 75, or it meets closed connections (502)


class BoundedProtocol(DecliningProtocol):
    """One connection. Subclass it with other numbers; `bounded` does."""

    head_max_bytes: ClassVar[int] = 16_384
    head_max_seconds: ClassVar[float] = 10.0
    max_connections: ClassVar[int] = 1_024

    _stage: Literal["between", "head", "body"] = "between"  # of what the client sends
    _unused_bytes = 0  # received since the parser last gave something away: of a head, or of trailers
    _head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._refuse(OutOfRoom("too many connections; try again in a moment", retry_after=1))
            return
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; refuse a head that is larger or comes later than it may."""
        if self._stage == "between" and self._head_deadline is None:
            self._expect_head()  # the keep-alive timer ends with the first byte, and a line break begins no head
        self._unused_bytes += len(data)
        super().data_received(data)
        if self._unused_bytes > self.head_max_bytes:
            self._refuse(HeadersTooLarge(f"a request's head may have {self.head_max_bytes:,} bytes"))

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._stage = "head"
        self._expect_head()

    def on_headers_complete(self) -> None:
        """A request's head is there: give it to the application if it is not too large."""
        self._stage, self._unused_bytes = "body", 0
        self._cancel_deadline()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.head_max_bytes:
            self._refuse(HeadersTooLarge(f"a request's head may have {self.head_max_bytes:,} bytes"))
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Body bytes, unless the request was refused by its head."""
        self._unused_bytes = 0
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is complete; the next head may begin."""
        self._stage, self._unused_bytes = "between", 0
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is out; what is left of a body that nobody read, or of the next head, must come soon."""
        super().on_response_complete()
        if self._stage != "between":
            self._expect_head()

    def send_400_response(self, msg: str) -> None:
        """What the parser could not read."""
        self._refuse(InvalidRequest(msg))

    def _expect_head(self) -> None:
        self._cancel_deadline()
        if self.cycle is not None and not self.cycle.response_complete:
            return  # an answer is on its way: its client is not cut off, whatever it sends meanwhile
        self._head_deadline = self.loop.call_later(self.head_max_seconds, self._close_late)

    def _cancel_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _close_late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, error: IraasError) -> None:
        self._cancel_deadline()
        if self.transport.is_closing():
            return
        body = msgspec.json.encode(problem(error))
        fields = {
            "content-type": MEDIA_TYPE,
            "content-length": str(len(body)),
            "connection": "close",
            **headers(error),
        }
        head = b"".join(f"{name}: {value}\r\n".encode() for name, value in fields.items())
        self.transport.write(STATUS_LINE[error.status] + head + b"\r\n" + body)
        self.transport.close()


def bounded(*, head_max_bytes: int, head_max_seconds: float, max_connections: int) -> type[BoundedProtocol]:
    """The protocol class with these limits, for uvicorn's `http` option."""
    limits: dict[str, Any] = {
        "head_max_bytes": head_max_bytes,
        "head_max_seconds": head_max_seconds,
        "max_connections": max_connections,
    }
    return type("Protocol", (BoundedProtocol,), limits)
