"""Ports that kill their process, once, at a named step: `after results.put 3 FILE`.

The steps are those of the order in which answers are made safe: what is put, sent and deleted. FILE marks
that it happened, so that the process that takes over lives.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

from iraas.blobs.port import Blob, BlobInfo, Blobs
from iraas.queues.port import Delivery, Depth, Message, Queue, ResponseQueues

STEPS = (
    "inputs.put",
    "requests.send",
    "requests.receive",
    "inputs.get",
    "results.put",
    "responses.send",
    "requests.delete",
)


class CrashPoint:
    """Where a process dies: before or after the n-th call of a step."""

    def __init__(self, when: Literal["before", "after"], step: str, count: int, mark: Path) -> None:
        self._when = when
        self._step = step
        self._left = count
        self._mark = mark

    @classmethod
    def parse(cls, text: str) -> Self:
        """`before|after STEP COUNT FILE`. Raises `ValueError`."""
        when, step, count, mark = text.split(" ", 3)
        if when not in ("before", "after") or step not in STEPS:
            raise ValueError(f"no crash point {text!r}")
        return cls("before" if when == "before" else "after", step, int(count), Path(mark))

    def pass_by(self, when: str, step: str) -> None:
        """Die here, if this is the place."""
        if (when, step) != (self._when, self._step) or self._mark.exists():
            return
        self._left -= 1
        if self._left <= 0:
            self._mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class CrashingQueue:
    """A queue with crash points."""

    def __init__(self, queue: Queue, name: str, point: CrashPoint) -> None:
        self._queue = queue
        self._name = name
        self._point = point
        self.max_batch = queue.max_batch
        self.max_wait = queue.max_wait
        self.visibility_timeout = queue.visibility_timeout
        self.durable_against = queue.durable_against
        self.fences = queue.fences
        self.tells_age = queue.tells_age

    async def send(self, messages: Sequence[Message]) -> None:
        """As the queue's, with crash points around it."""
        self._point.pass_by("before", f"{self._name}.send")
        await self._queue.send(messages)
        self._point.pass_by("after", f"{self._name}.send")

    async def receive(self, *, up_to: int, wait: float) -> list[Delivery]:
        """As the queue's, with a crash point after a receive that brought something."""
        deliveries = await self._queue.receive(up_to=up_to, wait=wait)
        if deliveries:
            self._point.pass_by("after", f"{self._name}.receive")
        return deliveries

    async def extend(self, receipts: Sequence[str], *, seconds: float) -> None:
        """As the queue's."""
        await self._queue.extend(receipts, seconds=seconds)

    async def release(self, receipts: Sequence[str]) -> None:
        """As the queue's."""
        await self._queue.release(receipts)

    async def delete(self, receipts: Sequence[str]) -> None:
        """As the queue's, with crash points around it."""
        self._point.pass_by("before", f"{self._name}.delete")
        await self._queue.delete(receipts)
        self._point.pass_by("after", f"{self._name}.delete")

    async def depth(self) -> Depth:
        """As the queue's."""
        return await self._queue.depth()

    async def close(self) -> None:
        """As the queue's."""
        await self._queue.close()


class CrashingResponses:
    """Response queues with crash points around `send`."""

    def __init__(self, queues: ResponseQueues, point: CrashPoint) -> None:
        self._queues = queues
        self._point = point

    async def open(self) -> tuple[str, Queue]:
        """As the queues'."""
        return await self._queues.open()

    async def send(self, reply_to: str, messages: Sequence[Message]) -> None:
        """As the queues', with crash points around it."""
        self._point.pass_by("before", "responses.send")
        await self._queues.send(reply_to, messages)
        self._point.pass_by("after", "responses.send")

    async def close(self) -> None:
        """As the queues'."""
        await self._queues.close()


class CrashingBlobs:
    """A store with crash points around `put` and `get`."""

    def __init__(self, blobs: Blobs, name: str, point: CrashPoint) -> None:
        self._blobs = blobs
        self._name = name
        self._point = point
        self.at_once = blobs.at_once

    async def put(
        self, key: str, data: bytes, *, metadata: Mapping[str, str] | None = None, if_absent: bool = False
    ) -> bool:
        """As the store's, with crash points around it."""
        self._point.pass_by("before", f"{self._name}.put")
        won = await self._blobs.put(key, data, metadata=metadata, if_absent=if_absent)
        self._point.pass_by("after", f"{self._name}.put")
        return won

    async def get(self, key: str) -> Blob | None:
        """As the store's, with a crash point after it."""
        blob = await self._blobs.get(key)
        self._point.pass_by("after", f"{self._name}.get")
        return blob

    async def head(self, key: str) -> BlobInfo | None:
        """As the store's."""
        return await self._blobs.head(key)

    async def delete(self, key: str) -> None:
        """As the store's."""
        await self._blobs.delete(key)

    def list(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """As the store's."""
        return self._blobs.list(prefix)

    def rank(self, key: str) -> tuple[int, str]:
        """As the store's."""
        return self._blobs.rank(key)

    async def close(self) -> None:
        """As the store's."""
        await self._blobs.close()
