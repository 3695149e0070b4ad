"""A queue with nothing wrong around it is as good as the queue inside: the wrappers of tests hide nothing."""

import pytest

from iraas.testing.faults import Faults, FaultyQueue
from iraas.testing.memory import MemoryQueue
from iraas.testing.queue_contract import LocalQueueContract


class TestFaultyQueueAtPeace(LocalQueueContract):
    """In memory, and no fault is thrown."""

    @pytest.fixture
    def open_queue(self, clock, tmp_path):
        """Queues of one process, by name."""
        queues = {}
        faults = Faults(7, 1.0, tmp_path / "never made")

        def open_queue(name, *, dead_letter="", **options):
            if name not in queues:
                dead = open_queue(dead_letter)._queue if dead_letter else None
                queues[name] = FaultyQueue(
                    MemoryQueue(clock=clock, dead_letter=dead, **options), name, faults
                )
            return queues[name]

        return open_queue
