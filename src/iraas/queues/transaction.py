"""Statements of queries.sql -> one transaction behind the gate, and the bells to ring after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from iraas.clock import Clock
from iraas.errors import OutOfRoom
from iraas.queues.connection import Connection
from iraas.queues.gate import Gate
from iraas.queues.queries import queries


class Transaction:
    """What a piece of work is given. What it reads before the first `begin` is read without the gate."""

    def __init__(self, connection: Connection, *, gate: Gate, clock: Clock, max_bytes: int | None) -> None:
        self.clock = clock
        self.bells: set[str] = set()  # queues to ring for, once all this is committed
        self._connection = connection
        self._gate = gate
        self._max_bytes = max_bytes
        self._begun_at: float | None = None

    def begin(self) -> float:
        """Be the only one who writes, until the end; since when, in boot time. Later writers are later."""
        if self._begun_at is None:
            self._begun_at = 0.0  # first, so that the exit opens the gate however far this comes
            self._gate.enter()
            self._connection.execute("BEGIN IMMEDIATE")
            self._begun_at = self.clock.boot()
        return self._begun_at

    def rows(self, query: str, **values: Any) -> list[Any]:
        """Run a statement; all its rows, since a half-read one would pin an old snapshot."""
        return self._connection.execute(queries()[query], values).fetchall()

    def change(self, query: str, **values: Any) -> int:
        """Run a statement; how many rows it changed."""
        return self._connection.execute(queries()[query], values).rowcount

    def change_each(self, query: str, values: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement once for each set of values."""
        self._connection.executemany(queries()[query], values)

    def check_room(self) -> None:
        """Raise `OutOfRoom`, and so undo all this, when the file has outgrown its limit."""
        if self._max_bytes is None:
            return
        [(used,)] = self.rows("bytes_used")
        if used > self._max_bytes:
            raise OutOfRoom(f"the queues would hold more than {self._max_bytes} bytes: try again later")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._begun_at is None:
            return
        try:
            if error is None:
                self._connection.execute("COMMIT")
        finally:
            try:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            finally:
                self._gate.leave()
