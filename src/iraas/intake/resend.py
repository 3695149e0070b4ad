"""inputs without an answer -> jobs again. What a power loss took from the queue, the stores still know."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from iraas.blobs.port import BlobInfo, Blobs
from iraas.blobs.unanswered import unanswered
from iraas.clock import Clock
from iraas.errors import IraasError
from iraas.messages import InputFacts, Job, encode
from iraas.queues.port import Message, Queue
from iraas.telemetry import Log, Telemetry

YOUNGEST_SECONDS = 60.0  # a younger input may be between its put and its send
EVERY_SECONDS = 600.0


class Resend:
    """Finds inputs that nobody answers and nobody works on. The queue refuses a second live message."""

    def __init__(
        self, *, inputs: Blobs, results: Blobs, requests: Queue, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._inputs = inputs
        self._results = results
        self._requests = requests
        self._clock = clock
        self._telemetry = telemetry

    async def sweep(self, *, youngest: float = YOUNGEST_SECONDS) -> int:
        """Send a job for each input older than `youngest` seconds that has no answer; how many.

        An input that has its answer costs a line of two lists, and no call.
        """
        sent = 0
        held: list[BlobInfo] = []
        before = self._clock.time() - youngest
        async for picture in unanswered(self._inputs, self._results, before=before):
            held.append(picture)
            if len(held) == self._requests.max_batch:
                sent += await self.send(held)
                held = []
        sent += await self.send(held)
        if sent:
            Log()("resend.sent", inputs=sent)
        return sent

    async def send(self, pictures: Sequence[BlobInfo]) -> int:
        """Send these inputs' jobs, as `unanswered` gives them; how many."""
        messages = [Message(encode(_job(picture)), id=picture.key) for picture in pictures]
        for start in range(0, len(messages), self._requests.max_batch):
            await self._requests.send(messages[start : start + self._requests.max_batch])
        if messages:
            self._telemetry.count("iraas_resent_total", len(messages))
        return len(messages)

    async def keep_sweeping(self) -> None:
        """At once, when nothing else can be between put and send, and then in the background."""
        youngest = 0.0
        while True:
            try:
                await self.sweep(youngest=youngest)
                youngest = YOUNGEST_SECONDS
            except IraasError as error:
                Log()("background.failed", level="warning", task="resend", error=str(error))
            await asyncio.sleep(EVERY_SECONDS)


def _job(picture: BlobInfo) -> Job:
    facts = InputFacts.of(picture.metadata)
    return Job(id=picture.key, owner=facts.owner, reply_to="", accepted_at=facts.accepted_at, repeat=True)
