"""A server process that takes pictures and answers at once, or as its path says; for what sends load.

POST /            200 {"label": "HEAD"}, HEAD being the first byte of the picture
POST /late        the same after a tenth of a second
POST /wrong       another label for every seventh picture
POST /refuse      429 for every second picture
POST /broken      the connection is closed in place of every third answer
POST /text        200 "NAME:LABEL" as text
POST /accepted    202 with a Location that answers at the second asking
POST /never       202 with a Location that never answers
POST /moved       303
GET  /v1/fleet    a fleet of one worker
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[2]
FLEET = {
    "at": 0.0,
    "queue": {"visible": 3, "in_flight": 1, "oldest_seconds": 0.5},
    "workers": {
        "in_service": 1, "starting": 1, "busy": 1, "idle": 0, "draining": 0, "minimum": 0, "maximum": 4,
    },
    "pictures_per_second": 10.0,
    "latency_ms": {"p50": 12.0, "p95": 20.0},
    "service_ms": 10.0,
    "boot_seconds": 1.0,
    "policy": "ours",
    "decisions": [{"at": 0.0, "before": 1, "capacity": 2, "reason": "added 1", "trouble": False}],
    "history": [],
}  # fmt: skip


class Stub(asyncio.Protocol):
    """One connection: a request is read to its declared end, then answered."""

    served = 0
    asked: dict[str, int] = {}  # noqa: RUF012  shared by all connections, as `served` is

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport
        self._head = bytearray()
        self._missing = -1

    def data_received(self, data: bytes) -> None:
        """Count the body's bytes, and keep no more than its beginning."""
        if self._missing < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = self._head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._missing = int(length or 0) - (len(self._head) - end - 4)
        else:
            if len(self._head) < 4096:
                self._head += data[:4096]
            self._missing -= len(data)
        if self._missing <= 0:
            head, self._head, self._missing = self._head, bytearray(), -1
            self._answer(head)

    def _answer(self, request: bytearray) -> None:
        Stub.served += request.startswith(b"POST")
        path = request.split(b" ", 2)[1].decode()
        part = request.partition(b"\r\n\r\n")[2].partition(b"\r\n\r\n")
        label = chr(part[2][0]) if part[2] else ""
        name = part[0].partition(b'filename="')[2].partition(b'"')[0].decode()
        number, body, status, headers = Stub.served, {"label": label}, "200 OK", ""
        if path == "/wrong" and number % 7 == 0:
            body = {"label": "wrong"}
        elif path == "/refuse" and number % 2:
            status, body = "429 Too Many Requests", {}
        elif path == "/moved":
            status, headers = "303 See Other", "Location: /\r\n"
        elif path in ("/accepted", "/never"):
            status, headers = "202 Accepted", f"Location: /jobs{path}/{number}/{label}\r\nRetry-After: 0\r\n"
        elif path == "/nowhere":
            status, headers = "202 Accepted", "Location: http://[::1\r\n"
        elif path.startswith("/jobs/"):
            Stub.asked[path] = Stub.asked.get(path, 0) + 1
            if Stub.asked[path] > 1 and "/accepted/" in path:
                body = {"label": path[-1]}
            else:
                status, headers = "202 Accepted", "Retry-After: 0\r\n"
        elif path == "/v1/fleet":
            body = FLEET
        elif path == "/served":
            body = {"served": Stub.served}
        if path == "/broken" and number % 3 == 0:
            self._transport.close()
            return
        text = f"{name}:{label}" if path == "/text" else json.dumps(body)
        answer = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(text)}\r\n\r\n{text}".encode()
        if path == "/late":
            asyncio.get_running_loop().call_later(0.1, self._write, answer)
        else:
            self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


@contextmanager
def stub_server() -> Iterator[str]:
    """Its address, while its process runs."""
    command = [sys.executable, "-m", "tests.integration.load_stub"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
