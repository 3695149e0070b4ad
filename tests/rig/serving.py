"""aiohttp applications -> endpoints on free ports of 127.0.0.1, in a thread, for tests that wait themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

Result = TypeVar("Result")
PATIENCE_SECONDS = 60.0


async def serve(app: web.Application, port: int = 0) -> tuple[str, web.AppRunner]:
    """Serve in this loop: the endpoint, and what `cleanup` ends."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    assert runner.addresses
    return f"http://127.0.0.1:{runner.addresses[0][1]}", runner


class Serving:
    """Some applications, while the `with` block runs; `endpoints` are in their order."""

    def __init__(self, *apps: web.Application) -> None:
        self._apps = apps
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="serving", daemon=True)
        self._runners: list[web.AppRunner] = []
        self.endpoints: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        for app in self._apps:
            endpoint, runner = self.run(serve(app))
            self.endpoints.append(endpoint)
            self._runners.append(runner)
        return self

    def run(self, doing: Coroutine[Any, Any, Result]) -> Result:
        """Have it done in the loop that serves."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(PATIENCE_SECONDS)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for runner in self._runners:
            self.run(runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
