"""delivery -> a job with its picture's bytes, or its outcome already. What needs stores and queues, and no CPU."""

from __future__ import annotations

from typing import NamedTuple

from iraas.blobs.port import Blob, Blobs
from iraas.errors import ImageTooLarge, InputExpired
from iraas.messages import Job, MalformedMessage, Record, decode
from iraas.queues.port import Delivery, Message, Queue
from iraas.telemetry import Log, Telemetry
from iraas.worker.finish import Finished
from iraas.worker.heartbeat import Heartbeat
from iraas.worker.outcome import failure
from iraas.worker.patience import Patience
from iraas.worker.suspects import Suspects


class Fetched(NamedTuple):
    """A job and the bytes of its picture, in the hand of the worker that got it."""

    job: Job
    receipt: str
    blob: Blob


class Fetcher:
    """Looks at what was delivered, and gets what the computation needs."""

    def __init__(
        self,
        *,
        requests: Queue,
        dead_letters: Queue,
        inputs: Blobs,
        results: Blobs,
        heartbeat: Heartbeat,
        suspects: Suspects,
        patience: Patience,
        telemetry: Telemetry,
    ) -> None:
        self._requests = requests
        self._dead_letters = dead_letters
        self._inputs = inputs
        self._results = results
        self._heartbeat = heartbeat
        self._suspects = suspects
        self._patience = patience
        self._telemetry = telemetry

    async def fetch(self, delivery: Delivery) -> Fetched | Finished | None:
        """What is to be computed or finished; None: it is in other hands. Raises `Draining`."""
        try:
            job = decode(Job, delivery.body)
        except MalformedMessage as error:
            await self._bury(delivery, error)
            return None
        if delivery.receive_count > 1 or job.repeat:
            self._telemetry.count("iraas_redeliveries_total")
            known = await self._patience.until_it_works("get", lambda: self._results.get(job.id))
            if known is not None:
                return await self._known(delivery, job, known)
            self._suspects.add(job, delivery.receipt)
            return None
        try:
            blob = await self._patience.until_it_works("get", lambda: self._inputs.get(job.id))
        except ImageTooLarge as error:  # larger than what intake lets in: somebody else put it there
            return Finished(job, delivery.receipt, failure(job, error))
        if blob is None:
            return Finished(job, delivery.receipt, failure(job, InputExpired()))
        return Fetched(job, delivery.receipt, blob)

    async def _known(self, delivery: Delivery, job: Job, blob: Blob) -> Finished | None:
        try:
            return Finished(job, delivery.receipt, decode(Record, blob.data), stored=True)
        except MalformedMessage as error:  # an answer of a later version: answered, but not ours to read
            await self._end(delivery, error)
            return None

    async def _bury(self, delivery: Delivery, error: MalformedMessage) -> None:
        """Move a message that is not ours to the dead-letter queue: it may be of a later version of ours."""
        letter = Message(delivery.body)
        await self._patience.until_it_works("send", lambda: self._dead_letters.send([letter]))
        await self._end(delivery, error)

    async def _end(self, delivery: Delivery, error: MalformedMessage) -> None:
        await self._patience.until_it_works("delete", lambda: self._requests.delete([delivery.receipt]))
        self._heartbeat.drop([delivery.receipt])
        self._telemetry.count("iraas_malformed_messages_total", queue="requests")
        Log()("worker.malformed", level="warning", error=str(error))
