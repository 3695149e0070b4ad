"""both stores + both queues -> Audit: which pictures have their answer, and where the others may be.

    inputs.list()  ─┬─ pairs ─── certain ─────────────────────────> counted
    results.list() ─┘    └────── in doubt ── look again, read ────> counted

In doubt is a picture without a record, since that may have been written behind the reading; and a record so
small that it may be a failure, whose content must be read. Answers with many classes are larger.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from iraas.blobs.abreast import abreast
from iraas.blobs.port import BlobInfo, Blobs
from iraas.blobs.unanswered import Pair, look_again, pairs
from iraas.clock import Clock
from iraas.messages import DEAD_LETTERS, Failure, MalformedMessage, Outcome, Record, Tombstone, decode
from iraas.queues.port import Queue

MAX_FAILURE_BYTES = 6_400  # of a record that is no answer; a test encodes the largest
MAX_LISTED = 1_000  # ids in an audit; all are counted
STEP = 1_024  # objects between two reports of progress

Progress = Callable[[int], object]  # is told how many more objects were seen
SendAgain = Callable[[Sequence[BlobInfo]], Awaitable[int]]  # inputs -> jobs sent


class Audit(msgspec.Struct):
    """What the stores and the queues held at a moment. What came later is not counted.

    pictures = answered + pending, and records = answered + without_picture.
    """

    at: float  # wall time, seconds
    age: float  # seconds, by which a picture should have its answer
    pictures: int = 0  # inputs
    answered: int = 0  # inputs with a record: labels, a failure, or what a later version wrote
    pending: int = 0  # inputs without
    late: int = 0  # pending for longer than `age`
    late_ids: list[str] = msgspec.field(default_factory=list)  # the first `MAX_LISTED`
    oldest_pending: float | None = None  # seconds
    without_job: int = 0  # pending, and in no queue: at least so many
    failed: int = 0  # records that say why there are no labels
    deleted: int = 0  # records of pictures that were deleted on request
    without_picture: int = 0  # records whose input is gone: deleted, or kept long enough
    waiting: int = 0  # messages in the request queue that nobody holds
    in_flight: int = 0  # messages that workers hold
    in_dead_letter_queue: int = 0  # messages
    dead_letters: int = 0  # records
    sent: int = 0  # jobs of late pictures, sent again by this audit

    def count(self, pair: Pair, outcome: Outcome | None = None) -> None:
        """Count a picture, of which this is known; `outcome` is its record's content, where that was read."""
        picture, record = pair
        self.failed += isinstance(outcome, Failure)
        self.deleted += isinstance(outcome, Tombstone)
        if picture is None:
            self.without_picture += record is not None
            return
        self.pictures += 1
        if record is not None:
            self.answered += 1
            return
        waited = self.at - picture.modified_at
        self.pending += 1
        self.oldest_pending = max(waited, self.oldest_pending or 0.0)
        if waited > self.age:
            self.late += 1
            if len(self.late_ids) < MAX_LISTED:
                self.late_ids.append(picture.key)


class Auditor:
    """Takes stock of a deployment. Memory does not grow with the number of its objects."""

    def __init__(
        self, *, inputs: Blobs, results: Blobs, requests: Queue, dead_letters: Queue, clock: Clock
    ) -> None:
        self._inputs = inputs
        self._results = results
        self._requests = requests
        self._dead_letters = dead_letters
        self._clock = clock

    async def audit(
        self, *, age: float, progress: Progress = lambda _: None, send_again: SendAgain | None = None
    ) -> Audit:
        """Read everything once. `send_again` gets the pictures that are late, a few at a time.

        Raises `BackendUnavailable`.
        """
        waiting, in_flight, dead = await self._depths()
        audit = Audit(
            self._clock.time(), age, waiting=waiting, in_flight=in_flight, in_dead_letter_queue=dead
        )
        owed = 0  # pictures whose job should be in a queue: younger ones may be between put and send
        late: list[BlobInfo] = []
        doubtful = self._doubtful(audit, progress)
        async for pair, outcome in abreast(self._look, doubtful, at_once=self._results.at_once):
            audit.count(pair, outcome)
            picture, record = pair
            if picture is None or record is not None:
                continue
            owed += audit.at - picture.modified_at > self._requests.visibility_timeout
            if send_again is None or audit.at - picture.modified_at <= age:
                continue
            late.append(picture)
            if len(late) == self._requests.max_batch:
                audit.sent += await send_again(late)
                late = []
        if send_again is not None:
            audit.sent += await send_again(late)
        # SQS counts approximately, and lags for a minute ("GetQueueAttributes",
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html).
        # Nor can it be asked for one message: a queue that holds as many as are owed may hold others.
        in_queues = max(waiting + in_flight + dead, sum(await self._depths()) - audit.sent)
        audit.without_job = max(0, owed - in_queues)
        async for _ in self._results.list(DEAD_LETTERS):
            audit.dead_letters += 1
        return audit

    async def _depths(self) -> tuple[int, int, int]:
        """Messages that wait, that workers hold, and in the dead-letter queue."""
        requests = await self._requests.depth()  # first: what moves on meanwhile is counted twice, not never
        dead = await self._dead_letters.depth()
        return requests.visible, requests.in_flight, dead.visible + dead.in_flight

    async def _doubtful(self, audit: Audit, progress: Progress) -> AsyncIterator[Pair]:
        """Count what is certain, and pass on the rest."""
        seen = 0
        async for pair in pairs(self._inputs, self._results):
            picture, record = pair
            seen += (picture is not None) + (record is not None)
            if seen >= STEP:
                progress(seen)
                seen = 0
            first = picture or record
            if first is None or first.modified_at > audit.at:
                continue
            if record is None or record.size <= MAX_FAILURE_BYTES:
                yield pair
            else:
                audit.count(pair)
        progress(seen)

    async def _look(self, pair: Pair) -> tuple[Pair, Outcome | None]:
        picture, record = pair
        if picture is not None and record is None:
            picture, record = await look_again(self._inputs, self._results, picture)
        return (picture, record), await self._read(record)

    async def _read(self, record: BlobInfo | None) -> Outcome | None:
        """What a small record says; None for a large one, and for one of a later version."""
        if record is None or record.size > MAX_FAILURE_BYTES:
            return None
        blob = await self._results.get(record.key)
        try:
            return None if blob is None else decode(Record, blob.data).outcome
        except MalformedMessage:
            return None
