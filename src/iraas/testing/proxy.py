"""A client of AWS -> this proxy on 127.0.0.1 -> a stand-in for AWS. On the way, faults by plan, and outages.

    with Proxy("http://127.0.0.1:9000", Plan(rate=0.1, seed=7)) as proxy:
        ...  # a client of proxy.endpoint

Bytes pass unchanged, `Host` among them, so that signatures stay valid.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import uvloop

from iraas.testing.proxy_connection import Connection
from iraas.testing.proxy_message import READ_BYTES, Broken
from iraas.testing.proxy_plan import FAULTS, Fault, Plan, Request

__all__ = ["FAULTS", "Fault", "Plan", "Proxy", "Request"]


class Proxy:
    """Runs in a thread of its own while the `with` block does. `requests` is what came, in order."""

    def __init__(self, upstream: str, plan: Plan | None = None) -> None:
        place = urlsplit(upstream)
        assert place.hostname is not None
        assert place.port is not None
        self._upstream = place.hostname, place.port
        self.plan = plan or Plan()
        self.requests: list[Request] = []
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._stalled = False
        # Never listens: while nobody does, a connection is refused, and the port stays ours.
        self._held = _bound(0)
        self.endpoint = f"http://127.0.0.1:{self._held.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        self.mend()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._held.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, trace)

    def cut(self) -> None:
        """Break every connection and refuse new ones, until `mend`."""
        self._run(self._cut())

    def stall(self) -> None:
        """Take requests and answer none, until `mend`, which breaks the connections that they came on."""
        self._run(self._stall())

    def mend(self) -> None:
        """Serve again. Requests that were stalled have no effect."""
        self._run(self._mend())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _stall(self) -> None:
        self._stalled = True

    async def _mend(self) -> None:
        if self._stalled:
            await self._cut()
            self._stalled = False
        if self._server is None:
            port = self._held.getsockname()[1]
            self._server = await asyncio.start_server(self._accept, sock=_bound(port), limit=READ_BYTES)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        connection = Connection(self, reader, writer)
        try:
            await connection.serve()
        except (Broken, OSError, asyncio.CancelledError):
            pass  # the client sees it; cancelled by `cut`
        finally:
            connection.abort()
            self._serving.discard(task)

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        """A connection to the service."""
        return await asyncio.open_connection(*self._upstream, limit=READ_BYTES)

    async def flow(self) -> None:
        """Return at once, or never while stalled."""
        if self._stalled:
            await asyncio.Event().wait()


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # two sockets have this port: see `_held`
    bound.bind(("127.0.0.1", port))
    return bound
