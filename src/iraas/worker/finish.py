"""outcome -> answer object, THEN reply, THEN delete. This order only.

After the put, a crash costs a second delivery that finds the answer. After the reply, likewise. Were the
message deleted before its answer is stored, a crash between the two would lose the picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from iraas.blobs.port import Blobs
from iraas.clock import Clock
from iraas.errors import ClassifierCrashed
from iraas.messages import (
    DEAD_LETTERS,
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
from iraas.queues.port import Message, Queue, ResponseQueues
from iraas.side_by_side import side_by_side
from iraas.telemetry import Telemetry


class Finished(NamedTuple):
    """A job with its outcome, in the hand of the worker that got it."""

    job: Job
    receipt: str
    record: Record
    busy_ms: float = 0.0
    stored: bool = False  # the record was read from the results store: there is nothing to put


class Finisher:
    """Ends jobs. Safe to repeat with the same batch after any failure: the first answer stays."""

    def __init__(
        self,
        *,
        inputs: Blobs,
        results: Blobs,
        requests: Queue,
        responses: ResponseQueues,
        clock: Clock,
        telemetry: Telemetry,
        worker: str = "",
    ) -> None:
        self._worker = worker  # its name in replies
        self._inputs = inputs
        self._results = results
        self._requests = requests
        self._responses = responses
        self._clock = clock
        self._telemetry = telemetry

    async def finish(self, batch: Sequence[Finished]) -> None:
        """Store, reply, delete. Raises `BackendUnavailable` and `OutOfRoom`; then finish the batch again."""
        at_once = self._results.at_once
        replies: defaultdict[str, list[Message]] = defaultdict(list)
        records = await side_by_side(self._store, batch, at_once=at_once)
        for done, record in zip(batch, records, strict=True):
            if done.job.reply_to:
                reply = Reply(record, busy_ms=done.busy_ms, worker=self._worker)
                replies[done.job.reply_to].append(Message(encode(reply)))
        await side_by_side(self._reply, replies.items(), at_once=at_once)
        await self._requests.delete([done.receipt for done in batch])
        for done in batch:
            self._telemetry.count("iraas_jobs_total", outcome=_outcome(done.record))

    async def _store(self, done: Finished) -> Record:
        record = done.record if done.stored else await self._settle(done)
        await self._record_if_condemned(done.job, record)
        return record

    async def _settle(self, done: Finished) -> Record:
        """The record that counts: ours, or the one that was there first."""
        if await self._results.put(done.job.id, encode(done.record), if_absent=True):
            return done.record
        first = await self._results.get(done.job.id)
        if first is None:  # a redrive took it away between the two calls
            return done.record
        try:
            record = decode(Record, first.data)
        except MalformedMessage:  # of a later version: it stays, and ours is what this client can read
            return done.record
        if isinstance(record.outcome, Tombstone):
            await self._inputs.delete(done.job.id)  # deleted while we had it: leave no copy behind
        return record

    async def _record_if_condemned(self, job: Job, record: Record) -> None:
        """Keep a dead letter's record, also when an earlier try died between its answer and this."""
        if isinstance(record.outcome, Failure) and record.outcome.slug == ClassifierCrashed.slug:
            letter = DeadLetter(job.id, job.owner, record.outcome.detail, at=self._clock.time())
            await self._results.put(DEAD_LETTERS + job.id, encode(letter), if_absent=True)

    async def _reply(self, replies: tuple[str, list[Message]]) -> None:
        reply_to, messages = replies
        try:
            await self._responses.send(reply_to, messages)
        except ValueError:  # not a queue of this deployment; the answer is in the store for who may read it
            self._telemetry.count("iraas_malformed_messages_total", queue="reply_to")


def _outcome(record: Record) -> str:
    match record.outcome:
        case Failure(slug=slug):
            return slug
        case Tombstone():
            return "deleted"
        case _:
            return "done"
