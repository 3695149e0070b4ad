"""What every part of the queue contract stands on: two fixtures, and words for what came back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from iraas.queues.port import Delivery, Queue
from iraas.testing.manual_clock import ManualClock

PATIENCE = 20.0  # real seconds for what takes milliseconds; only a broken queue needs them


class OpenQueue(Protocol):
    """Opens a queue as another process would hold it."""

    def __call__(
        self, name: str, *, visibility_timeout: float = 30.0, max_receives: int = 20, dead_letter: str = ""
    ) -> Queue:
        """The queue of this name; `dead_letter` is a name, too."""
        ...


class DepthCase:
    """What a test may expect of `depth`."""

    depth_is_exact = True  # a backend whose counts lag by a minute says no

    async def expect_depth(self, queue: Queue, visible: int, in_flight: int) -> None:
        """Fail unless the queue holds so many, where its counts can be relied on."""
        if self.depth_is_exact:
            assert (await queue.depth())[:2] == (visible, in_flight)


class QueueCase(DepthCase):
    """A clock in the test's hand, and a queue, from the backend's own `open_queue` fixture."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Time in the test's hand."""
        return ManualClock()

    @pytest.fixture
    def queue(self, open_queue: OpenQueue) -> Queue:
        """The queue under test."""
        return open_queue("requests")


def bodies(deliveries: Sequence[Delivery]) -> list[bytes]:
    """What was in the messages, sorted: no order is promised."""
    return sorted(delivery.body for delivery in deliveries)


def receipts(deliveries: Sequence[Delivery]) -> list[str]:
    """What stands for having them."""
    return [delivery.receipt for delivery in deliveries]
