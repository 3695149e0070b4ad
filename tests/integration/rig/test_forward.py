"""Connections that leave an instance for this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.rig.machines.forward import Forward

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BIG = bytes(range(256)) * 40_000  # ten megabytes: more than any buffer on the way


@pytest.fixture
async def through() -> AsyncIterator[Callable[[Handler], Awaitable[int]]]:
    """A port that is forwarded to a server of the test."""
    opened: list[asyncio.Server] = []
    forwards: list[Forward] = []

    async def open_to(handler: Handler) -> int:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        opened.append(server)
        listening = socket.create_server(("127.0.0.1", 0))
        forward = Forward("127.0.0.1", server.sockets[0].getsockname()[1])
        forwards.append(forward)
        await forward.open(listening)
        port: int = listening.getsockname()[1]
        return port

    yield open_to
    for forward in forwards:
        await forward.close()
    for server in opened:
        server.close()


async def test_bytes_pass_both_ways_and_so_does_their_end(
    through: Callable[[Handler], Awaitable[int]],
) -> None:
    """A server that answers once it has read to the end gets the end, and its whole answer comes back."""

    async def reverse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got = await reader.read(-1)
        writer.write(got[::-1])
        await writer.drain()
        writer.close()

    reader, writer = await asyncio.open_connection("127.0.0.1", await through(reverse))
    writer.write(BIG)
    writer.write_eof()
    assert await reader.read(-1) == BIG[::-1]
    writer.close()


async def test_a_client_that_breaks_off_is_noticed(through: Callable[[Handler], Awaitable[int]]) -> None:
    """The server's side ends when the client's does, however it ends."""
    ended = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(1):
                pass
        except ConnectionResetError:
            pass
        ended.set()
        writer.close()

    _, writer = await asyncio.open_connection("127.0.0.1", await through(wait))
    writer.write(b"x")
    writer.transport.abort()
    async with asyncio.timeout(10):
        await ended.wait()


async def test_an_endpoint_that_is_gone_closes_the_connection(
    through: Callable[[Handler], Awaitable[int]],
) -> None:
    """Where nobody listens on this machine, whoever connects inside is not left waiting."""
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    listening = socket.create_server(("127.0.0.1", 0))
    forward = Forward("127.0.0.1", port)
    await forward.open(listening)
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
    assert await reader.read(-1) == b""
    writer.close()
    await forward.close()
