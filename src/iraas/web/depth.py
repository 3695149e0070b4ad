"""Whoever asks for the request queue's depth -> one latest sample for all: on AWS each question has its price."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from iraas.clock import Clock
from iraas.queues.port import Depth

REST_SECONDS = 10.0  # between two questions to a queue that was empty, while nothing comes and goes


class LatestDepth:
    """The queue's depth, and when it was asked for."""

    def __init__(
        self, ask: Callable[[], Awaitable[Depth]], clock: Clock, *, lag_seconds: float = 0.0
    ) -> None:
        self._ask = ask
        self._lag_seconds = lag_seconds  # that the queue may take to count what was sent
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self.asked_at = -math.inf  # boot time; of the sample, which is at least as new
        self.sample = Depth(0, 0, 0.0)

    @property
    def age(self) -> float:
        """Seconds since the sample was asked for."""
        return self._clock.boot() - self.asked_at

    async def ask(self) -> Depth:
        """The depth now. Raises `BackendUnavailable`, and keeps what it had."""
        began = self._clock.boot()
        depth = await self._ask()
        if began >= self.asked_at:  # else a later question was answered sooner
            self.sample, self.asked_at = depth, began
        return depth

    async def within(self, seconds: float) -> Depth:
        """A depth of at most this age. Many who ask at once cause one question. Raises `BackendUnavailable`."""
        if self.age > seconds:
            async with self._one_at_a_time:
                if self.age > seconds:
                    await self.ask()
        return self.sample

    async def lately(self, seconds: float, *, moved_at: float) -> Depth:
        """The same; at rest of at most `REST_SECONDS`. Raises `BackendUnavailable`.

        At rest the queue was empty, and nothing came or went by way of this process since `moved_at`, boot time.
        """
        empty = self.sample.visible + self.sample.in_flight == 0
        at_rest = empty and moved_at + self._lag_seconds < self.asked_at
        return await self.within(max(seconds, REST_SECONDS) if at_rest else seconds)
