"""The queue port over the data folder: send rings a doorbell, receive waits at one.

`SqliteQueue` adds waiting to the ledger; `SqliteResponseQueues` names queues that come and go. Both live
in a `SqliteDatabase`, which a process opens once.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Collection, Sequence

from iraas.queues.database import SqliteDatabase
from iraas.queues.doorbell import Doorbell
from iraas.queues.ledger import Ledger, Taken
from iraas.queues.port import Delivery, Depth, Durability, Message
from iraas.queues.transaction import Transaction

__all__ = ["SqliteDatabase", "SqliteQueue", "SqliteResponseQueues"]

MAX_BATCH = 256  # messages a call may carry
MAX_WAIT = 20.0  # seconds that one `receive` may wait
LOOK_SECONDS = 0.25  # between looks while waiting: a doorbell's ring may be lost
SWEEP_STEP = 500  # replies that one transaction removes
NAME_LETTERS = string.ascii_lowercase + string.digits
NAME_LENGTH = 12  # random characters of a response queue's name


class SqliteQueue:
    """A queue in the data folder. Keeps the promises of `iraas.queues.port.Queue`.

    `owner` names the process that receives, so that its supervisor can end its leases when it is dead.
    `dead_letter` is another queue's name; without one, messages come back for ever. While a message with
    an id lives in this queue, a second one is dropped. A dead letter with that id does not hinder it; but
    when the second dies as well, the first stays the only one.
    """

    max_batch = MAX_BATCH
    max_wait = MAX_WAIT
    fences = True
    tells_age = True

    def __init__(
        self,
        database: SqliteDatabase,
        name: str,
        *,
        visibility_timeout: float = 30.0,
        max_receives: int = 20,
        dead_letter: str | None = None,
        owner: str = "",
    ) -> None:
        self.visibility_timeout = visibility_timeout
        self.durable_against: Durability = database.durability
        self._database = database
        self._clock = database.clock
        self._ledger = Ledger(
            name,
            visibility_timeout=visibility_timeout,
            max_receives=max_receives,
            dead_letter=dead_letter or None,
            owner=owner,
        )
        self._bell: Doorbell | None = None

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand over at most `max_batch` messages, all or none."""
        check_batch(messages)
        if messages:
            await self._database.run(lambda transaction: self._ledger.add(transaction, messages))

    async def receive(self, *, up_to: int, wait: float) -> list[Delivery]:
        """At most `up_to` messages; an empty list after `wait` seconds without one."""
        if not (1 <= up_to <= MAX_BATCH and 0 <= wait <= MAX_WAIT):
            raise ValueError(
                f"receive takes up_to from 1 to {MAX_BATCH} and wait from 0 to {MAX_WAIT:g} seconds"
            )
        deadline = self._clock.boot() + wait
        while True:
            heard = 0 if self._bell is None else self._bell.heard
            taken = await self._database.run(
                lambda transaction: self._ledger.take(transaction, up_to), undo=self._give_back
            )
            now = self._clock.boot()
            if taken.deliveries or now >= deadline:
                return taken.deliveries
            if self._bell is None:
                self._bell = self._database.bells.hang(self._ledger.queue)
                continue  # and look again: what was sent meanwhile had nothing to ring
            until = min(deadline, now + LOOK_SECONDS, deadline if taken.due is None else taken.due)
            await self._bell.wait(until - now, since=heard)

    async def extend(self, receipts: Sequence[str], *, seconds: float) -> None:
        """Hide these deliveries for `seconds` from now; stale ones are passed over."""
        check_batch(receipts)
        if receipts:
            await self._database.run(lambda transaction: self._ledger.extend(transaction, receipts, seconds))

    async def release(self, receipts: Sequence[str]) -> None:
        """Give these deliveries back at once; stale ones are passed over."""
        check_batch(receipts)
        if receipts:
            await self._database.run(lambda transaction: self._ledger.release(transaction, receipts))

    async def delete(self, receipts: Sequence[str]) -> None:
        """End these messages; stale receipts are passed over."""
        check_batch(receipts)
        if receipts:
            await self._database.run(lambda transaction: self._ledger.delete(transaction, receipts))

    async def depth(self) -> Depth:
        """What the queue holds now."""
        return await self._database.run(self._ledger.depth)

    async def owners(self) -> list[str]:
        """The processes that hold leases now."""
        return await self._database.run(self._ledger.owners)

    async def end_leases(self, owner: str, *, begun: Collection[str] | None = None) -> int:
        """Give back what a dead process held; how many messages. For its supervisor.

        With `begun`, the receipts that it was working on, everything else comes back as if it had not
        been delivered: a death says nothing of messages that were only held.
        """
        if not owner:
            raise ValueError("end_leases needs an owner's name: the empty one is everybody's who has none")
        return await self._database.run(
            lambda transaction: self._ledger.end_leases(transaction, owner, begun)
        )

    async def close(self) -> None:
        """Take this object's doorbell down; the database stays open."""
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def _give_back(self, transaction: Transaction, taken: Taken) -> None:
        if taken.deliveries:
            self._ledger.release(transaction, [delivery.receipt for delivery in taken.deliveries])


class SqliteResponseQueues:
    """The response queues of one data folder. Keeps the promises of `iraas.queues.port.ResponseQueues`.

    A name is the prefix and 12 random letters and digits. One web process at a time owns the folder: what
    `open` finds of others was left by one that died, and is removed.
    """

    billed = False

    def __init__(self, database: SqliteDatabase, prefix: str = "responses-") -> None:
        self._database = database
        self._prefix = prefix
        self._ours = re.compile(rf"{re.escape(prefix)}[{NAME_LETTERS}]{{{NAME_LENGTH}}}")
        self._own: tuple[str, SqliteQueue] | None = None

    async def open(self) -> tuple[str, SqliteQueue]:
        """Make this process's own queue: its name, and the queue."""
        for (left_over,) in await self._database.run(lambda transaction: transaction.rows("response_queues")):
            await self._remove(left_over)
        name = self._prefix + "".join(secrets.choice(NAME_LETTERS) for _ in range(NAME_LENGTH))
        await self._database.run(lambda transaction: _open(transaction, name))
        self._own = name, SqliteQueue(self._database, name)
        return self._own

    async def send(self, reply_to: str, messages: Sequence[Message]) -> None:
        """Send replies to the process that asked; they are dropped when it is gone."""
        if not self._ours.fullmatch(reply_to):
            raise ValueError(f"{reply_to!r} is not a response queue of this deployment ({self._prefix}...)")
        check_batch(messages)
        if messages:
            await self._database.run(lambda transaction: _reply(transaction, reply_to, messages))

    async def waiting(self) -> int:
        """Replies that no web process has taken yet."""
        [(waiting,)] = await self._database.run(lambda transaction: transaction.rows("replies_waiting"))
        return int(waiting)

    async def close(self) -> None:
        """Remove the queue that `open` made."""
        if self._own is not None:
            (name, queue), self._own = self._own, None
            await queue.close()
            await self._remove(name)

    async def _remove(self, name: str) -> None:
        while await self._database.run(lambda transaction: _empty(transaction, name)) == SWEEP_STEP:
            pass


def check_batch(items: Sequence[object]) -> None:
    """Raise `ValueError` for more than a call may carry."""
    if len(items) > MAX_BATCH:
        raise ValueError(f"{len(items)} in one call; this queue takes at most {MAX_BATCH}")


def _open(transaction: Transaction, name: str) -> None:
    transaction.begin()
    transaction.change("open_response_queue", name=name)


def _reply(transaction: Transaction, name: str, messages: Sequence[Message]) -> None:
    transaction.begin()  # first, so that nobody removes the queue between the look and the sending
    if transaction.rows("is_response_queue", name=name):
        Ledger(name).add(transaction, messages)


def _empty(transaction: Transaction, name: str) -> int:
    """Remove some of a response queue's replies, and with the last of them the queue; how many replies."""
    transaction.begin()
    removed = transaction.change("empty_queue", queue=name, step=SWEEP_STEP)
    if removed < SWEEP_STEP:
        transaction.change("close_response_queue", name=name)
    return removed
