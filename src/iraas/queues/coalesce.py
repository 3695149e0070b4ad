"""Calls that come close together -> one delivery. A backend that bills and limits requests wants few of them.

A batch leaves when it is full, or a few milliseconds after its first item came. While as many deliveries
are under way as may be at once, what waits goes on to grow. One event loop; no thread, no I/O.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = BaseException | None


class _Call:
    """One caller, who waits for all of its items."""

    __slots__ = ("error", "future", "left")

    def __init__(self, items: int) -> None:
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left = items
        self.error: Outcome = None

    def settle(self, outcome: Outcome) -> None:
        """Something became of one more item; the first error is what the caller hears."""
        self.left -= 1
        self.error = self.error or outcome
        if self.left or self.future.done():  # done: the caller was cancelled
            return
        if self.error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(self.error)


class _Batch(Generic[Item]):
    def __init__(self) -> None:
        self.items: list[Item] = []
        self.calls: list[_Call] = []
        self.weight = 0


class Coalescer(Generic[Item]):
    """Shares deliveries among the calls of one event loop.

    `deliver` is given the items of a batch, and returns what became of each, in their order: None or an
    error. When it raises, that is what became of all.
    """

    def __init__(
        self,
        deliver: Callable[[list[Item]], Awaitable[Sequence[Outcome]]],
        *,
        max_items: int,
        linger: float,
        alone_at_once: bool = False,
        max_weight: float = math.inf,
        at_once: int = 4,
    ) -> None:
        self._deliver = deliver
        self._max_items = max_items
        self._linger = linger  # seconds
        self._alone_at_once = (
            alone_at_once  # who comes when nobody came for so long does not wait for company
        )
        self._came_at = -math.inf  # when the last item came; the loop's time
        self._max_weight = max_weight
        self._at_once = at_once  # deliveries under way
        self._growing: _Batch[Item] | None = None
        self._full: deque[_Batch[Item]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._due = False  # the growing batch has lingered long enough, and waits for its turn
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return self._growing is None and not self._full and not self._under_way

    async def add(self, items: Sequence[Item], *, weights: Sequence[int] = ()) -> None:
        """Return when all of these are delivered; raise the first error of theirs.

        Cancelling does not take back what was added.
        """
        if not items:
            return
        call = _Call(len(items))
        for number, item in enumerate(items):
            self._take(item, weights[number] if weights else 0, call)
        self._go_on()
        await call.future

    async def drain(self) -> None:
        """Deliver at once what waits, and return when nothing is under way. Errors are their callers'."""
        while not self.idle:
            self._due = self._growing is not None
            self._go_on()
            await asyncio.wait(self._under_way)

    def _take(self, item: Item, weight: int, call: _Call) -> None:
        loop = asyncio.get_running_loop()
        alone, self._came_at = loop.time() - self._came_at > self._linger, loop.time()
        batch = self._growing
        if batch is not None and batch.weight + weight > self._max_weight:
            self._close()
            batch = None
        if batch is None:
            batch = self._growing = _Batch()
            self._timer = loop.call_later(0.0 if alone and self._alone_at_once else self._linger, self._ring)
        batch.items.append(item)
        batch.calls.append(call)
        batch.weight += weight
        if len(batch.items) == self._max_items:
            self._close()

    def _close(self) -> None:
        assert self._growing is not None
        assert self._timer is not None
        self._full.append(self._growing)
        self._growing, self._due = None, False
        self._timer.cancel()

    def _ring(self) -> None:
        self._due = True
        self._go_on()

    def _go_on(self) -> None:
        while len(self._under_way) < self._at_once:
            if self._due and not self._full:
                self._close()
            if not self._full:
                return
            task = asyncio.get_running_loop().create_task(self._run(self._full.popleft()))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _run(self, batch: _Batch[Item]) -> None:
        try:
            settled = list(zip(batch.calls, await self._deliver(batch.items), strict=True))
        except Exception as error:  # noqa: BLE001 - every caller hears it
            settled = [(call, error) for call in batch.calls]
        except asyncio.CancelledError:  # the loop is ending, and nobody may be left waiting
            for call in batch.calls:
                call.future.cancel()
            raise
        task = asyncio.current_task()
        assert task is not None
        self._under_way.discard(task)  # before its callers go on, so that they find things as they are
        self._go_on()
        for call, outcome in settled:
            call.settle(outcome)
