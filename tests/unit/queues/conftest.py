"""Fixtures of the embedded queue's unit tests."""

import asyncio
import tempfile
from pathlib import Path

import pytest

from iraas.queues.doorbell import Doorbell
from iraas.queues.sqlite import SqliteDatabase
from iraas.testing.manual_clock import ManualClock


@pytest.fixture
def runtime():
    """A folder with a short path, for sockets."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def clock():
    """Time in the test's hand."""
    return ManualClock()


@pytest.fixture
def open_database(tmp_path, runtime, clock):
    """Opens the data folder; everything is closed at the end."""
    opened = []

    def open_database(**options):
        opened.append(SqliteDatabase(tmp_path / "data", clock=clock, runtime=runtime, **options))
        return opened[-1]

    yield open_database
    for database in opened:
        database.close()


@pytest.fixture
def somebody_waits(monkeypatch):
    """An event that is set when a receiver begins to wait at its doorbell."""
    waits, wait = asyncio.Event(), Doorbell.wait

    async def say_so_and_wait(bell, seconds, *, since):
        waits.set()
        await wait(bell, seconds, since=since)

    monkeypatch.setattr(Doorbell, "wait", say_so_and_wait)
    return waits
