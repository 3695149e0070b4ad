"""Receipts in hand -> extended leases, from a thread that mostly sleeps.

The worker's own thread computes, and would be late for its heartbeat. The thread has a queue object of its
own, so that nothing is shared but a set of receipts.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable

from iraas.errors import IraasError
from iraas.queues.port import Queue
from iraas.telemetry import Log, Telemetry


class Heartbeat:
    """Extends what the worker holds, every `every` seconds."""

    def __init__(self, open_queue: Callable[[], Queue], *, every: float, telemetry: Telemetry) -> None:
        self._open_queue = open_queue
        self._every = every
        self._telemetry = telemetry
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._tell(0)
        self._thread.start()

    def stop(self) -> None:
        """End the thread. What is still held runs out by itself."""
        self._over.set()
        self._thread.join()

    def hold(self, receipts: Iterable[str]) -> None:
        """Keep these deliveries hidden from now on."""
        with self._lock:
            self._held.update(receipts)
            count = len(self._held)
        self._tell(count)

    def drop(self, receipts: Iterable[str]) -> None:
        """Care for these no longer: they were deleted or released."""
        with self._lock:
            self._held.difference_update(receipts)
            count = len(self._held)
        self._tell(count)

    @property
    def held(self) -> frozenset[str]:
        """The receipts in hand."""
        with self._lock:
            return frozenset(self._held)

    def _tell(self, count: int) -> None:
        """Let whoever protects this machine from scale-in know; 3 µs."""
        self._telemetry.gauge("iraas_worker_held", count)

    def _run(self) -> None:
        asyncio.run(self._beat())

    async def _beat(self) -> None:
        queue = self._open_queue()
        try:
            while not self._over.wait(self._every):  # this loop has nothing else to do meanwhile
                receipts = sorted(self.held)
                for start in range(0, len(receipts), queue.max_batch):
                    await self._extend(queue, receipts[start : start + queue.max_batch])
        finally:
            await queue.close()

    async def _extend(self, queue: Queue, receipts: list[str]) -> None:
        try:
            await queue.extend(receipts, seconds=queue.visibility_timeout)
        except IraasError as error:  # the next beat comes before the lease ends; a lost lease loses no job
            self._telemetry.count("iraas_backend_retries_total", call="extend")
            Log()("worker.backend", level="warning", call="extend", error=str(error))
