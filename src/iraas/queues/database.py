"""Work on the tables -> its turn, alone or in a group -> committed -> the doorbells of who waits for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Literal, TypeVar

from iraas.clock import Clock
from iraas.errors import BackendUnavailable
from iraas.lane import Call, Lane
from iraas.queues.connection import Connection, StorageErrors, connect, in_words
from iraas.queues.doorbell import Bells
from iraas.queues.gate import Gate
from iraas.queues.transaction import Transaction

EXPIRE_STEP = 500  # messages that one transaction removes, so that retention keeps nobody waiting

T = TypeVar("T")


class SqliteDatabase:
    """The file with every queue of one data folder, as one process (or one thread) has it open.

    With `inline`, work is done in the calling thread, and `run` never suspends: for a worker, whose one
    thread has nothing else to do. Without, a thread of its own does it, and what many tasks ask for at once
    goes into one transaction: for the web process, whose loop must not stand still.

    `runtime` is a short private folder for doorbell sockets. With `max_bytes`, sends that would make the
    file larger raise `OutOfRoom`; whatever empties it still works. Opening raises `BackendUnavailable`,
    `OutOfRoom` or `ConfigurationError`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        runtime: Path,
        durability: Literal["process", "power"] = "process",
        inline: bool = False,
        max_bytes: int | None = None,
    ) -> None:
        self.clock = clock
        self.durability: Literal["process", "power"] = durability
        self.path = folder / "queue.sqlite3"
        self._max_bytes = max_bytes
        self._closed = False
        with ExitStack() as opened:  # closes what it holds when the rest cannot be opened
            self.bells = opened.enter_context(closing(Bells(runtime)))
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._gate = opened.enter_context(closing(Gate(folder)))
                self._connection = self._connect(patient=inline)
                opened.callback(self._connection.close)
                with self._transaction() as transaction:
                    _end_leases_of_earlier_boots(transaction)
            except StorageErrors as error:
                raise in_words(error, self.path) from error
            self._close_files = opened.pop_all().close
        self._lane = None if inline else Lane(self._serve, name="queue")

    async def run(
        self, work: Callable[[Transaction], T], *, undo: Callable[[Transaction, T], object] | None = None
    ) -> T:
        """Do this work, all or nothing; when its caller is cancelled meanwhile, `undo` takes it back.

        Work may be done again from its start when a transaction fails: it changes nothing but tables.
        """
        if self._closed:
            raise BackendUnavailable(f"{self.path} was closed by this process")
        call = Call(work, undo)
        if self._lane is not None:
            return await self._lane.run(call)
        self._serve([call])
        if call.error is not None:
            raise call.error
        return call.result

    async def expire(self, older_than_seconds: float) -> int:
        """Remove the messages of all queues that were sent longer ago; how many.

        Age is counted in boot time, so that no jump of the wall clock makes a message old or young; only
        over a restart of the machine does wall time carry it.
        """

        def step(transaction: Transaction) -> int:
            before = transaction.begin() - older_than_seconds
            return transaction.change("expire", step=EXPIRE_STEP, before=before)

        removed = 0
        while some := await self.run(step):
            removed += some
        return removed

    def close(self) -> None:
        """Finish what was asked for, and give the file back."""
        if self._closed:
            return
        self._closed = True
        if self._lane is not None:
            self._lane.close()
        self._gate.enter()  # whoever closes last folds the journal into the file, and has to be alone for it
        self._close_files()

    def _connect(self, *, patient: bool) -> Connection:
        self._gate.enter()
        try:
            return connect(self.path, durability=self.durability, patient=patient)
        finally:
            self._gate.leave()

    def _transaction(self) -> Transaction:
        return Transaction(self._connection, gate=self._gate, clock=self.clock, max_bytes=self._max_bytes)

    def _serve(self, calls: list[Call[Transaction, Any]]) -> None:
        """All calls in one transaction. If that fails, each in its own, so that none spoils another's."""
        try:
            with self._transaction() as transaction:
                for call in calls:
                    call.result = call.work(transaction)
        except BaseException as error:  # noqa: BLE001 - it is the caller's, whose thread may be another
            if len(calls) == 1:
                calls[0].fail(in_words(error, self.path), because=error)
                return
            for call in calls:
                self._serve([call])
        else:
            for queue in transaction.bells:
                self.bells.ring(queue)


def _end_leases_of_earlier_boots(transaction: Transaction) -> None:
    """Leases count boot time, which begins anew with the machine; who held them is gone anyway."""
    now, clock = transaction.begin(), transaction.clock
    known = transaction.rows("last_boot")  # its id, and when the newest message was sent
    if known and known[0][0] == clock.boot_id and (known[0][1] or 0.0) <= now:
        return  # where a system names no boot, a message from the future tells of another
    transaction.change("restart_leases", now=now, wall=clock.time())
    transaction.change("forget_boot")
    transaction.change("remember_boot", id=clock.boot_id)
