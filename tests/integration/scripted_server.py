"""A real HTTP server on 127.0.0.1 that does to each request what the next line of its script says."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

RESET_WITHOUT_LINGERING = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class Seen(NamedTuple):
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Reads a request whole, then does the script's next line."""

    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def do_POST(self) -> None:
        """Any method goes the same way."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.server.seen.append(Seen(self.command, url.path, query, self.headers, body))
        self.server.script.pop(0)(self)

    do_GET = do_DELETE = do_POST  # noqa: N815  http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing on standard error."""


class ScriptedServer(ThreadingHTTPServer):
    """What it was told to do, and what it saw."""

    daemon_threads = True

    def __init__(self, script: list[Callable[[Handler], None]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.seen: list[Seen] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(*script: Callable[[Handler], None]) -> Iterator[ScriptedServer]:
    """The server, while it runs."""
    with ScriptedServer(list(script)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def reply(status: int, body: Any = b"", **headers: str) -> Callable[[Handler], None]:
    """Answer; a body that is no bytes as JSON."""

    def do(handler: Handler) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if status != 204:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return do


def problem(status: int, slug: str, **members: Any) -> Callable[[Handler], None]:
    """Answer with problem details."""
    return reply(status, {"type": slug, **members}, Content_Type="application/problem+json")


def reset(handler: Handler) -> None:
    """Reset the connection in place of an answer."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_WITHOUT_LINGERING)
    os.close(handler.connection.detach())


def cut(handler: Handler) -> None:
    """Announce a hundred bytes, send four, and reset the connection."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id')
    reset(handler)


def hang_up(handler: Handler) -> None:
    """Close the connection in place of an answer."""
    handler.close_connection = True


def babble(handler: Handler) -> None:
    """Answer something that is not HTTP."""
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    handler.close_connection = True


def keep_silent(handler: Handler) -> None:
    """Answer nothing until the test is over."""
    handler.close_connection = True
    handler.server.over.wait()
