"""The queue in memory keeps the promises of its port, but for durability."""

import pytest
from hypothesis import settings

from iraas.testing.memory import MemoryQueue, MemoryResponseQueues
from iraas.testing.queue_contract import LocalQueueContract, ResponseQueuesContract
from iraas.testing.queue_machine import MAX_RECEIVES, QueueMachine


class TestMemoryQueue(LocalQueueContract):
    """The list."""

    @pytest.fixture
    def open_queue(self, clock):
        """One object for all, since nobody else can hold it."""
        queues = {}

        def open_queue(name, *, dead_letter="", **options):
            letters = queues.get(dead_letter)
            return queues.setdefault(name, MemoryQueue(clock=clock, dead_letter=letters, **options))

        return open_queue


class TestMemoryResponseQueues(ResponseQueuesContract):
    """The dictionary of lists."""

    @pytest.fixture
    def web(self):
        """The one object that all share."""
        return MemoryResponseQueues()

    @pytest.fixture
    def worker(self, web):
        """The same."""
        return web


@settings(max_examples=60, stateful_step_count=40, deadline=None)
class MemoryQueueMachine(QueueMachine):
    """The list beside a simpler one."""

    queues = None
    survives_reboot = False

    def open(self, clock):
        """The same ones each time."""
        letters = MemoryQueue(clock=clock)
        queue = MemoryQueue(clock=clock, max_receives=MAX_RECEIVES, dead_letter=letters)
        self.queues = self.queues or (queue, letters)
        return self.queues

    def crash(self):
        """Nothing to end."""


TestMemoryQueueMachine = MemoryQueueMachine.TestCase
