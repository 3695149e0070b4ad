"""Calls that fail by a seeded dice, before their effect or after it, and messages that come twice and in disorder.

    7 0.1 FILE      seed, share of failing calls, and a file: the faults last as long as it exists

A failure after the effect is a lost reply: the caller cannot know what became of its call.
"""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from iraas.errors import BackendUnavailable
from iraas.queues.port import Delivery, Message, Queue, ResponseQueues
from iraas.testing.around import AroundQueue, AroundResponses

_T = TypeVar("_T")


class Faults:
    """A dice, and for how long it is thrown."""

    def __init__(self, seed: int | str, rate: float, while_exists: Path) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - a test that fails must fail again
        self._rate = rate
        self._while_exists = while_exists

    @classmethod
    def parse(cls, text: str) -> Self:
        """`SEED RATE FILE`, for this process: another one throws other numbers. Raises `ValueError`."""
        seed, rate, file = text.split(" ", 2)
        return cls(f"{int(seed)} {os.getpid()}", float(rate), Path(file))

    @property
    def active(self) -> bool:
        """Whether calls may fail and messages come twice."""
        return self._while_exists.exists()

    async def around(self, step: str, call: Callable[[], Awaitable[_T]]) -> _T:
        """Make the call, or fail before it, or after it: half of the failures each."""
        thrown = self._dice.random() if self.active else 1.0
        if thrown < self._rate / 2:
            raise BackendUnavailable(f"{step}: failed on purpose, before its effect")
        result = await call()
        if thrown < self._rate:
            raise BackendUnavailable(f"{step}: failed on purpose, after its effect")
        return result

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """The items in another order."""
        return self._dice.sample(items, len(items))


class FaultyQueue(AroundQueue):
    """A queue whose calls fail, that delivers everything twice and nothing in order."""

    def __init__(self, queue: Queue, name: str, faults: Faults) -> None:
        super().__init__(queue, name, faults.around)
        self._faults = faults

    async def send(self, messages: Sequence[Message]) -> None:
        """Send each message as two: the second one has no id, or a queue of one machine would refuse it."""
        await super().send(messages)
        if self._faults.active:
            await super().send([Message(message.body) for message in messages])

    async def receive(self, *, up_to: int, wait: float) -> list[Delivery]:
        """Give what was received in another order."""
        return self._faults.shuffled(await super().receive(up_to=up_to, wait=wait))


class FaultyResponses(AroundResponses):
    """Response queues whose calls fail, and whose replies come twice."""

    def __init__(self, queues: ResponseQueues, faults: Faults) -> None:
        super().__init__(queues, faults.around)
        self._faults = faults

    async def open(self) -> tuple[str, Queue]:
        """The queue that was opened, as faulty as these."""
        name, queue = await self._queues.open()
        return name, FaultyQueue(queue, "replies", self._faults)

    async def send(self, reply_to: str, messages: Sequence[Message]) -> None:
        """Send each reply twice."""
        await super().send(reply_to, messages)
        if self._faults.active:
            await super().send(reply_to, messages)
