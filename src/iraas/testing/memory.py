"""The queue ports in this process's memory: for tests, and as the contract's second witness."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iraas.clock import Clock, SystemClock
from iraas.queues.port import Delivery, Depth, Durability, Message
from iraas.testing.manual_clock import ManualClock

LOOK_SECONDS = 0.05  # between looks while waiting: leases end by themselves


@dataclass(eq=False)
class _Entry:
    message: Message
    sent_at: float  # boot time, seconds
    visible_at: float  # boot time, seconds
    receives: int = 0
    receipt: str = ""  # the one that is good; empty: none


class MemoryQueue:
    """A queue that dies with its process. Keeps the other promises of `Queue`; any thread may use it.

    While a message with an id lives here, a second one is dropped.
    """

    max_batch = 256
    max_wait = 20.0  # seconds
    durable_against: Durability = "nothing"
    fences = True
    tells_age = True

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        visibility_timeout: float = 30.0,
        max_receives: int = 20,
        dead_letter: MemoryQueue | None = None,
    ) -> None:
        self.visibility_timeout = visibility_timeout
        self._clock = clock or SystemClock()
        self._max_receives = max_receives
        self._dead_letter = dead_letter
        self._entries: list[_Entry] = []  # the oldest first
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._waiting: set[asyncio.Future[None]] = set()
        if isinstance(self._clock, ManualClock):
            self._clock.when_moved(self._wake)

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand over at most `max_batch` messages, all or none."""
        self._check_batch(messages)
        with self._lock:
            for message in messages:
                self._add(message, sent_at=self._clock.boot())
        self._wake()

    async def receive(self, *, up_to: int, wait: float) -> list[Delivery]:
        """At most `up_to` messages; an empty list after `wait` seconds without one."""
        if not (1 <= up_to <= self.max_batch and 0 <= wait <= self.max_wait):
            raise ValueError(
                f"receive takes up_to from 1 to {self.max_batch}, wait from 0 to {self.max_wait:g} s"
            )
        deadline = self._clock.boot() + wait
        while not (deliveries := self._take(up_to)) and self._clock.boot() < deadline:
            await self._change(min(deadline - self._clock.boot(), LOOK_SECONDS))
        return deliveries

    async def extend(self, receipts: Sequence[str], *, seconds: float) -> None:
        """Hide these deliveries for `seconds` from now; stale ones are passed over."""

        def hide(entry: _Entry) -> None:
            entry.visible_at = self._clock.boot() + seconds

        self._for_each(receipts, hide)

    async def release(self, receipts: Sequence[str]) -> None:
        """Give these deliveries back at once; stale ones are passed over."""

        def give_back(entry: _Entry) -> None:
            entry.visible_at, entry.receipt = entry.sent_at, ""

        self._for_each(receipts, give_back)
        self._wake()

    async def delete(self, receipts: Sequence[str]) -> None:
        """End these messages; stale receipts are passed over."""
        self._for_each(receipts, self._entries.remove)

    async def depth(self) -> Depth:
        """What the queue holds now."""
        with self._lock:
            now = self._clock.boot()
            visible = sum(entry.visible_at <= now for entry in self._entries)
            age = now - self._entries[0].sent_at if self._entries else 0.0
            return Depth(visible, len(self._entries) - visible, age)

    async def close(self) -> None:
        """Nothing is held open."""

    def _add(self, message: Message, *, sent_at: float) -> None:
        with self._lock:
            if not message.id or all(entry.message.id != message.id for entry in self._entries):
                self._entries.append(_Entry(message, sent_at, visible_at=sent_at))

    def _take(self, up_to: int) -> list[Delivery]:
        deliveries: list[Delivery] = []
        with self._lock:
            now = self._clock.boot()
            for entry in [entry for entry in self._entries if entry.visible_at <= now]:
                if len(deliveries) == up_to:
                    break
                if self._dead_letter is not None and entry.receives >= self._max_receives:
                    self._entries.remove(entry)
                    self._dead_letter._bury(entry)  # noqa: SLF001 - a queue of the same kind
                    continue
                entry.receives += 1
                entry.visible_at = now + self.visibility_timeout
                entry.receipt = f"receipt-{next(self._numbers)}"
                deliveries.append(Delivery(entry.message.body, entry.receipt, entry.receives))
        return deliveries

    def _bury(self, entry: _Entry) -> None:
        self._add(entry.message, sent_at=entry.sent_at)
        self._wake()

    def _for_each(self, receipts: Sequence[str], change: Callable[[_Entry], None]) -> None:
        self._check_batch(receipts)
        with self._lock:
            held = {entry.receipt: entry for entry in self._entries if entry.receipt}
            for receipt in set(receipts) & held.keys():
                change(held[receipt])

    def _check_batch(self, items: Sequence[object]) -> None:
        if len(items) > self.max_batch:
            raise ValueError(f"{len(items)} in one call; this queue takes at most {self.max_batch}")

    async def _change(self, seconds: float) -> None:
        """Until something may have become visible, or `seconds` have passed."""
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(change)
        try:
            await asyncio.wait([change], timeout=seconds)
        finally:
            self._waiting.discard(change)

    def _wake(self) -> None:
        for change in tuple(self._waiting):
            change.get_loop().call_soon_threadsafe(_end, change)


class MemoryResponseQueues:
    """Response queues that die with their process. Keeps the promises of `ResponseQueues`."""

    billed = False

    def __init__(self, *, clock: Clock | None = None, prefix: str = "responses-") -> None:
        self._clock = clock
        self._prefix = prefix
        self._queues: dict[str, MemoryQueue] = {}

    async def open(self) -> tuple[str, MemoryQueue]:
        """Make a queue that only its caller knows of: its name, and the queue."""
        name = self._prefix + secrets.token_hex(6)
        self._queues[name] = MemoryQueue(clock=self._clock)
        return name, self._queues[name]

    async def send(self, reply_to: str, messages: Sequence[Message]) -> None:
        """Send replies to the process that asked; they are dropped when it is gone."""
        suffix = reply_to.removeprefix(self._prefix)
        if suffix == reply_to or len(suffix) != 12 or not suffix.isalnum():
            raise ValueError(f"{reply_to!r} is not a response queue of this deployment ({self._prefix}...)")
        if reply_to in self._queues:
            await self._queues[reply_to].send(messages)

    async def close(self) -> None:
        """Remove the queues that `open` made."""
        self._queues.clear()


def _end(change: asyncio.Future[None]) -> None:
    if not change.done():
        change.set_result(None)
