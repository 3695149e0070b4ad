"""Deliveries in, answers out: receive ahead, decode, batch, infer, finish. Drains when told to stop.

One thread does all of it, since helper threads cost more than they give on one machine; where a port's
call has to wait (a network), the coroutine waits. What was delivered before goes to quarantine instead,
beside this loop, so that healthy pictures do not queue behind it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from iraas.blobs.port import Blob, Blobs
from iraas.clock import Clock
from iraas.errors import InputExpired, IraasError
from iraas.messages import DEAD_LETTERS, DeadLetter, Job, MalformedMessage, Record, decode, encode
from iraas.models.port import Pixels
from iraas.queues.port import Delivery, Queue
from iraas.telemetry import Log, Telemetry
from iraas.worker.batch import BatchRule
from iraas.worker.begun import BegunNote, NoNote
from iraas.worker.deadline import BATCH_SECONDS, DECODE_SECONDS, ends_this_process_after
from iraas.worker.finish import Finished, Finisher
from iraas.worker.heartbeat import Heartbeat
from iraas.worker.infer import Classifier, Computed
from iraas.worker.outcome import answer, failure
from iraas.worker.patience import Draining, Patience
from iraas.worker.quarantine import Quarantine
from iraas.worker.suspects import Suspects

RECEIVE_UP_TO = 8  # pictures in hand; more would wait here while another worker is idle
DRAIN_SECONDS = 8.0  # for what was begun; the process must be gone after 10

_T = TypeVar("_T")


class Picture(NamedTuple):
    """A job whose picture is decoded."""

    job: Job
    receipt: str
    blob: Blob
    pixels: Pixels
    begun_at: float  # wall time, seconds
    decode_ms: float


class Worker:
    """One app-tier process."""

    def __init__(
        self,
        *,
        requests: Queue,
        inputs: Blobs,
        results: Blobs,
        finisher: Finisher,
        classifier: Classifier,
        quarantine: Quarantine,
        heartbeat: Heartbeat,
        clock: Clock,
        telemetry: Telemetry,
        begun: BegunNote | NoNote | None = None,
        rule: BatchRule | None = None,
    ) -> None:
        self._requests = requests
        self._inputs = inputs
        self._results = results
        self._finisher = finisher
        self._classifier = classifier
        self._quarantine = quarantine
        self._heartbeat = heartbeat
        self._clock = clock
        self._telemetry = telemetry
        self._begun = begun or NoNote()
        self._rule = rule or BatchRule()
        self._log = Log()
        self._held: deque[Delivery] = deque()
        self._infer_seconds = 0.0  # of a picture, as the last batch had it
        self._stopping = asyncio.Event()
        self._patience = Patience(self._stopping, telemetry)
        self._suspects = Suspects(
            inputs=inputs,
            quarantine=quarantine,
            finish=lambda done: self._finish([done]),
            patience=self._patience,
            clock=clock,
            model=classifier.name,
        )
        self._receiving: asyncio.Task[object] | None = None

    def stop(self) -> None:
        """Drain: finish what was begun, give back the rest. Safe to call from a signal handler of the loop."""
        self._stopping.set()
        self._quarantine.drain()
        if self._receiving is not None:
            self._receiving.cancel()

    async def run(self) -> None:
        """Work until `stop`."""
        self._heartbeat.start()
        suspects = asyncio.create_task(self._suspects.work_off())
        self._log("worker.started", model=self._classifier.name)
        try:
            while not self._stopping.is_set():
                if not self._held:
                    await self._receive()
                await self._one_batch()
                await asyncio.sleep(0)  # signals and the quarantine child get their turn
                if suspects.done():
                    suspects.result()  # it only ends by an error
        except Draining:
            pass
        finally:
            await self._drain(suspects)

    async def _receive(self) -> None:
        if self._suspects.full:
            await self._unless_stopped(self._suspects.change())
            return
        deliveries = await self._unless_stopped(
            self._patience.until_it_works(
                "receive", lambda: self._requests.receive(up_to=RECEIVE_UP_TO, wait=self._requests.max_wait)
            )
        )
        self._heartbeat.hold(delivery.receipt for delivery in deliveries or ())
        self._held.extend(deliveries or ())

    async def _unless_stopped(self, waiting: Awaitable[_T]) -> _T | None:
        self._receiving = asyncio.current_task()
        try:
            return await waiting
        except asyncio.CancelledError:
            if not self._stopping.is_set() or self._receiving is None:
                raise
            self._receiving.uncancel()
            return None
        finally:
            self._receiving = None

    async def _one_batch(self) -> None:
        begun = time.perf_counter()
        pictures: list[Picture] = []
        finished: list[Finished] = []
        while not self._rule.closes(
            pictures=len(pictures) + len(finished),
            seconds=time.perf_counter() - begun + len(pictures) * self._infer_seconds,
            held=len(self._held),
        ):
            delivery = self._held.popleft()
            self._begun.write([*(picture.receipt for picture in pictures), delivery.receipt])
            match await self._begin(delivery):
                case Picture() as picture:
                    pictures.append(picture)
                case Finished() as done:
                    finished.append(done)
        finished += self._infer(pictures, begun)
        self._begun.write(())
        if finished:
            await self._finish(finished)

    async def _begin(self, delivery: Delivery) -> Picture | Finished | None:
        try:
            job = decode(Job, delivery.body)
        except MalformedMessage as error:
            await self._set_aside(delivery, error)
            return None
        if delivery.receive_count > 1 or job.repeat:
            self._telemetry.count("iraas_redeliveries_total")
            known = await self._patience.until_it_works("get", lambda: self._results.get(job.id))
            if known is not None:
                return await self._known(delivery, job, known)
            self._suspects.add(job, delivery.receipt)
            return None
        return await self._open(delivery, job)

    async def _known(self, delivery: Delivery, job: Job, blob: Blob) -> Finished | None:
        try:
            return Finished(job, delivery.receipt, decode(Record, blob.data), stored=True)
        except MalformedMessage as error:  # an answer of a later version: answered, but not ours to read
            await self._end(delivery, error)
            return None

    async def _open(self, delivery: Delivery, job: Job) -> Picture | Finished | None:
        begun_at, begun = self._clock.time(), time.perf_counter()
        blob = await self._patience.until_it_works("get", lambda: self._inputs.get(job.id))
        if blob is None:
            return Finished(job, delivery.receipt, failure(job, InputExpired()))
        try:
            with ends_this_process_after(DECODE_SECONDS):
                pixels = self._classifier.decode(blob.data)
        except IraasError as error:
            return Finished(job, delivery.receipt, failure(job, error, blob))
        except Exception as error:  # noqa: BLE001 - a picture that nobody foresaw must not end its neighbours
            self._suspect(job, delivery.receipt, error)
            return None
        decode_ms = (time.perf_counter() - begun) * 1000
        self._telemetry.observe("iraas_decode_seconds", decode_ms / 1000)
        return Picture(job, delivery.receipt, blob, pixels, begun_at, decode_ms)

    def _infer(self, pictures: Sequence[Picture], begun: float) -> list[Finished]:
        if not pictures:
            return []
        inferring = time.perf_counter()
        try:
            with ends_this_process_after(BATCH_SECONDS):
                rows = self._classifier.infer([picture.pixels for picture in pictures])
        except Exception as error:  # noqa: BLE001 - one of them did it; quarantine tells which
            for picture in pictures:
                self._suspect(picture.job, picture.receipt, error)
            return []
        infer_ms = (time.perf_counter() - inferring) * 1000 / len(pictures)
        busy_ms = (time.perf_counter() - begun) * 1000 / len(pictures)
        self._infer_seconds = infer_ms / 1000
        self._telemetry.observe("iraas_batch_pictures", len(pictures))
        self._telemetry.observe("iraas_infer_seconds", infer_ms / 1000)
        return [
            Finished(
                picture.job,
                picture.receipt,
                answer(
                    picture.job,
                    picture.blob,
                    Computed(predictions, picture.decode_ms, infer_ms),
                    model=self._classifier.name,
                    begun_at=picture.begun_at,
                    now=self._clock.time(),
                ),
                busy_ms=busy_ms,
            )
            for picture, predictions in zip(pictures, rows, strict=True)
        ]

    async def _finish(self, finished: Sequence[Finished]) -> None:
        await self._patience.until_it_works("finish", lambda: self._finisher.finish(finished))
        self._heartbeat.drop(done.receipt for done in finished)

    def _suspect(self, job: Job, receipt: str, error: Exception) -> None:
        self._log("worker.failed", level="error", id=job.id, error=repr(error))
        self._suspects.add(job, receipt)

    async def _set_aside(self, delivery: Delivery, error: MalformedMessage) -> None:
        """Keep a message that is not ours as a dead letter: it may be of a later version of ours."""
        name = f"malformed-{hashlib.sha256(delivery.body).hexdigest()[:32]}"
        letter = DeadLetter(id=name, owner="", reason=str(error), at=self._clock.time())
        await self._patience.until_it_works(
            "put", lambda: self._results.put(DEAD_LETTERS + name, encode(letter))
        )
        await self._end(delivery, error)

    async def _end(self, delivery: Delivery, error: MalformedMessage) -> None:
        await self._patience.until_it_works("delete", lambda: self._requests.delete([delivery.receipt]))
        self._heartbeat.drop([delivery.receipt])
        self._telemetry.count("iraas_malformed_messages_total", queue="requests")
        self._log("worker.malformed", level="warning", error=str(error))

    async def _drain(self, suspects: asyncio.Task[None]) -> None:
        self._log("worker.draining", held=len(self._heartbeat.held))
        self._suspects.keep_only_the_begun()
        begun = self._suspects.begun
        await self._give_back(self._heartbeat.held - {begun})
        deadline = time.monotonic() + DRAIN_SECONDS
        while begun in self._heartbeat.held and not suspects.done() and time.monotonic() < deadline:
            await asyncio.wait({suspects}, timeout=0.05)
        suspects.cancel()
        await asyncio.gather(suspects, return_exceptions=True)
        await self._quarantine.close()
        await self._give_back(self._heartbeat.held)
        self._heartbeat.stop()
        self._log("worker.stopped")

    async def _give_back(self, receipts: frozenset[str]) -> None:
        step = self._requests.max_batch
        for start in range(0, len(receipts), step):
            with suppress(IraasError):  # else their leases run out
                await self._requests.release(sorted(receipts)[start : start + step])
        self._heartbeat.drop(receipts)
