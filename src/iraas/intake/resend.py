"""inputs without an answer -> jobs again. What a power loss took from the queue, the stores still know."""

from __future__ import annotations

import asyncio

from iraas.blobs.port import Blobs
from iraas.clock import Clock
from iraas.errors import IraasError
from iraas.messages import Job, encode
from iraas.queues.port import Message, Queue
from iraas.telemetry import Log, Telemetry

YOUNGEST_SECONDS = 60.0  # a younger input may be between its put and its send
EVERY_SECONDS = 600.0
STEP = 64  # inputs looked at before others get their turn


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
        """Send a job for each input older than `youngest` seconds that has no answer; how many."""
        sent = looked = 0
        oldest_allowed = self._clock.time() - youngest
        async for info in self._inputs.list():
            looked += 1
            if looked % STEP == 0:
                await asyncio.sleep(0)
            if info.modified_at > oldest_allowed or await self._results.head(info.key) is not None:
                continue
            found = await self._inputs.head(info.key)
            if found is None:
                continue
            job = Job(
                id=info.key,
                owner=found.metadata["owner"],
                reply_to="",
                accepted_at=float(found.metadata["accepted-at"]),
                repeat=True,
            )
            await self._requests.send([Message(encode(job), id=job.id)])
            sent += 1
        if sent:
            self._telemetry.count("iraas_resent_total", sent)
            Log()("resend.sent", inputs=sent)
        return sent

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
