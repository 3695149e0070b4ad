"""Calls of an event loop -> one thread -> groups: what came while a group was served makes the next one.

A group costs one transaction, one fsync and one wake-up of the loop, however many calls are in it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

MAX_GROUP = 128  # calls; bounds how long one group keeps others out

Given = TypeVar("Given")  # what the work is done on
Result = TypeVar("Result")


class Call(Generic[Given, Result]):
    """A piece of work, and what became of it: `result`, or `error`."""

    result: Result
    error: BaseException | None = None
    future: asyncio.Future[Result] | None = None

    def __init__(
        self, work: Callable[[Given], Result], undo: Callable[[Given, Result], object] | None = None
    ) -> None:
        self.work = work
        self.undo = undo  # takes the result back when nobody is there to have it

    def fail(self, error: BaseException, *, because: BaseException) -> None:
        """This became of it: an error, and what it came from."""
        if error is not because:
            error.__cause__ = because
        self.error = error


class Lane(Generic[Given]):
    """The thread. `serve` is given each group in turn, and fills in what became of its calls."""

    def __init__(self, serve: Callable[[list[Call[Given, Any]]], None], *, name: str) -> None:
        self._serve = serve
        self._calls: SimpleQueue[Call[Given, Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Call[Given, Result]) -> Result:
        """Have a call served. Cancelling does not stop it, but takes its result back."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        call.future = future
        self._calls.put(call)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._take_back(call)  # the result was here, and its caller gone in the same moment
            raise

    def close(self) -> None:
        """Serve what waits, then end the thread."""
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            try:
                self._serve(group)
            except BaseException as error:  # noqa: BLE001 - without this thread every later call would wait for ever
                for call in group:
                    call.fail(error, because=error)
            self._report(group)

    def _next_group(self) -> list[Call[Given, Any]]:
        """All that waits, once there is something; nothing when the lane is closed."""
        group: list[Call[Given, Any]] = []
        while not group or (len(group) < MAX_GROUP and not self._calls.empty()):
            call = self._calls.get()
            if call is None:
                if group:
                    self._calls.put(None)  # comes again when these are served
                break
            group.append(call)
        return group

    def _report(self, group: list[Call[Given, Any]]) -> None:
        by_loop: defaultdict[asyncio.AbstractEventLoop, list[Call[Given, Any]]] = defaultdict(list)
        for call in group:
            if call.future is not None:
                by_loop[call.future.get_loop()].append(call)
        for loop, calls in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._settle, calls)
            except RuntimeError:  # that loop is closed
                for call in calls:
                    self._take_back(call)

    def _settle(self, calls: list[Call[Given, Any]]) -> None:
        for call in calls:
            assert call.future is not None
            if call.future.cancelled():
                self._take_back(call)
            elif call.error is not None:
                call.future.set_exception(call.error)
            else:
                call.future.set_result(call.result)

    def _take_back(self, call: Call[Given, Any]) -> None:
        undo = call.undo
        if undo is not None and call.error is None:
            result = call.result
            self._calls.put(Call(lambda given: undo(given, result)))
