"""The response queues over SQS: one for each web process, and the way to any of them by its name.

A worker's replies to a process that come together share requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

from iraas.clock import Clock
from iraas.errors import ConfigurationError, QueueVanished
from iraas.queues.coalesce import Coalescer
from iraas.queues.port import Message
from iraas.queues.sqs_batch import MAX_ENTRIES, Entry, deliver
from iraas.queues.sqs_body import MAX_BYTES, size, to_text
from iraas.queues.sqs_connection import Answer, SqsConnection, time_of
from iraas.queues.sqs_errors import DENIED, Refusal
from iraas.queues.sqs_names import ResponseNames
from iraas.queues.sqs_queue import SqsQueue, check_batch
from iraas.queues.sqs_upkeep import Upkeep

REPLY_LINGER_SECONDS = 0.003  # batches that end at the same time, for clients of one process
GONE_SECONDS = 60.0  # a queue that is gone is not asked for again
SETTLE_SECONDS = 1.0  # CreateQueue: "you must wait at least one second ... to be able to use the queue"
POLL_SECONDS = 5.0  # bounds how long closing takes

STACK_TAG = "iraas:stack"
ATTRIBUTES = {
    "MessageRetentionPeriod": "300",  # seconds; no request waits longer, and the answer is in the store
    "VisibilityTimeout": "30",  # seconds
    "SqsManagedSseEnabled": "true",
}


class SqsResponseQueues:
    """The response queues of one deployment. Keeps the promises of `iraas.queues.port.ResponseQueues`.

    They lie beside the request queue, `requests_url`, in its account and region. `settle_seconds` is how long
    a new queue is left alone.
    """

    billed = True

    def __init__(
        self,
        connection: SqsConnection,
        *,
        requests_url: str,
        stack: str,
        clock: Clock,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._connection = connection
        self._stack = stack
        self._names = ResponseNames(requests_url=requests_url, stack=stack)
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._upkeep = Upkeep(connection, self._names, clock)
        self._own = ""
        self._opened: list[SqsQueue] = []  # more than one when the earlier ones vanished
        self._senders: dict[str, Coalescer[Entry]] = {}
        self._gone: dict[str, float] = {}  # boot time until which each name is not asked for

    async def open(self) -> tuple[str, SqsQueue]:
        """Make this process's own queue: its name, and the queue. Again after it vanished: another one.

        Raises `ConfigurationError` where this process may not make it, or makes it where nobody looks.
        """
        name = self._names.new()
        url = self._names.url(name)
        answer = await self._create(name)
        if urlsplit(answer["QueueUrl"]).path != urlsplit(url).path:
            raise ConfigurationError(
                f"the response queue was made as {answer['QueueUrl']}, and workers look for it beside the "
                f"request queue, as {url}; run iraas with credentials of the request queue's account"
            )
        await self._upkeep.say_alive(name, time_of(answer))
        await asyncio.sleep(self._settle_seconds)
        queue = SqsQueue(
            self._connection,
            url,
            visibility_timeout=float(ATTRIBUTES["VisibilityTimeout"]),
            wait_seconds=POLL_SECONDS,
            gives_back=False,  # nobody else receives from it
        )
        self._own = name
        self._opened.append(queue)
        return name, queue

    async def send(self, reply_to: str, messages: Sequence[Message]) -> None:
        """Send replies to the process that asked; they are dropped when it is gone."""
        if not self._names.is_one(reply_to):
            raise ValueError(
                f"{reply_to!r} is not a response queue of this deployment ({self._names.prefix}...)"
            )
        check_batch(messages)
        texts = [to_text(message.body) for message in messages]
        if self._is_gone(reply_to):
            return
        self._senders = {name: sender for name, sender in self._senders.items() if not sender.idle}
        sender = self._senders.get(reply_to) or self._sender(reply_to)
        self._senders[reply_to] = sender
        try:
            await sender.add(
                [{"MessageBody": text} for text in texts], weights=[size(text) for text in texts]
            )
        except QueueVanished:
            self._gone[reply_to] = self._clock.boot() + GONE_SECONDS

    async def waiting(self) -> int:
        """Replies in this process's own queue that nobody received yet."""
        return (await self._opened[-1].depth()).visible if self._own else 0

    async def keep(self) -> None:
        """Say that this process lives, and remove the queues of those that do not, until cancelled."""
        await self._upkeep.keep(lambda: self._own)

    async def close(self) -> None:
        """Send what waits, and remove the queue that `open` made."""
        for sender in tuple(self._senders.values()):
            await sender.drain()
        own, self._own = self._own, ""
        try:
            if own:
                await self._upkeep.remove(own)
        finally:
            while self._opened:
                await self._opened.pop().close()

    async def _create(self, name: str) -> Answer:
        try:
            return await self._connection.ask(
                "CreateQueue", QueueName=name, Attributes=ATTRIBUTES, tags={STACK_TAG: self._stack}
            )
        except Refusal as refusal:
            if refusal.code in DENIED:  # tagging at once needs the second
                raise ConfigurationError(
                    f"this process may not make its response queue {name} ({refusal.code}); allow "
                    f"sqs:CreateQueue and sqs:TagQueue on {self._names.prefix}* in the policy of its role"
                ) from None
            raise refusal.translated() from None

    def _sender(self, name: str) -> Coalescer[Entry]:
        return Coalescer(
            partial(deliver, self._connection, "SendMessageBatch", self._names.url(name)),
            max_items=MAX_ENTRIES,
            max_weight=MAX_BYTES,
            linger=REPLY_LINGER_SECONDS,
        )

    def _is_gone(self, name: str) -> bool:
        now = self._clock.boot()
        self._gone = {name: until for name, until in self._gone.items() if until > now}
        return name in self._gone
