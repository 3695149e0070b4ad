"""The queue port: messages from one tier to the other. What it promises is numbered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

Durability = Literal["nothing", "process", "power"]


class Message(NamedTuple):
    """What is sent. While a message with the same `id` lives, a local backend drops the second."""

    body: bytes
    id: str = ""  # empty: never the same as another


class Delivery(NamedTuple):
    """What is received: a message, and the receipt that stands for having it."""

    body: bytes
    receipt: str  # carries a fencing token where the backend can
    receive_count: int  # this delivery counted in


class Depth(NamedTuple):
    """How much a queue holds, approximately."""

    visible: int
    in_flight: int
    oldest_age: float  # seconds, of the oldest message that is not deleted; 0: none is there; NaN: not known


class Queue(Protocol):
    """Messages from one tier to the other.

    1. A message that `send` returned for survives what `durable_against` names.
    2. It is delivered at least once until someone deletes it; it may come twice, and in any order.
    3. A delivered message is hidden for `visibility_timeout` seconds, then comes back with
       `receive_count` + 1; `extend` prolongs that from now on, `release` ends it at once.
    4. After `max_receives` deliveries it moves to the dead-letter queue, where there is one.
    5. `receive` waits up to `wait` seconds and returns as soon as a message is there.
    6. Any number of processes may use one queue. With `fences`, a stale receipt changes nothing;
       without, it may, and nothing of ours relies on either.
    7. `depth` says visible, in flight and the age of the oldest, approximately.

    Every method raises `BackendUnavailable` when the backend cannot be reached, and `OutOfRoom` when
    it is full; nothing is then known of the effect. Every method may raise `QueueVanished` when somebody
    removed the queue.
    """

    max_batch: int  # messages a call may carry
    max_wait: float  # seconds that one `receive` may wait
    visibility_timeout: float  # seconds
    durable_against: Durability
    fences: bool  # whether a stale receipt is refused
    tells_age: bool  # whether `depth` knows the age of the oldest

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand over at most `max_batch` messages, all or none."""
        ...

    async def receive(self, *, up_to: int, wait: float) -> list[Delivery]:
        """At most `up_to` messages; an empty list after `wait` seconds without one."""
        ...

    async def extend(self, receipts: Sequence[str], *, seconds: float) -> None:
        """Hide these deliveries for `seconds` from now; stale ones are passed over."""
        ...

    async def release(self, receipts: Sequence[str]) -> None:
        """Give these deliveries back at once; stale ones are passed over."""
        ...

    async def delete(self, receipts: Sequence[str]) -> None:
        """End these messages; stale receipts are passed over."""
        ...

    async def depth(self) -> Depth:
        """What the queue holds now, approximately."""
        ...

    async def close(self) -> None:
        """Give back what this object holds open; the messages stay."""
        ...


class ResponseQueues(Protocol):
    """One response queue for each web process, and the way to any of them.

    1. `open` makes a queue that only this process knows of, and returns its name for `reply_to`.
    2. `send` reaches the queue of that name; when it is gone, the replies are dropped in silence.
    3. A name outside this deployment's own prefix is refused with `ValueError`.
    """

    billed: (
        bool  # whether a reply has its price, so that only those are worth sending that somebody waits for
    )

    async def open(self) -> tuple[str, Queue]:
        """Make this process's own queue: its name, and the queue."""
        ...

    async def send(self, reply_to: str, messages: Sequence[Message]) -> None:
        """Send replies to the process that asked."""
        ...

    async def close(self) -> None:
        """Remove the queue that `open` made."""
        ...
