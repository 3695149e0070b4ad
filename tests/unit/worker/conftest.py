"""A worker over parts in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.unit.conftest import Parts, png

from iraas.errors import ClassifierCrashed
from iraas.intake.submit import Submission
from iraas.messages import Answer, Failure, Record, Tombstone, decode
from iraas.testing.fatal_model import FatalModel
from iraas.worker.finish import Finisher
from iraas.worker.heartbeat import Heartbeat
from iraas.worker.infer import Classifier, Computed
from iraas.worker.loop import Worker

RED = png((255, 0, 0))  # what FatalModel dies of


class Aside:
    """A quarantine in this process: computes, or says what a dead child would have come to."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.computed = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def compute(self, data: bytes) -> Computed:
        await self.gate.wait()
        self.computed += 1
        if data == RED:
            raise ClassifierCrashed("it ended by SIGSEGV; then it ended by SIGSEGV")
        return self._classifier.compute(data)

    def drain(self) -> None:
        return None

    async def close(self) -> None:
        return None


class Tier:
    """A worker, what it works on, and ways to look."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.classifier = Classifier(FatalModel(), parts.limits)
        self.finisher = Finisher(
            inputs=parts.inputs,
            results=parts.results,
            requests=parts.requests,
            responses=parts.responses,
            clock=parts.clock,
            telemetry=parts.telemetry,
        )
        self.aside = Aside(self.classifier)
        self.reply_to = ""

    async def post(self, data: bytes, *, delivered_before: bool = False) -> str:
        """Accept a picture; its job may have been in another worker's hands."""
        intake = self.parts.intake()
        submission = Submission(data, "ann")
        job_id = intake.identify(submission)
        await intake.submit(job_id, submission, reply_to=self.reply_to)
        if delivered_before:
            held = await self.parts.requests.receive(up_to=100, wait=0)
            await self.parts.requests.release([delivery.receipt for delivery in held])
        return job_id

    async def outcome(self, job_id: str) -> Answer | Failure | Tombstone | None:
        """What the results store says."""
        blob = await self.parts.results.get(job_id)
        return None if blob is None else decode(Record, blob.data).outcome

    def worker(self, **options: object) -> Worker:
        """One worker; a second one is another process."""
        return Worker(
            requests=self.parts.requests,
            dead_letters=self.parts.dead,
            inputs=self.parts.inputs,
            results=self.parts.results,
            finisher=self.finisher,
            classifier=self.classifier,
            quarantine=self.aside,
            heartbeat=Heartbeat(lambda: self.parts.requests, every=3600.0, telemetry=self.parts.telemetry),
            clock=self.parts.clock,
            telemetry=self.parts.telemetry,
            **options,
        )

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Worker]:
        """A worker at work; drained on the way out."""
        worker = self.worker()
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.stop()
            await asyncio.wait_for(task, 20)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Let the loop turn until it is so; a bounded number of times."""
        for _ in range(20_000):
            if reached():
                return
            await asyncio.sleep(0)
        raise AssertionError("it never came to that")

    async def work_off(self, *job_ids: str) -> None:
        """Work until these are answered and the queue is empty."""
        async with self.working():
            await self.until(lambda: all(job_id in self.parts.results._objects for job_id in job_ids))
            await self.until(lambda: not self.parts.requests._entries)


@pytest.fixture(params=[1, 32], ids=["one by one", "ahead"])
def tier(request: pytest.FixtureRequest) -> Tier:
    """A worker over parts in memory: as on one machine, and as on a network."""
    return Tier(Parts(at_once=request.param))
