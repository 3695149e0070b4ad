"""reply -> the waiting request; else the results store; else nothing yet.

A reply is only the fast road. It may be lost (a web process died, a queue vanished), and then the answer is
found in the results store: a waiting request looks there after 0.5, 1, 2, then every 4 seconds. While replies
take longer than that, the first look waits for them: under load each request would look in vain, and on S3 pay.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from iraas.blobs.port import Blobs
from iraas.errors import IraasError
from iraas.messages import Record, Reply, decode
from iraas.telemetry import Telemetry

LOOK_SECONDS = (0.5, 1.0, 2.0)  # into the store, after the start of the wait and after each other
LOOK_EVERY = 4.0  # seconds, from then on
USUAL_FACTOR = 2.0  # times the usual time to a reply, before the first look
SMOOTHING = 0.1  # weight of the newest reply in the usual time


class Waiter:
    """One request that waits. Cheaper than `asyncio.wait`, which made a tenth of a millisecond a picture."""

    def __init__(self) -> None:
        self.record: Record | None = None
        self.over = False
        self._rest: asyncio.Future[None] | None = None

    def end(self, record: Record | None) -> None:
        """There is a record, or there will be none here."""
        if not self.over:
            self.record, self.over = record, True
            self._stir()

    async def rest(self, seconds: float) -> None:
        """Return once it is over, or after `seconds`."""
        if self.over:
            return
        loop = asyncio.get_running_loop()
        self._rest = loop.create_future()
        timer = loop.call_later(seconds, self._stir)
        try:
            await self._rest
        finally:
            timer.cancel()
            self._rest = None

    def _stir(self) -> None:
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)


class Answers:
    """The waiting requests of one web process."""

    def __init__(
        self, *, results: Blobs, telemetry: Telemetry, on_answer: Callable[[str, float], None]
    ) -> None:
        self._results = results
        self._telemetry = telemetry
        self._on_answer = on_answer  # job id, milliseconds that it kept its worker busy
        self._waiters: defaultdict[str, set[Waiter]] = defaultdict(set)
        self._over = False
        self._usual_seconds = 0.0  # from a wait's beginning to its reply

    @property
    def waiting(self) -> int:
        """Requests that wait now."""
        return sum(len(waiters) for waiters in self._waiters.values())

    @contextmanager
    def expect(self, job_id: str) -> Iterator[Waiter]:
        """Be told of this job's reply. Enter it before the job is sent, or the reply may come first."""
        waiter = Waiter()
        self._waiters[job_id].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[job_id].discard(waiter)
            if not self._waiters[job_id]:
                del self._waiters[job_id]

    async def wait(self, job_id: str, waiter: Waiter, seconds: float) -> Record | None:
        """The job's record, or None when there is none after `seconds`, or since `give_up`."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        deadline = begun + seconds
        looks = iter(LOOK_SECONDS)
        patience = min(LOOK_EVERY, max(next(looks), USUAL_FACTOR * self._usual_seconds))
        while (left := deadline - loop.time()) > 0 and not self._over:
            await waiter.rest(min(left, patience))
            patience = next(looks, LOOK_EVERY)
            if waiter.record is None and waiter.over:
                return None
            if waiter.over:
                self._usual_seconds += SMOOTHING * (loop.time() - begun - self._usual_seconds)
                self._telemetry.count("iraas_answers_found_total", by="reply")
                return waiter.record
            record = await self._look_again(job_id)
            if record is not None:
                self._telemetry.count("iraas_answers_found_total", by="store")
                self._on_answer(job_id, 0.0)
                return record
        return None

    async def look(self, job_id: str) -> Record | None:
        """The record in the results store, if it is there. Raises `BackendUnavailable`."""
        blob = await self._results.get(job_id)
        return None if blob is None else decode(Record, blob.data)

    async def _look_again(self, job_id: str) -> Record | None:
        try:
            return await self.look(job_id)
        except IraasError:
            return None  # the job is accepted: whatever the store does now, its client may go on waiting

    def resolve(self, record: Record) -> None:
        """Give a record to those who wait for it."""
        for waiter in self._waiters.get(record.outcome.id, ()):
            waiter.end(record)

    def give_up(self) -> None:
        """End every wait, now and from now on: the process is about to end."""
        self._over = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.end(None)

    def take(self, reply: Reply) -> None:
        """A reply came: count it, and give its record to those who wait for it."""
        self._on_answer(reply.record.outcome.id, reply.busy_ms)
        self.resolve(reply.record)
