"""A queue's operation -> what it does to the tables: leases, fences, graves. Nothing here waits.

A receipt is `SEQ:FENCE`. The fence is drawn anew for each delivery, and is good until the message is
delivered again, released, moved or deleted; a stale receipt finds no row. Whose lease has run out while
nobody took the message over still has it: a late worker may finish.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from iraas.queues.port import Delivery, Depth, Message
from iraas.queues.transaction import Transaction


class Taken(NamedTuple):
    """What `take` found: deliveries; or none, and when the first of those in flight is due."""

    deliveries: list[Delivery]
    due: float | None = None  # boot time, seconds


class Ledger:
    """One queue's rows."""

    def __init__(
        self,
        queue: str,
        *,
        visibility_timeout: float = 30.0,
        max_receives: int = 20,
        dead_letter: str | None = None,
        owner: str = "",
    ) -> None:
        self.queue = queue
        self._visibility_timeout = visibility_timeout
        self._max_receives = max_receives
        self._dead_letter = dead_letter
        self._owner = owner

    def add(self, transaction: Transaction, messages: Sequence[Message]) -> None:
        """Put messages at the end; one whose id lives here already is dropped."""
        now, wall = transaction.begin(), transaction.clock.time()
        common = {"queue": self.queue, "now": now, "wall": wall}
        transaction.change_each("send", [{**common, "id": id_, "body": body} for body, id_ in messages])
        transaction.check_room()
        transaction.bells.add(self.queue)

    def take(self, transaction: Transaction, up_to: int) -> Taken:
        """Lease what is visible, the oldest first; what was delivered too often goes to its grave."""
        [(due,)] = transaction.rows("next_due", queue=self.queue)
        if due is None or due > transaction.clock.boot():
            return Taken([], due)  # without the gate: who waits at an empty queue disturbs nobody
        deliveries: list[Delivery] = []
        while wanted := up_to - len(deliveries):
            leased = self._lease(transaction, wanted)
            dead = [delivery for delivery in leased if self._is_dead(delivery)]
            deliveries += [delivery for delivery in leased if not self._is_dead(delivery)]
            if not dead:
                break
            self._bury(transaction, dead)
        return Taken(deliveries)

    def extend(self, transaction: Transaction, receipts: Sequence[str], seconds: float) -> None:
        """Hide these deliveries for `seconds` from now."""
        until = transaction.begin() + seconds
        transaction.change_each("extend", [{**row, "until": until} for row in self._rows(receipts)])

    def release(self, transaction: Transaction, receipts: Sequence[str]) -> None:
        """Make these deliveries visible, in the place that their age gives them."""
        transaction.begin()
        transaction.change_each("release", self._rows(receipts))
        transaction.bells.add(self.queue)

    def delete(self, transaction: Transaction, receipts: Sequence[str]) -> None:
        """Remove these messages."""
        transaction.begin()
        transaction.change_each("delete", self._rows(receipts))

    def owners(self, transaction: Transaction) -> list[str]:
        """Who holds leases now; those without a name are left out."""
        now = transaction.clock.boot()
        return [owner for (owner,) in transaction.rows("lease_owners", queue=self.queue, now=now)]

    def end_leases(self, transaction: Transaction, owner: str, begun: Collection[str] | None) -> int:
        """Release all that `owner` holds; how many messages. What it had not begun was not delivered."""
        now = transaction.begin()
        transaction.bells.add(self.queue)
        held = {"queue": self.queue, "now": now, "owner": owner}
        if begun is not None:
            transaction.change("forgive", **held)
            transaction.change_each("charge", self._rows(sorted(begun)))
        return transaction.change("end_leases", **held)

    def depth(self, transaction: Transaction) -> Depth:
        """Count, on the index alone."""
        now = transaction.clock.boot()
        [(visible, in_flight, oldest)] = transaction.rows("depth", queue=self.queue, now=now)
        return Depth(visible, in_flight, 0.0 if oldest is None else max(0.0, now - oldest))

    def _lease(self, transaction: Transaction, up_to: int) -> list[Delivery]:
        now = transaction.begin()
        until = now + self._visibility_timeout
        rows = transaction.rows(
            "receive", queue=self.queue, now=now, until=until, owner=self._owner, up_to=up_to
        )
        return [Delivery(body, f"{seq}:{fence}", receives) for seq, fence, receives, body in rows]

    def _is_dead(self, delivery: Delivery) -> bool:
        return self._dead_letter is not None and delivery.receive_count > self._max_receives

    def _bury(self, transaction: Transaction, dead: Sequence[Delivery]) -> None:
        """Move to the dead-letter queue; where one with that id lies already, it stays the only one."""
        rows = self._rows([delivery.receipt for delivery in dead])
        transaction.change_each("bury", [{**row, "dead_letter": self._dead_letter} for row in rows])
        transaction.change_each("delete", rows)
        transaction.bells.add(str(self._dead_letter))

    def _rows(self, receipts: Sequence[str]) -> list[Mapping[str, Any]]:
        """Receipts -> what finds their rows; what was never a receipt finds none."""
        parts = [receipt.partition(":") for receipt in receipts]
        return [
            {"queue": self.queue, "seq": seq, "fence": fence} for seq, _, fence in parts
        ]  # digits: SQL reads them
