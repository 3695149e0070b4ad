"""response queue -> the waiting requests: a web process hears its own queue, and makes it again when it vanished."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from iraas.answers.wait import Answers
from iraas.errors import IraasError, QueueVanished
from iraas.messages import MalformedMessage, Reply, decode
from iraas.queues.port import Delivery, Queue, ResponseQueues
from iraas.telemetry import Log, Telemetry

BACKOFF_SECONDS = 1.0  # after the response queue failed
MAX_DELETES = 256  # under way at once; replies are heard meanwhile, and deletes may wait for company


class Replies:
    """The response queue that nobody else knows of. A reply that it loses costs time, never an answer."""

    def __init__(
        self,
        *,
        responses: ResponseQueues,
        answers: Answers,
        telemetry: Telemetry,
        saw_worker: Callable[[str], None],
    ) -> None:
        self._responses = responses
        self.billed = responses.billed  # whether only those replies are worth sending that somebody waits for
        self._answers = answers
        self._telemetry = telemetry
        self._saw_worker = saw_worker
        self._queue: Queue | None = None
        self._deleting: set[asyncio.Task[None]] = set()
        self.name = ""  # for the `reply_to` of jobs, once it is open

    async def open(self) -> None:
        """Make the queue. Raises `BackendUnavailable`."""
        self.name, self._queue = await self._responses.open()

    async def listen(self) -> None:
        """Give replies to those who wait for them, until cancelled."""
        while True:
            try:
                await self._hear()
            except QueueVanished:
                await self._open_again()
            except IraasError as error:
                await self._pause(error)

    async def close(self) -> None:
        """Remove the queue; nobody will answer to it."""
        await asyncio.gather(*self._deleting, return_exceptions=True)
        try:
            await self._responses.close()
        except IraasError as error:  # another web process sweeps it away, in an hour
            Log()("background.failed", level="warning", task="replies", error=str(error))

    async def _hear(self) -> None:
        assert self._queue is not None, "open comes before listen"
        queue = self._queue
        deliveries = await queue.receive(up_to=queue.max_batch, wait=queue.max_wait)
        for delivery in deliveries:
            self._take(delivery)
        if not deliveries:
            return
        if len(self._deleting) >= MAX_DELETES:
            await asyncio.wait(self._deleting, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._delete(queue, [delivery.receipt for delivery in deliveries]))
        self._deleting.add(task)
        task.add_done_callback(self._deleting.discard)

    def _take(self, delivery: Delivery) -> None:
        try:
            reply = decode(Reply, delivery.body)
        except MalformedMessage:
            self._telemetry.count("iraas_malformed_messages_total", queue="responses")
            return
        self._saw_worker(reply.worker)
        self._answers.take(reply)

    async def _delete(self, queue: Queue, receipts: list[str]) -> None:
        try:
            await queue.delete(receipts)
        except IraasError:  # they come again, and nobody waits for them then
            self._telemetry.count("iraas_backend_retries_total", call="delete")

    async def _open_again(self) -> None:
        """Requests that named the old queue find their answers in the results store."""
        Log()("replies.vanished", level="warning", queue=self.name)
        try:
            await self.open()
        except IraasError as error:
            await self._pause(error)

    async def _pause(self, error: IraasError) -> None:
        Log()("background.failed", level="warning", task="replies", error=str(error))
        await asyncio.sleep(BACKOFF_SECONDS)
