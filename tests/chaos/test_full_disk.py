"""Disk full at the put and at the send: a 503, no half object, and service again once there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.chaos.crowd import Books, grey
from tests.conftest import missing
from tests.service import WITH_REPLACEMENTS, Service

from iraas import Client
from iraas.errors import OutOfRoom
from iraas.settings import Settings

DISK_BYTES = 8_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        if os.getuid() == 0 and "CI" not in os.environ:
            missing("the right to mount a small file system")
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Take all of a disk but `leave` bytes; the service may take some of it at the same time."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while (facts := os.statvfs(folder)).f_bavail * facts.f_frsize > leave:
            file.write(bytes(facts.f_frsize))
    return ballast


@pytest.mark.parametrize("leave", [0, 8_192], ids=["at the put", "at the send"])
async def test_a_full_disk_refuses_and_harms_nothing(small_disk, leave):
    """Without room a post gets 503 `out-of-room`; nothing half is stored; with room again all is well."""
    data = small_disk / "data"
    with Service(data, settings={"IRAAS_TEST_MODEL": "0.001"}, command=WITH_REPLACEMENTS) as service:
        with Client(service.url, retries=0) as client:
            before = client.classify(grey(1)).id
            ballast = fill(small_disk, leave)
            refused: list[OutOfRoom] = []
            for number in range(2, 40):
                try:
                    client.submit(grey(number) + bytes(60_000 if leave == 0 else 0))
                except OutOfRoom as error:
                    refused.append(error)
            assert refused
            assert all(error.retry_after for error in refused)
            ballast.unlink()
        with Client(service.url, retries=30) as client:
            after = client.classify(grey(99)).id
        books = await Books.read(Settings(data=data))
        litter = [
            path
            for path in data.rglob("*")
            if "inputs" in path.parts and path.stat().st_size == 0 and path.is_file()
        ]

    assert {before, after} <= set(books.records)
    assert not litter
    assert books.letters == []
