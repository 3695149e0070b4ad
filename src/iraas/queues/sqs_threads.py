"""Blocking work of event loops -> threads -> its result, back in its loop.

`concurrent.futures` would do, but for two things: it takes 0.1 core-ms more for each piece of work, and a process
that ends would wait for polls that nobody wants any more.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")
Job = tuple["asyncio.Future[Any]", Callable[[], Any]]


class Threads:
    """As many threads as there is work for, up to `at_most`. They end with the process, or with `close`."""

    def __init__(self, at_most: int, *, name: str) -> None:
        self._at_most = at_most
        self._name = name
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._free = 0  # threads that have nothing to do, less the jobs that wait for one

    def run(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Have it done, by a thread of its own if none is free. Once begun, it is done to its end."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._free -= 1
            if self._free < 0 and len(self._threads) < self._at_most:
                self._free += 1
                self._threads.append(threading.Thread(target=self._serve, name=self._name, daemon=True))
                self._threads[-1].start()
        self._jobs.put((future, work))
        return future

    def close(self) -> None:
        """Do what waits, and return when all threads have ended."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work = job
            settle = None if future.cancelled() else _done(future, work)
            with self._lock:
                self._free += 1  # before the result is known, so that whoever gets it finds a thread
            if settle is not None:
                with suppress(RuntimeError):  # its loop is closed, and nobody waits
                    future.get_loop().call_soon_threadsafe(_settle, future, settle)
            del job, future, work, settle  # what they hold must not live until the next one comes


def _done(future: asyncio.Future[Result], work: Callable[[], Result]) -> Callable[[], None]:
    """Do the work; what remains to be done in the future's loop."""
    try:
        return partial(future.set_result, work())
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
        return partial(future.set_exception, error)


def _settle(future: asyncio.Future[Any], settle: Callable[[], None]) -> None:
    if not future.cancelled():
        settle()
