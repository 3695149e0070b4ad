"""A call to a backend that may be down -> its result, later. What is held stays ours meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from iraas.errors import BackendUnavailable, OutOfRoom
from iraas.telemetry import Log, Telemetry

PAUSE_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)  # between tries; the last one repeats

_T = TypeVar("_T")


class Draining(Exception):
    """The worker was told to stop while a backend was down: what it holds goes back."""


class Patience:
    """Repeats calls until they work or the worker drains."""

    def __init__(self, stopping: asyncio.Event, telemetry: Telemetry) -> None:
        self._stopping = stopping
        self._telemetry = telemetry

    async def until_it_works(self, name: str, call: Callable[[], Awaitable[_T]]) -> _T:
        """The result of `call`. Raises `Draining` when the backend is down and the worker must stop."""
        tries = 0
        while True:
            try:
                return await call()
            except (BackendUnavailable, OutOfRoom) as error:
                self._telemetry.count("iraas_backend_retries_total", call=name)
                if tries == 0:
                    Log()("worker.backend", level="warning", call=name, error=str(error))
                if self._stopping.is_set():
                    raise Draining from error
            await self._pause(PAUSE_SECONDS[min(tries, len(PAUSE_SECONDS) - 1)])
            tries += 1

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
