"""bytes + owner -> Accepted. The input object first, then the job: a job without its picture never exists."""

from __future__ import annotations

import hashlib
import uuid
from typing import NamedTuple

import uuid_utils

from iraas.blobs.port import Blobs
from iraas.clock import Clock
from iraas.errors import Deleted, IdempotencyMismatch, InvalidRequest
from iraas.intake.inspect import Limits, inspect
from iraas.messages import (
    Answer,
    Failure,
    ImageFacts,
    InputFacts,
    Job,
    Record,
    Tombstone,
    decode,
    encode,
)
from iraas.queues.port import Message, Queue

KEY_CHARACTERS = range(16, 256)  # an idempotency key shorter than 16 would collide by accident


class Submission(NamedTuple):
    """A picture on its way in."""

    data: bytes
    owner: str
    filename: str | None = None
    idempotency_key: str | None = None


class Accepted(NamedTuple):
    """What came of a submission: its job's id, and the record where one was there already."""

    id: str
    record: Record | None


def new_id() -> str:
    """A UUIDv7 (RFC 9562, section 5.7): sorts by time, and cannot be guessed."""
    return str(uuid_utils.uuid7())


def keyed_id(owner: str, key: str) -> str:
    """A UUIDv8 of SHA-256(SHA-256(owner) | key): no table is needed, and no owner reaches another's.

    Raises `InvalidRequest` for a key that is not 16 to 255 printable ASCII characters.
    """
    if len(key) not in KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        raise InvalidRequest(
            "Idempotency-Key must be 16 to 255 printable ASCII characters; a UUID is a good one"
        )
    digest = hashlib.sha256(hashlib.sha256(owner.encode()).digest() + key.encode()).digest()
    bits = int.from_bytes(digest[:16], "big")
    bits = bits & ~(0xF << 76) | (8 << 76)  # version 8
    bits = bits & ~(0x3 << 62) | (2 << 62)  # variant of RFC 9562
    return str(uuid.UUID(int=bits))


class Intake:
    """Takes pictures in. Accepted = `submit` returned: from then on the job gets exactly one answer."""

    def __init__(
        self, *, inputs: Blobs, results: Blobs, requests: Queue, clock: Clock, limits: Limits
    ) -> None:
        self._inputs = inputs
        self._results = results
        self._requests = requests
        self._clock = clock
        self._limits = limits

    def identify(self, submission: Submission) -> str:
        """The id that `submit` will use. A waiting request must be known before the job is sent."""
        if submission.idempotency_key is None:
            return new_id()
        return keyed_id(submission.owner, submission.idempotency_key)

    async def submit(self, job_id: str, submission: Submission, *, reply_to: str) -> Accepted:
        """Store the picture and send its job.

        Raises what `inspect` raises for a picture that is not taken; `IdempotencyMismatch` and `Deleted`
        for a key that was used before; `OutOfRoom` and `BackendUnavailable`: then nothing was accepted,
        and the same key may be tried again.
        """
        header = inspect(submission.data, self._limits)
        sha256 = hashlib.sha256(submission.data).hexdigest()
        now = self._clock.time()
        image = ImageFacts(format=header.format, width=header.width, height=header.height, sha256=sha256)
        facts = InputFacts(submission.owner, image, accepted_at=now, filename=submission.filename)
        if submission.idempotency_key is not None:
            known = await self._known(job_id, sha256)
            if known is not None:
                return Accepted(job_id, known)
        won = await self._inputs.put(job_id, submission.data, metadata=facts.metadata(), if_absent=True)
        if not won:
            await self._compare(job_id, sha256)
            known = await self._known(job_id, sha256)  # the winner may have been answered meanwhile
            if known is not None:
                return Accepted(job_id, known)
        job = Job(id=job_id, owner=submission.owner, reply_to=reply_to, accepted_at=now, repeat=not won)
        await self._requests.send([Message(encode(job), id=job_id)])
        return Accepted(job_id, None)

    async def _known(self, job_id: str, sha256: str) -> Record | None:
        """The record under this id, if the same bytes made it. The check outlives the input."""
        blob = await self._results.get(job_id)
        if blob is None:
            return None
        record = decode(Record, blob.data)
        match record.outcome:
            case Tombstone():
                raise Deleted("post the image again with a new Idempotency-Key")
            case Answer(image=image) if image.sha256 != sha256:
                raise IdempotencyMismatch("use a new Idempotency-Key for another image")
            case Failure(sha256=failed) if failed and failed != sha256:
                raise IdempotencyMismatch("use a new Idempotency-Key for another image")
        return record

    async def _compare(self, job_id: str, sha256: str) -> None:
        found = await self._inputs.head(job_id)
        if found is not None and found.metadata.get("sha256") != sha256:
            raise IdempotencyMismatch("use a new Idempotency-Key for another image")
