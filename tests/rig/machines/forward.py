"""A socket that listens inside of an instance ── each connection, both ways ──> a port of this machine."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

CHUNK_BYTES = 262_144


class Forward:
    """Passes connections on while it is open. A side that ends its half ends that half of the other, too."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, listening: socket.socket) -> None:
        """Begin to take connections."""
        self._server = await asyncio.start_server(self._pass_on, sock=listening, limit=CHUNK_BYTES)

    async def close(self) -> None:
        """Take no more, and end those that are open."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError):  # either side may end without a word
                back, forth = await asyncio.open_connection(*self._to, limit=CHUNK_BYTES)
                try:
                    async with asyncio.TaskGroup() as both:
                        both.create_task(_pump(reader, forth))
                        both.create_task(_pump(back, writer))
                finally:
                    forth.close()
        finally:
            writer.close()
            self._tasks.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:  # what the one side sees, the other is to see
        writer.transport.abort()
