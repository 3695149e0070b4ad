"""The queue port over SQS: calls that come together share requests of ten; receives are long polls.

A process has one `SqsConnection`, and a queue object for each queue and event loop.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from iraas.errors import BackendUnavailable, IraasError
from iraas.queues.coalesce import Coalescer, Outcome
from iraas.queues.port import Delivery, Depth, Durability, Message
from iraas.queues.sqs_batch import MAX_ENTRIES, Entry, deliver
from iraas.queues.sqs_body import MAX_BYTES, from_text, size, to_text
from iraas.queues.sqs_connection import LONGEST_POLL_SECONDS, Answer, SqsConnection
from iraas.queues.sqs_errors import STALE

SEND_LINGER_SECONDS = 0.02  # when others came just before; a client waits meanwhile
DELETE_LINGER_SECONDS = 0.5  # nobody waits, and leases are longer
LONGEST_HIDING_SECONDS = 43_200  # 12 hours; SQS allows no more
DEPTH = {  # what SQS counts, and whether it counts as visible
    "ApproximateNumberOfMessages": True,
    "ApproximateNumberOfMessagesDelayed": True,
    "ApproximateNumberOfMessagesNotVisible": False,
}


class SqsQueue:
    """A standard queue of SQS. Keeps the promises of `iraas.queues.port.Queue`, in one event loop.

    `wait_seconds` bounds one poll: it is also how long `close` may take, since SQS cannot be told that a
    poll is not wanted any more. `gives_back`: what a poll brings when nobody wants it any more is released,
    which takes sqs:ChangeMessageVisibility; else it comes back after its timeout. A longer `wait` makes several
    polls. Retention and the dead-letter queue are the queue's own attributes.
    """

    max_batch = MAX_ENTRIES
    max_wait = float(LONGEST_POLL_SECONDS)
    durable_against: Durability = "power"  # SQS keeps each message on several servers
    fences = False
    tells_age = False

    def __init__(
        self,
        connection: SqsConnection,
        url: str,
        *,
        visibility_timeout: float,
        wait_seconds: float = float(LONGEST_POLL_SECONDS),
        gives_back: bool = True,
    ) -> None:
        self.visibility_timeout = visibility_timeout
        self.url = url
        self._gives_back = gives_back  # what a cancelled `receive` brings; else it waits for its timeout
        self._connection = connection
        self._longest_poll = max(1, min(LONGEST_POLL_SECONDS, round(wait_seconds)))
        self._sends: Coalescer[Entry] = Coalescer(
            partial(deliver, connection, "SendMessageBatch", url),
            max_items=MAX_ENTRIES,
            max_weight=MAX_BYTES,
            linger=SEND_LINGER_SECONDS,
            alone_at_once=True,
        )
        self._deletes: Coalescer[Entry] = Coalescer(
            partial(deliver, connection, "DeleteMessageBatch", url, pass_over=STALE),
            max_items=MAX_ENTRIES,
            linger=DELETE_LINGER_SECONDS,
        )
        self._outstanding: set[asyncio.Future[Any]] = set()  # polls, and what gives back what they brought

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand over at most `max_batch` messages. Raises `ValueError` for one that SQS does not take."""
        check_batch(messages)
        texts = [to_text(message.body) for message in messages]
        await self._sends.add(
            [{"MessageBody": text} for text in texts], weights=[size(text) for text in texts]
        )

    async def receive(self, *, up_to: int, wait: float) -> list[Delivery]:
        """At most `up_to` messages; an empty list after `wait` seconds without one.

        SQS waits whole seconds: a `wait` between 0 and 1 is one. With `wait=0` it asks some of its servers
        only, and may say that nothing is there when something is.
        """
        if not (1 <= up_to <= self.max_batch and 0 <= wait <= self.max_wait):
            raise ValueError(
                f"receive takes up_to from 1 to {self.max_batch} and wait from 0 to {self.max_wait:g} seconds"
            )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        seconds = min(self._longest_poll, max(1, round(wait))) if wait else 0
        while True:
            deliveries = await self._poll(up_to, seconds)
            seconds = min(self._longest_poll, round(deadline - loop.time()))
            if deliveries or seconds < 1:
                return deliveries

    async def extend(self, receipts: Sequence[str], *, seconds: float) -> None:
        """Hide these deliveries for `seconds` from now, rounded up to whole ones; stale ones are passed over."""
        check_batch(receipts)
        hiding = max(0, min(LONGEST_HIDING_SECONDS, math.ceil(seconds)))
        # An empty handle would make the whole request invalid; it stands for nothing.
        entries = [{"ReceiptHandle": receipt, "VisibilityTimeout": hiding} for receipt in receipts if receipt]
        if entries:
            _raise_first(
                await deliver(
                    self._connection, "ChangeMessageVisibilityBatch", self.url, entries, pass_over=STALE
                )
            )

    async def release(self, receipts: Sequence[str]) -> None:
        """Give these deliveries back at once; stale ones are passed over."""
        await self.extend(receipts, seconds=0)

    async def delete(self, receipts: Sequence[str]) -> None:
        """End these messages; stale receipts are passed over."""
        check_batch(receipts)
        await self._deletes.add([{"ReceiptHandle": receipt} for receipt in receipts if receipt])

    async def depth(self) -> Depth:
        """What the queue holds, as SQS counts it: it may lag by a minute. The age of the oldest is not known."""
        answer = await self._connection.call(
            "GetQueueAttributes", QueueUrl=self.url, AttributeNames=list(DEPTH)
        )
        counts = {True: 0, False: 0}
        try:
            for name, is_visible in DEPTH.items():
                counts[is_visible] += int(answer["Attributes"][name])
        except (KeyError, ValueError):
            raise BackendUnavailable("SQS: GetQueueAttributes: an answer without counts") from None
        return Depth(counts[True], counts[False], math.nan if any(counts.values()) else 0.0)

    async def close(self) -> None:
        """Deliver what waits, and return when nothing is under way: at the latest when the last poll ends."""
        await self._sends.drain()
        await self._deletes.drain()
        while self._outstanding:
            await asyncio.wait(self._outstanding)

    async def _poll(self, up_to: int, seconds: int) -> list[Delivery]:
        poll = self._connection.poll(
            {
                "QueueUrl": self.url,
                "MaxNumberOfMessages": up_to,
                "WaitTimeSeconds": seconds,
                "VisibilityTimeout": math.ceil(self.visibility_timeout),
                "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
            }
        )
        self._keep(poll)
        try:
            return _deliveries(await asyncio.shield(poll))
        except asyncio.CancelledError:
            if self._gives_back:
                poll.add_done_callback(
                    self._give_back
                )  # the poll goes on at SQS, and may still bring something
            raise

    def _give_back(self, poll: asyncio.Future[Answer]) -> None:
        if not poll.cancelled() and poll.exception() is None and (deliveries := _deliveries(poll.result())):
            receipts = [delivery.receipt for delivery in deliveries]
            self._keep(asyncio.get_running_loop().create_task(self._release_quietly(receipts)))

    async def _release_quietly(self, receipts: Sequence[str]) -> None:
        with suppress(IraasError):  # they come back when their visibility timeout is over
            await self.release(receipts)

    def _keep(self, future: asyncio.Future[Any]) -> None:
        self._outstanding.add(future)
        future.add_done_callback(self._outstanding.discard)


def check_batch(items: Sequence[object]) -> None:
    """Raise `ValueError` for more than a request may carry."""
    if len(items) > MAX_ENTRIES:
        raise ValueError(f"{len(items)} in one call; SQS takes at most {MAX_ENTRIES}")


def _deliveries(answer: Answer) -> list[Delivery]:
    return [
        Delivery(
            from_text(message["Body"]),
            message["ReceiptHandle"],
            int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
        )
        for message in answer.get("Messages", ())
    ]


def _raise_first(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome is not None:
            raise outcome
