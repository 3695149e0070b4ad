"""The object store of files keeps the promises of its port, whichever way it works."""

import tempfile
from pathlib import Path

import pytest

from iraas.blobs.files import FileBlobs
from iraas.testing.blob_contract import BlobContract
from iraas.testing.blob_machine import BlobMachine

WAYS = {"thread": {}, "inline": {"inline": True}, "power": {"durability": "power", "inline": True}}


class TestFileBlobs(BlobContract):
    @pytest.fixture(params=WAYS)
    async def blobs(self, request, tmp_path):
        blobs = FileBlobs(tmp_path, **WAYS[request.param])
        yield blobs
        await blobs.close()


class FileBlobsMachine(BlobMachine):
    def open(self):
        self.folder = getattr(self, "folder", None) or tempfile.TemporaryDirectory()
        return FileBlobs(Path(self.folder.name), inline=True)

    def teardown(self):
        super().teardown()
        self.folder.cleanup()


TestFileBlobsMachine = FileBlobsMachine.TestCase
