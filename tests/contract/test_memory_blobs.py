"""The object store in memory keeps the promises of its port."""

import pytest
from hypothesis import settings

from iraas.testing.blob_contract import BlobContract
from iraas.testing.blob_machine import BlobMachine
from iraas.testing.memory_blobs import MemoryBlobs


class TestMemoryBlobs(BlobContract):
    """The dictionary."""

    @pytest.fixture
    def blobs(self):
        """A fresh one."""
        return MemoryBlobs()


@settings(max_examples=40, stateful_step_count=30, deadline=None)
class MemoryBlobsMachine(BlobMachine):
    """The dictionary beside a simpler one."""

    blobs = None

    def open(self):
        """The same one each time: nobody else can open it."""
        self.blobs = self.blobs or MemoryBlobs()
        return self.blobs


TestMemoryBlobsMachine = MemoryBlobsMachine.TestCase
