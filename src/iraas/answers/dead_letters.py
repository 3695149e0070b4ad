"""dead-letter queue -> an answer for each, and a record for people; `redrive` sends a job again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TypeGuard

from iraas.blobs.abreast import abreast
from iraas.blobs.port import BlobInfo, Blobs
from iraas.clock import Clock
from iraas.errors import ClassifierCrashed, IraasError, NotFound
from iraas.messages import (
    DEAD_LETTERS,
    MAX_DEAD_BODY_BYTES,
    MAX_REASON_CHARACTERS,
    SUPERSEDED,
    DeadLetter,
    Failure,
    Job,
    MalformedMessage,
    Outcome,
    Record,
    Reply,
    Tombstone,
    decode,
    encode,
)
from iraas.queues.port import Message, Queue, ResponseQueues
from iraas.telemetry import Log

COLLECT_SECONDS = 60.0  # between two looks into the dead-letter queue
MALFORMED = "malformed-"  # how the name of a message that is no job begins
DELIVERED_TOO_OFTEN = "it was delivered more often than the queue allows, and never finished"


class DeadLetters:
    """The jobs that nobody could finish, and the messages that were none.

    Any number of processes may collect at once, and die at any moment: a message is deleted last, and every
    step before that is one that may be taken twice.
    """

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
                await self._collect_one(delivery.body)
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
        """Every record, in any order; one that this process cannot read says so as its reason."""
        records = self._results.list(DEAD_LETTERS)
        async for letter in abreast(self._read, records, at_once=self._results.at_once):
            if letter is not None:
                yield letter

    async def redrive(self, name: str) -> None:
        """Send a dead letter's job again, its failure moved aside to `superseded/`; or a message as it was.

        The order makes a crash safe: what was moved aside leaves an input without an answer, whose job a sweep
        or `iraas audit --resend` sends. Raises `NotFound` when there is no such record, or nothing to send.
        """
        if name.startswith(MALFORMED):
            await self._redrive_malformed(name)
        else:
            await self._redrive_job(name)

    async def _redrive_job(self, job_id: str) -> None:
        letter = await self._results.head(DEAD_LETTERS + job_id)
        stored = await self._results.get(job_id)
        failure = None if stored is None else decode(Record, stored.data).outcome
        if letter is None and not _is_condemned(failure):
            raise _unknown(job_id)
        found = await self._inputs.head(job_id)
        if found is None:
            raise NotFound(f"the image of {job_id} is no longer stored, so its job cannot be sent again")
        owner = found.metadata.get("owner", "")
        if stored is not None and isinstance(failure, Failure):
            moved = f"{SUPERSEDED}{job_id}.{round(self._clock.time() * 1000)}"
            await self._results.put(moved, stored.data)
        await self._results.delete(DEAD_LETTERS + job_id)  # before the send: a new one may follow soon
        if isinstance(failure, Failure):
            current = await self._results.get(job_id)
            if current is not None and isinstance(decode(Record, current.data).outcome, Tombstone):
                raise NotFound(f"the image {job_id} was deleted")
            await self._results.delete(job_id)
        job = Job(id=job_id, owner=owner, reply_to="", accepted_at=self._clock.time(), repeat=True)
        await self._requests.send([Message(encode(job), id=job_id)])

    async def _redrive_malformed(self, name: str) -> None:
        """Lay the record aside while its body is sent: who cannot read it brings it back under its old name."""
        recorded, aside = DEAD_LETTERS + name, SUPERSEDED + name
        # Aside already: an earlier redrive died before it had sent the body.
        blob = await self._results.get(recorded) or await self._results.get(aside)
        if blob is None:
            raise _unknown(name)
        letter = decode(DeadLetter, blob.data)
        if not letter.body:
            raise NotFound(f"the body of {name} was not kept, so it cannot be sent again")
        await self._results.put(aside, blob.data)
        await self._results.delete(recorded)
        await self._requests.send([Message(letter.body, id=name)])
        await self._results.delete(aside)

    async def _read(self, info: BlobInfo) -> DeadLetter | None:
        blob = await self._results.get(info.key)
        if blob is None:
            return None
        try:
            return decode(DeadLetter, blob.data)
        except MalformedMessage as error:
            name = info.key.removeprefix(DEAD_LETTERS)
            return DeadLetter(id=name, owner="", reason=str(error), at=blob.info.modified_at)

    async def _collect_one(self, body: bytes) -> None:
        try:
            job = decode(Job, body)
        except MalformedMessage as error:
            await self._keep(body, str(error))
            return
        facts = await self._inputs.head(job.id)
        sha256 = "" if facts is None else facts.metadata.get("sha256", "")
        failure = Failure(id=job.id, slug=ClassifierCrashed.slug, detail=DELIVERED_TOO_OFTEN, sha256=sha256)
        ours = Record(owner=job.owner, outcome=failure)
        won = await self._results.put(job.id, encode(ours), if_absent=True)
        record = ours if won else await self._first(job.id)
        if record is None:
            return
        await self._record_if_condemned(job, record)
        with suppress(ValueError):  # no queue of this deployment: the answer is in the store
            await self._responses.send(job.reply_to, [Message(encode(Reply(record)))])
        Log()("dead_letter.collected", id=job.id)

    async def _keep(self, body: bytes, reason: str) -> None:
        name = MALFORMED + hashlib.sha256(body).hexdigest()[:32]
        letter = DeadLetter(
            id=name,
            owner="",
            reason=reason[:MAX_REASON_CHARACTERS],
            at=self._clock.time(),
            body=body if len(body) <= MAX_DEAD_BODY_BYTES else b"",
        )
        await self._results.put(DEAD_LETTERS + name, encode(letter))

    async def _first(self, job_id: str) -> Record | None:
        """The record that was there before; None when it is of a later version, or a redrive took it away."""
        blob = await self._results.get(job_id)
        try:
            return None if blob is None else decode(Record, blob.data)
        except MalformedMessage:
            return None

    async def _record_if_condemned(self, job: Job, record: Record) -> None:
        """Keep a record, also when whoever wrote the answer died before this."""
        if _is_condemned(record.outcome):
            letter = DeadLetter(job.id, job.owner, record.outcome.detail, at=self._clock.time())
            await self._results.put(DEAD_LETTERS + job.id, encode(letter), if_absent=True)


def _is_condemned(outcome: Outcome | None) -> TypeGuard[Failure]:
    return isinstance(outcome, Failure) and outcome.slug == ClassifierCrashed.slug


def _unknown(name: str) -> NotFound:
    return NotFound(f"no dead letter has the id {name}; `iraas dead-letters list` shows them")
