"""Deliveries in, answers out: receive ahead, decode, batch, infer, finish. Drains when told to stop.

One thread does all of it, since helper threads cost more than they give on one machine. Where a port's call
has to wait (a network), it waits beside this loop: `supply` before the computation, `outbox` after it. What
was delivered before goes to quarantine, so that healthy pictures do not queue behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from iraas.blobs.port import Blob, Blobs
from iraas.clock import Clock
from iraas.errors import IraasError
from iraas.messages import Job
from iraas.models.port import Pixels
from iraas.queues.port import Queue
from iraas.telemetry import Log, Telemetry
from iraas.worker.batch import BatchRule
from iraas.worker.begun import BegunNote, NoNote
from iraas.worker.deadline import BATCH_SECONDS, DECODE_SECONDS, ends_this_process_after
from iraas.worker.fetch import Fetched, Fetcher
from iraas.worker.finish import Finished, Finisher
from iraas.worker.heartbeat import Heartbeat
from iraas.worker.infer import Classifier, Computed
from iraas.worker.outbox import Outbox
from iraas.worker.outcome import answer, failure
from iraas.worker.patience import Draining, Patience
from iraas.worker.quarantine import Quarantine
from iraas.worker.supply import Receiver, supply_of
from iraas.worker.suspects import Suspects

DRAIN_SECONDS = 8.0  # for what was begun; the process must be gone after 10
RETIRING_LOOK_SECONDS = 0.05


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
        dead_letters: Queue,
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
        report: Callable[[int, float], None] = lambda _pictures, _busy_seconds: None,
    ) -> None:
        self._requests = requests
        self._finisher = finisher
        self._classifier = classifier
        self._quarantine = quarantine
        self._heartbeat = heartbeat
        self._clock = clock
        self._telemetry = telemetry
        self._begun = begun or NoNote()
        self._rule = rule or BatchRule()
        self._report = report
        self._log = Log()
        self._infer_seconds = 0.0  # of a picture, as the last batch had it
        self._stopping = asyncio.Event()
        self._retiring = False
        self._patience = Patience(self._stopping, telemetry)
        self._suspects = Suspects(
            inputs=inputs,
            quarantine=quarantine,
            finish=self._finish_suspect,
            patience=self._patience,
            clock=clock,
            model=classifier.name,
        )
        fetcher = Fetcher(
            requests=requests,
            dead_letters=dead_letters,
            inputs=inputs,
            results=results,
            heartbeat=heartbeat,
            suspects=self._suspects,
            patience=self._patience,
            telemetry=telemetry,
        )
        receiver = Receiver(requests, heartbeat=heartbeat, patience=self._patience, suspects=self._suspects)
        self._supply = supply_of(receiver, fetcher, at_once=inputs.at_once)
        self._outbox = Outbox(self._finish, at_once=results.at_once)

    def stop(self) -> None:
        """Drain: finish what was begun, give back the rest. Safe to call from a signal handler of the loop."""
        self._stopping.set()
        self._quarantine.drain()
        self._supply.stop()

    def retire(self) -> None:
        """Receive no more, finish all that is held, and end: nothing is given back. `stop` may still hurry it."""
        self._retiring = True
        self._supply.stop()

    async def run(self) -> None:
        """Work until `stop`, or `retire`."""
        self._heartbeat.start()
        suspects = asyncio.create_task(self._suspects.work_off())
        suspects.add_done_callback(
            lambda _: self._supply.stop()
        )  # or the loop would wait for pictures for ever
        self._supply.start()
        self._log("worker.started", model=self._classifier.name)
        try:
            while not self._stopping.is_set():
                await self._supply.ready()
                await self._one_batch()
                await asyncio.sleep(0)  # signals and the quarantine child get their turn
                if suspects.done():
                    suspects.result()  # it only ends by an error
                if self._retiring:
                    if not self._heartbeat.held:
                        break
                    if not self._supply.held:  # the rest is in quarantine, or on its way in or out
                        await asyncio.sleep(RETIRING_LOOK_SECONDS)
        except Draining:
            pass
        finally:
            await self._drain(suspects)

    async def _one_batch(self) -> None:
        begun, waited = time.perf_counter(), 0.0
        pictures: list[Picture] = []
        finished: list[Finished] = []
        while not self._rule.closes(
            pictures=len(pictures) + len(finished),
            seconds=time.perf_counter() - begun + len(pictures) * self._infer_seconds,
            held=self._supply.held,
        ):
            asked = time.perf_counter()
            taken = await self._supply.take()
            waited += time.perf_counter() - asked
            if isinstance(taken, Fetched):
                self._begun.write([*(picture.receipt for picture in pictures), taken.receipt])
            match self._open(taken) if isinstance(taken, Fetched) else taken:
                case Picture() as picture:
                    pictures.append(picture)
                case Finished() as done:
                    finished.append(done)
        finished += self._infer(pictures, begun)
        self._begun.write(())
        busy_seconds = time.perf_counter() - begun - waited  # what the stores are slow in is nobody's work
        if finished:
            await self._outbox.put(finished)
            self._report(len(finished), busy_seconds)

    def _open(self, fetched: Fetched) -> Picture | Finished | None:
        job, receipt, blob = fetched
        begun_at, begun = self._clock.time(), time.perf_counter()
        try:
            with ends_this_process_after(DECODE_SECONDS):
                pixels = self._classifier.decode(blob.data)
        except IraasError as error:
            return Finished(job, receipt, failure(job, error, blob))
        except Exception as error:  # noqa: BLE001 - a picture that nobody foresaw must not end its neighbours
            self._suspect(job, receipt, error)
            return None
        decode_ms = (time.perf_counter() - begun) * 1000
        self._telemetry.observe("iraas_decode_seconds", decode_ms / 1000)
        return Picture(job, receipt, blob, pixels, begun_at, decode_ms)

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
        self._supply.seconds_each = busy_ms / 1000
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

    async def _finish_suspect(self, done: Finished) -> None:
        await self._finish([done])
        self._report(1, 0.0)  # its child may have loaded a model first: no measure of a picture

    def _suspect(self, job: Job, receipt: str, error: Exception) -> None:
        self._log("worker.failed", level="error", id=job.id, error=repr(error))
        self._suspects.add(job, receipt)

    async def _drain(self, suspects: asyncio.Task[None]) -> None:
        self._log("worker.draining", held=len(self._heartbeat.held))
        deadline = time.monotonic() + DRAIN_SECONDS
        await self._supply.close()
        self._suspects.keep_only_the_begun()
        begun = self._suspects.begun
        await self._give_back(self._heartbeat.held - {begun} - self._outbox.receipts)
        await self._outbox.close(deadline - time.monotonic())
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
