"""The object store in memory keeps the promises of its port."""

import pytest

from iraas.testing.blob_contract import BlobContract
from iraas.testing.blob_machine import BlobMachine
from iraas.testing.memory_blobs import MemoryBlobs


class TestMemoryBlobs(BlobContract):
    @pytest.fixture
    def blobs(self):
        return MemoryBlobs()


class MemoryBlobsMachine(BlobMachine):
    blobs = None

    def open(self):
        self.blobs = self.blobs or MemoryBlobs()
        return self.blobs


TestMemoryBlobsMachine = MemoryBlobsMachine.TestCase
