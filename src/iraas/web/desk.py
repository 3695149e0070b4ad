"""request -> Submission -> job -> Record: one picture's way through the web tier, for every route that takes one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from starlette.requests import Request

from iraas.answers.replies import Replies
from iraas.answers.wait import Answers, Waiter
from iraas.blobs.port import Blobs
from iraas.errors import NotFound
from iraas.intake.admission import Admission
from iraas.intake.submit import Intake, Submission
from iraas.messages import InputFacts, Record, Tombstone, encode
from iraas.telemetry import Telemetry
from iraas.web.limits import BodyBudget, BodyLimits
from iraas.web.pace import Pace
from iraas.web.upload import UploadReader

DRAIN_SECONDS = 5.0  # what waits longer than this after SIGTERM gets a 202 and asks the next process


class Receipt(NamedTuple):
    """What a client gets for its picture: the id, and the record when it is there."""

    id: str
    record: Record | None


class Desk:
    """Takes pictures in and hands answers out, each to its owner only."""

    def __init__(
        self,
        *,
        intake: Intake,
        admission: Admission,
        answers: Answers,
        replies: Replies,
        inputs: Blobs,
        results: Blobs,
        telemetry: Telemetry,
        budget: BodyBudget,
        body_limits: BodyLimits,
        max_image_bytes: int,
        pace: Pace,
        on_close: Callable[[], None],
    ) -> None:
        self._intake = intake
        self._admission = admission
        self._answers = answers
        self._replies = replies
        self._inputs = inputs
        self._results = results
        self._telemetry = telemetry
        self._budget = budget
        self._body_limits = body_limits
        self._max_image_bytes = max_image_bytes
        self._pace = pace
        self._on_close = on_close  # ends what would otherwise never end by itself

    async def take(self, request: Request, *, wait: float, idempotency_key: str | None = None) -> Receipt:
        """Read the request's picture, queue it, wait for its answer. Raises the errors of `iraas.errors`."""
        owner = owner_of(request)
        await self._admission.admit(owner)
        with self._reader(request) as reader:
            upload = await reader.read()
            begun = asyncio.get_running_loop().time()
            submission = Submission(upload.data, owner, upload.filename, idempotency_key)
            job_id = self._intake.identify(submission)
            with self._answers.expect(job_id) as waiter:
                replied = wait > 0 or not self._replies.billed or self._admission.wants_a_reply()
                accepted = await self._intake.submit(
                    job_id, submission, reply_to=self._replies.name if replied else ""
                )
                record = accepted.record
                if record is None:
                    self._admission.accepted(job_id, owner, replied=replied)
                    self._telemetry.count("iraas_images_accepted_total")
                    self._pace.accepted()
                    del upload, submission
                    reader.forget()  # the store has it; a long wait must not hold its bytes
                    record = await self._wait(job_id, waiter, wait)
        if record is not None:
            took = asyncio.get_running_loop().time() - begun
            self._telemetry.observe("iraas_answer_seconds", took)
            self._pace.waited(took)
        return Receipt(job_id, record)

    async def find(self, job_id: str, owner: str, *, wait: float) -> Record | None:
        """An owner's record, or None while it is pending. Raises `NotFound`."""
        with self._answers.expect(job_id) as waiter:
            record = await self._answers.look(job_id)
            if record is None:
                found = await self._inputs.head(job_id)
                if found is None or InputFacts.of(found.metadata).owner != owner:
                    raise _nothing(job_id)
                record = await self._wait(job_id, waiter, wait)
        if record is not None and (record.owner != owner or isinstance(record.outcome, Tombstone)):
            raise _nothing(job_id)
        return record

    async def delete(self, job_id: str, owner: str) -> None:
        """Remove an owner's picture and answer. The tombstone first: from then on no worker's answer counts."""
        earlier = await self._answers.look(job_id)
        if earlier is not None and earlier.owner == owner and isinstance(earlier.outcome, Tombstone):
            await self._inputs.delete(job_id)  # an earlier delete may have been cut off here
        record = await self.find(job_id, owner, wait=0)
        tombstone = Record(owner=owner, outcome=Tombstone(id=job_id))
        await self._results.put(job_id, encode(tombstone))
        await self._inputs.delete(job_id)
        if record is None:
            self._answers.resolve(tombstone)

    def close(self) -> None:
        """Cut waits short from `DRAIN_SECONDS` on, and streams at once: the process is about to end."""
        self._on_close()
        asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._answers.give_up)

    def _reader(self, request: Request) -> UploadReader:
        return UploadReader(
            request, budget=self._budget, limits=self._body_limits, max_image_bytes=self._max_image_bytes
        )

    async def _wait(self, job_id: str, waiter: Waiter, seconds: float) -> Record | None:
        if seconds <= 0:
            return None
        return await self._answers.wait(job_id, waiter, seconds)


def owner_of(request: Request) -> str:
    """Who the gatekeeper found the request to be from."""
    owner: str = request.scope["state"]["owner"]
    return owner


def _nothing(job_id: str) -> NotFound:
    return NotFound(f"no image {job_id} of yours is here")
