"""A port -> the same port, with something around each of its calls: a crash, a fault, a record of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from iraas.blobs.port import Blob, BlobInfo, Blobs
from iraas.queues.port import Delivery, Depth, Message, Queue, ResponseQueues

_T = TypeVar("_T")


class Around(Protocol):
    """What is done around a call; `step` is its name, as in `results.put`."""

    async def __call__(self, step: str, call: Callable[[], Awaitable[_T]]) -> _T:
        """Make the call, or do not; give its result, or raise."""
        ...


class AroundQueue:
    """A queue with something around its calls."""

    def __init__(self, queue: Queue, name: str, around: Around) -> None:
        self._queue = queue
        self._name = name
        self._around = around
        self.max_batch = queue.max_batch
        self.max_wait = queue.max_wait
        self.visibility_timeout = queue.visibility_timeout
        self.durable_against = queue.durable_against
        self.fences = queue.fences
        self.tells_age = queue.tells_age

    async def send(self, messages: Sequence[Message]) -> None:
        """As the queue's."""
        await self._around(f"{self._name}.send", lambda: self._queue.send(messages))

    async def receive(self, *, up_to: int, wait: float) -> list[Delivery]:
        """As the queue's."""
        return await self._around(
            f"{self._name}.receive", lambda: self._queue.receive(up_to=up_to, wait=wait)
        )

    async def extend(self, receipts: Sequence[str], *, seconds: float) -> None:
        """As the queue's."""
        await self._around(f"{self._name}.extend", lambda: self._queue.extend(receipts, seconds=seconds))

    async def release(self, receipts: Sequence[str]) -> None:
        """As the queue's."""
        await self._around(f"{self._name}.release", lambda: self._queue.release(receipts))

    async def delete(self, receipts: Sequence[str]) -> None:
        """As the queue's."""
        await self._around(f"{self._name}.delete", lambda: self._queue.delete(receipts))

    async def depth(self) -> Depth:
        """As the queue's."""
        return await self._around(f"{self._name}.depth", self._queue.depth)

    async def close(self) -> None:
        """As the queue's."""
        await self._queue.close()


class AroundResponses:
    """Response queues with something around their calls, and around those of the queue that they open."""

    def __init__(self, queues: ResponseQueues, around: Around) -> None:
        self._queues = queues
        self._around = around
        self.billed = queues.billed

    async def open(self) -> tuple[str, Queue]:
        """As the queues'."""
        name, queue = await self._around("responses.open", self._queues.open)
        return name, AroundQueue(queue, "replies", self._around)

    async def send(self, reply_to: str, messages: Sequence[Message]) -> None:
        """As the queues'."""
        await self._around("responses.send", lambda: self._queues.send(reply_to, messages))

    async def close(self) -> None:
        """As the queues'."""
        await self._queues.close()


class AroundBlobs:
    """A store with something around its calls."""

    def __init__(self, blobs: Blobs, name: str, around: Around) -> None:
        self._blobs = blobs
        self._name = name
        self._around = around
        self.at_once = blobs.at_once

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """As the store's."""
        return await self._around(
            f"{self._name}.put",
            lambda: self._blobs.put(key, data, metadata=metadata, if_absent=if_absent),
        )

    async def get(self, key: str) -> Blob | None:
        """As the store's."""
        return await self._around(f"{self._name}.get", lambda: self._blobs.get(key))

    async def head(self, key: str) -> BlobInfo | None:
        """As the store's."""
        return await self._around(f"{self._name}.head", lambda: self._blobs.head(key))

    async def delete(self, key: str) -> None:
        """As the store's."""
        await self._around(f"{self._name}.delete", lambda: self._blobs.delete(key))

    def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """As the store's."""
        return self._blobs.list(prefix)

    def rank(self, key: str) -> tuple[int, str]:
        """As the store's."""
        return self._blobs.rank(key)

    async def close(self) -> None:
        """As the store's."""
        await self._blobs.close()
