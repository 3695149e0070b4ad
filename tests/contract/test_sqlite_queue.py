"""The embedded queue keeps the promises of its port, in a worker's thread and in one of its own."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from iraas.clock import SystemClock
from iraas.queues.sqlite import SqliteDatabase, SqliteQueue, SqliteResponseQueues
from iraas.testing.queue_contract import LocalQueueContract, ResponseQueuesContract
from iraas.testing.queue_machine import MAX_RECEIVES, QueueMachine


@pytest.fixture(params=["inline", "threaded"])
def open_database(request, tmp_path):
    """Opens the data folder as another process would."""
    with tempfile.TemporaryDirectory() as runtime, ExitStack() as opened:

        def open_database(clock):
            inline = request.param == "inline"
            database = SqliteDatabase(tmp_path / "data", clock=clock, runtime=Path(runtime), inline=inline)
            opened.callback(database.close)
            return database

        yield open_database


class TestSqliteQueue(LocalQueueContract):
    """A file, each time opened anew."""

    @pytest.fixture
    def open_queue(self, open_database, clock):
        """A queue in a database of its own, whose bell the clock rings when it is moved."""

        def open_queue(name, **options):
            database = open_database(clock)
            clock.when_moved(lambda: database.bells.ring(name))
            return SqliteQueue(database, name, **options)

        return open_queue


class TestSqliteResponseQueues(ResponseQueuesContract):
    """Queues that come and go in the same file."""

    @pytest.fixture
    def web(self, open_database):
        """The web process's view."""
        return SqliteResponseQueues(open_database(SystemClock()))

    @pytest.fixture
    def worker(self, open_database):
        """A worker's view."""
        return SqliteResponseQueues(open_database(SystemClock()))


@settings(max_examples=25, stateful_step_count=30, deadline=None)
class SqliteQueueMachine(QueueMachine):
    """The file beside a list."""

    folder = None

    def open(self, clock):
        """Another process's view of the same folder."""
        self.folder = self.folder or tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        self.database = SqliteDatabase(folder / "data", clock=clock, runtime=folder / "run", inline=True)
        queue = SqliteQueue(self.database, "requests", max_receives=MAX_RECEIVES, dead_letter="dead")
        return queue, SqliteQueue(self.database, "dead")

    def crash(self):
        """Close the file; what was sent is in it."""
        self.database.close()

    def teardown(self):
        """The folder goes, too."""
        super().teardown()
        self.folder.cleanup()


TestSqliteQueueMachine = SqliteQueueMachine.TestCase
