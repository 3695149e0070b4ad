"""dead-letter queue -> an answer for each, and a record for people; `redrive` sends a job again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress

from iraas.blobs.port import Blobs
from iraas.clock import Clock
from iraas.errors import ClassifierCrashed, IraasError, NotFound
from iraas.messages import (
    DEAD_LETTERS,
    SUPERSEDED,
    DeadLetter,
    Failure,
    Job,
    MalformedMessage,
    Record,
    Reply,
    Tombstone,
    decode,
    encode,
)
from iraas.queues.port import Delivery, Message, Queue, ResponseQueues
from iraas.telemetry import Log

COLLECT_SECONDS = 60.0  # between two looks into the dead-letter queue


class DeadLetters:
    """The jobs that nobody could finish."""

    def __init__(
        self,
        *,
        queue: Queue,
        requests: Queue,
        responses: ResponseQueues,
        inputs: Blobs,
        results: Blobs,
        clock: Clock,
    ) -> None:
        self._queue = queue
        self._requests = requests
        self._responses = responses
        self._inputs = inputs
        self._results = results
        self._clock = clock

    async def collect(self) -> int:
        """Answer, record and delete what the dead-letter queue holds; how many that were."""
        collected = 0
        while deliveries := await self._queue.receive(up_to=self._queue.max_batch, wait=0):
            for delivery in deliveries:
                await self._collect_one(delivery)
                await self._queue.delete([delivery.receipt])
            collected += len(deliveries)
        return collected

    async def keep_collecting(self) -> None:
        """Look once a minute, until cancelled."""
        while True:
            try:
                await self.collect()
            except IraasError as error:
                Log()("background.failed", level="warning", task="dead letters", error=str(error))
            await asyncio.sleep(COLLECT_SECONDS)

    async def list(self) -> AsyncIterator[DeadLetter]:
        """Every record, in any order."""
        async for info in self._results.list(DEAD_LETTERS):
            blob = await self._results.get(info.key)
            if blob is not None:
                yield decode(DeadLetter, blob.data)

    async def redrive(self, job_id: str) -> None:
        """Send a dead letter's job again, its failure moved aside to `superseded/`.

        The order makes a crash safe: what was moved aside leaves an input without an answer, which is
        sent again at the next start. Raises `NotFound` when there is no such record or its input is gone.
        """
        letter = await self._results.get(DEAD_LETTERS + job_id)
        if letter is None:
            raise NotFound(f"no dead letter has the id {job_id}; `iraas dead-letters list` shows them")
        facts = await self._inputs.head(job_id)
        if facts is None:
            raise NotFound(f"the image of {job_id} is no longer stored, so its job cannot be sent again")
        failed = await self._results.get(job_id)
        if failed is not None and isinstance(decode(Record, failed.data).outcome, Failure):
            moved = f"{SUPERSEDED}{job_id}.{round(self._clock.time() * 1000)}"
            await self._results.put(moved, failed.data)
            await self._results.delete(DEAD_LETTERS + job_id)  # before the send: a new one may follow soon
            current = await self._results.get(job_id)
            if current is not None and isinstance(decode(Record, current.data).outcome, Tombstone):
                raise NotFound(f"the image {job_id} was deleted")
            await self._results.delete(job_id)
        job = Job(
            id=job_id, owner=facts.metadata["owner"], reply_to="", accepted_at=self._clock.time(), repeat=True
        )
        await self._requests.send([Message(encode(job), id=job_id)])

    async def _collect_one(self, delivery: Delivery) -> None:
        now = self._clock.time()
        try:
            job = decode(Job, delivery.body)
        except MalformedMessage as error:
            name = f"malformed-{hashlib.sha256(delivery.body).hexdigest()[:32]}"
            letter = DeadLetter(id=name, owner="", reason=str(error), at=now)
            await self._results.put(DEAD_LETTERS + name, encode(letter))
            return
        reason = "it was delivered more often than the queue allows, and never finished"
        facts = await self._inputs.head(job.id)
        sha256 = "" if facts is None else facts.metadata.get("sha256", "")
        failure = Failure(id=job.id, slug=ClassifierCrashed.slug, detail=reason, sha256=sha256)
        record = Record(owner=job.owner, outcome=failure)
        if not await self._results.put(job.id, encode(record), if_absent=True):
            return  # it was answered after all
        await self._results.put(
            DEAD_LETTERS + job.id, encode(DeadLetter(id=job.id, owner=job.owner, reason=reason, at=now))
        )
        with suppress(ValueError):  # no queue of this deployment: the answer is in the store
            await self._responses.send(job.reply_to, [Message(encode(Reply(record)))])
        Log()("dead_letter.collected", id=job.id)
