"""The object store of files keeps the promises of its port, whichever way it works."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from iraas.blobs.files import FileBlobs
from iraas.testing.blob_contract import BlobContract
from iraas.testing.blob_machine import BlobMachine

WAYS = {"thread": {}, "inline": {"inline": True}, "power": {"durability": "power", "inline": True}}


class TestFileBlobs(BlobContract):
    """Files, each way."""

    @pytest.fixture(params=WAYS)
    async def blobs(self, request, tmp_path):
        """A store in a folder that did not exist."""
        blobs = FileBlobs(tmp_path / "inputs", **WAYS[request.param])
        yield blobs
        await blobs.close()


@settings(max_examples=40, stateful_step_count=30, deadline=None)
class FileBlobsMachine(BlobMachine):
    """Files beside a dictionary."""

    folder = None

    def open(self):
        """Another store over the same folder."""
        self.folder = self.folder or tempfile.TemporaryDirectory()
        return FileBlobs(Path(self.folder.name), inline=True)

    def teardown(self):
        """The folder goes, too."""
        super().teardown()
        self.folder.cleanup()


TestFileBlobsMachine = FileBlobsMachine.TestCase
