"""client -> one of the healthy web instances, in turn. A balancer for the rig, on TCP.

It asks each target for /livez as the template's target group says, and passes connections on to those that
answer. A target that leaves is taken out first: what is open goes on until it ends.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

Connect = Callable[[str], Awaitable[socket.socket]]  # to the web server of an instance

PROBE = b"GET /livez HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n"
PROBE_SECONDS = 15.0  # of real time: a busy machine may be slow
CHUNK_BYTES = 65_536


class Balancer:
    """Listens on 127.0.0.1 while it is open."""

    def __init__(self, targets: Callable[[], list[str]], connect: Connect, *, every: float) -> None:
        self._targets = targets  # registered: instances that are to get requests
        self._connect = connect
        self._every = every  # seconds between two health checks
        self._healthy: list[str] = []
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""

    async def open(self) -> None:
        """Listen, and begin to look after the targets."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._keep(self._check())

    async def close(self) -> None:
        """End everything that is open."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def healthy(self) -> list[str]:
        """The instances that get requests now."""
        registered = self._targets()
        return [instance for instance in self._healthy if instance in registered]

    async def _check(self) -> None:
        while True:
            asked = self._targets()
            answers = await asyncio.gather(*map(self._lives, asked))
            self._healthy = [instance for instance, lives in zip(asked, answers, strict=True) if lives]
            await asyncio.sleep(self._every)

    async def _lives(self, instance: str) -> bool:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PROBE_SECONDS):
                reader, writer = await asyncio.open_connection(sock=await self._connect(instance))
                try:
                    writer.write(PROBE)
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        return False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        healthy = self.healthy()
        with suppress(OSError):
            if not healthy:
                writer.write(
                    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            else:
                self._turn += 1
                instance = healthy[self._turn % len(healthy)]
                back, forth = await asyncio.open_connection(sock=await self._connect(instance))
                here = self._keep(_pump(reader, forth))
                await asyncio.gather(here, self._keep(_pump(back, writer)), return_exceptions=True)
        with suppress(OSError):
            writer.close()

    def _keep(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until the source ends; then the other side is told."""
    try:
        while chunk := await source.read(CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
    finally:
        with suppress(OSError, RuntimeError):
            sink.close()
