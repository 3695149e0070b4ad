"""A TCP connection on which anything can be said, and HTTP/1.1 responses read off it.

No HTTP library is between: a library would mend what these tests must break.
"""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from types import TracebackType
from typing import Self

import httpx2
from tests.service import Service

PATIENCE_SECONDS = 60.0


class Wire:
    """One connection to a service."""

    def __init__(self, service: Service) -> None:
        self._socket = socket.create_connection(("127.0.0.1", service.port), PATIENCE_SECONDS)
        self._host = f"localhost:{service.port}"
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Say this. Raises `OSError` when the other side has closed."""
        self._socket.sendall(data)

    def send_unless_refused(self, data: bytes) -> None:
        """Say this, as far as the other side listens."""
        with suppress(OSError):
            self.send(data)

    def head(self, line: str = "POST /v1/images", **fields: object) -> None:
        """Send a request's head; `content_length=5` is `content-length: 5`."""
        named = {"host": self._host, **{name.replace("_", "-"): value for name, value in fields.items()}}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        self.send(f"{line} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))

    def says_within(self, seconds: float) -> bool:
        """Whether the other side says something, or hangs up, within that time."""
        return bool(select.select([self._socket], [], [], seconds)[0])

    def response(self) -> httpx2.Response:
        """The next response; its body by Content-Length."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = httpx2.Headers([tuple(field.split(": ", 1)) for field in fields])
        length = int(headers.get("content-length", "0"))
        while len(self._read) < length:
            self._more()
        body, self._read = self._read[:length], self._read[length:]
        return httpx2.Response(int(line.split()[1]), headers=headers, content=body)

    def rest(self) -> bytes:
        """Everything until the other side hangs up."""
        with suppress(ConnectionResetError):
            while data := self._socket.recv(65_536):
                self._read += data
        rest, self._read = self._read, b""
        return rest

    def _more(self) -> None:
        data = self._socket.recv(65_536)
        assert data, f"hung up after {self._read!r}"
        self._read += data
