"""request queue -> what the worker computes next. One after the other, or ahead of the computation.

Where a call to queue and store does not wait, a worker receives when it has nothing left and reads a picture
when its turn comes: helper tasks would cost more than they give. On a network both happen ahead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from iraas.queues.port import Delivery, Queue
from iraas.worker.fetch import Fetched, Fetcher
from iraas.worker.finish import Finished
from iraas.worker.heartbeat import Heartbeat
from iraas.worker.patience import Patience
from iraas.worker.suspects import Suspects

_T = TypeVar("_T")


class Supply(Protocol):
    """What a worker takes its pictures from."""

    seconds_each: float  # that one picture takes, as the worker measured it

    @property
    def held(self) -> int:
        """Pictures that can be taken without waiting for the queue."""
        ...

    def start(self) -> None:
        """Begin to receive."""
        ...

    def stop(self) -> None:
        """Receive no more, and end whoever waits in `ready`. Safe in a signal handler of the loop."""
        ...

    async def ready(self) -> None:
        """Return when something may be held, or after `stop`. Raises `Draining`."""
        ...

    async def take(self) -> Fetched | Finished | None:
        """The next one; None when it went into other hands."""
        ...

    async def close(self) -> None:
        """Forget what was not taken: the worker gives it back."""
        ...


class Receiver:
    """Receives when the worker has room; what it received is kept alive by the heartbeat."""

    def __init__(self, queue: Queue, *, heartbeat: Heartbeat, patience: Patience, suspects: Suspects) -> None:
        self.max_batch = queue.max_batch
        self._queue = queue
        self._heartbeat = heartbeat
        self._patience = patience
        self._suspects = suspects

    async def receive(self, up_to: int) -> list[Delivery]:
        """Some deliveries, in the end. Raises `Draining`."""
        while self._suspects.full:
            await self._suspects.change()
        deliveries = await self._patience.until_it_works(
            "receive", lambda: self._queue.receive(up_to=up_to, wait=self._queue.max_wait)
        )
        self._heartbeat.hold(delivery.receipt for delivery in deliveries)
        return deliveries


class OneByOne:
    """Receives when nothing is left, and fetches a picture when its turn comes.

    In hand are at most `MOST` pictures, and no more than `SECONDS` of work: what a slow model has not begun would wait
    here while another worker is idle. Before the first picture nobody knows how slow it is.
    """

    MOST = 8
    SECONDS = 0.2

    def __init__(self, receiver: Receiver, fetcher: Fetcher) -> None:
        self.seconds_each = 0.0
        self._receiver = receiver
        self._fetcher = fetcher
        self._deliveries: deque[Delivery] = deque()
        self._over = False
        self._receiving: asyncio.Task[object] | None = None

    @property
    def held(self) -> int:
        """Deliveries in hand."""
        return len(self._deliveries)

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Receive no more."""
        self._over = True
        if self._receiving is not None:
            self._receiving.cancel()

    async def ready(self) -> None:
        """Receive, if nothing is left."""
        if not self._deliveries and not self._over:
            self._deliveries.extend(await self._unless_stopped(self._receiver.receive(self._worth)) or ())

    @property
    def _worth(self) -> int:
        """Pictures that are worth holding."""
        return max(1, min(self.MOST, round(self.SECONDS / self.seconds_each))) if self.seconds_each > 0 else 1

    async def take(self) -> Fetched | Finished | None:
        """Fetch the next one."""
        return await self._fetcher.fetch(self._deliveries.popleft())

    async def close(self) -> None:
        """Forget the rest."""
        self._deliveries.clear()

    async def _unless_stopped(self, waiting: Awaitable[_T]) -> _T | None:
        self._receiving = asyncio.current_task()
        try:
            return await waiting
        except asyncio.CancelledError:
            if not self._over or self._receiving is None:
                raise
            self._receiving.uncancel()
            return None
        finally:
            self._receiving = None


class Ahead:
    """Receives and fetches beside the computation, so that it waits for no network.

    In hand are at most `MOST` pictures, which bounds the memory, and no more than `SECONDS` of work: what a
    slow model has not begun is better in the queue, where a new worker finds it.
    """

    MOST = 20  # two receives of ten: one is computed while the other comes
    SECONDS = 1.0

    def __init__(self, receiver: Receiver, fetcher: Fetcher) -> None:
        self.seconds_each = 0.0
        self._receiver = receiver
        self._fetcher = fetcher
        self._coming: set[asyncio.Task[Fetched | Finished | None]] = set()
        self._here: deque[asyncio.Task[Fetched | Finished | None]] = deque()
        self._receiving: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._over = False

    @property
    def held(self) -> int:
        """Pictures whose bytes are here."""
        return len(self._here)

    def start(self) -> None:
        """Begin to receive."""
        self._receiving = asyncio.create_task(self._receive())
        self._receiving.add_done_callback(lambda _: self._changed.set())

    def stop(self) -> None:
        """Receive no more."""
        self._over = True
        if self._receiving is not None:
            self._receiving.cancel()
        self._changed.set()

    async def ready(self) -> None:
        """Return when a picture is here."""
        while not self._here and not self._over:
            if self._receiving is not None and self._receiving.done():
                self._receiving.result()  # it ends only by `stop`, or by an error
            self._changed.clear()
            await self._changed.wait()

    async def take(self) -> Fetched | Finished | None:
        """The one that has been here longest."""
        taken = self._here.popleft().result()
        self._changed.set()
        await asyncio.sleep(0)  # the loop stands still while a picture is computed: let it move the others on
        return taken

    async def close(self) -> None:
        """End what is on its way."""
        tasks = [*self._coming, *self._here, *([self._receiving] if self._receiving else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._here.clear()

    async def _receive(self) -> None:
        while True:
            room = await self._room()
            for delivery in await self._receiver.receive(min(room, self._receiver.max_batch)):
                task = asyncio.create_task(self._fetcher.fetch(delivery))
                self._coming.add(task)
                task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[Fetched | Finished | None]) -> None:
        self._coming.discard(task)
        if not task.cancelled():
            self._here.append(task)
        self._changed.set()

    async def _room(self) -> int:
        """How many more there may be, once that is worth a call."""
        while True:
            most = self.MOST
            if self.seconds_each > 0:
                most = max(1, min(most, round(self.SECONDS / self.seconds_each)))
            room = most - len(self._coming) - len(self._here)
            if room >= min(self._receiver.max_batch, most):
                return room
            self._changed.clear()
            await self._changed.wait()


def supply_of(receiver: Receiver, fetcher: Fetcher, *, at_once: int) -> Supply:
    """The supply that fits a store where `at_once` calls are worth making side by side."""
    return OneByOne(receiver, fetcher) if at_once == 1 else Ahead(receiver, fetcher)
