"""Jobs that were delivered before -> quarantine -> finished, beside the worker's loop.

Healthy pictures do not queue behind them; and a worker with many of them receives no more.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from iraas.blobs.port import Blobs
from iraas.clock import Clock
from iraas.errors import ClassifierCrashed, InputExpired, IraasError
from iraas.messages import Job
from iraas.telemetry import Log
from iraas.worker.finish import Finished
from iraas.worker.outcome import answer, failure
from iraas.worker.patience import Patience
from iraas.worker.quarantine import Quarantine

MAX_SUSPECTS = 16  # jobs that wait for the quarantine child before their worker receives no more


class Suspects:
    """A line of jobs, worked off one at a time."""

    def __init__(
        self,
        *,
        inputs: Blobs,
        quarantine: Quarantine,
        finish: Callable[[Finished], Awaitable[None]],
        patience: Patience,
        clock: Clock,
        model: str,
    ) -> None:
        self._inputs = inputs
        self._quarantine = quarantine
        self._finish = finish
        self._patience = patience
        self._clock = clock
        self._model = model
        self._line: deque[tuple[Job, str]] = deque()
        self._changed = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether no more should be received."""
        return len(self._line) >= MAX_SUSPECTS

    @property
    def begun(self) -> str | None:
        """The receipt of the job that is being computed."""
        return self._line[0][1] if self._line else None

    def add(self, job: Job, receipt: str) -> None:
        """Put a job in the line."""
        self._line.append((job, receipt))
        self._changed.set()

    def keep_only_the_begun(self) -> None:
        """Forget those that wait: they are given back."""
        while len(self._line) > 1:
            self._line.pop()

    async def change(self) -> None:
        """Return when the line next grows or shrinks."""
        self._changed.clear()
        await self._changed.wait()

    async def work_off(self) -> None:
        """Until cancelled."""
        try:
            while True:
                while not self._line:
                    await self.change()
                job, receipt = self._line[0]
                await self._finish(await self._compute(job, receipt))
                self._line.popleft()
                self._changed.set()
        finally:
            self._changed.set()  # who waits for a shorter line must learn that nobody works it off

    async def _compute(self, job: Job, receipt: str) -> Finished:
        begun_at, begun = self._clock.time(), time.perf_counter()
        blob = await self._patience.until_it_works("get", lambda: self._inputs.get(job.id))
        if blob is None:
            return Finished(job, receipt, failure(job, InputExpired()))
        data = blob.data
        try:
            computed = await self._patience.until_it_works(
                "quarantine", lambda: self._quarantine.compute(data)
            )
        except IraasError as error:
            if isinstance(error, ClassifierCrashed):
                Log()("quarantine.condemned", level="error", id=job.id, reason=error.detail)
            return Finished(job, receipt, failure(job, error, blob))
        record = answer(job, blob, computed, model=self._model, begun_at=begun_at, now=self._clock.time())
        return Finished(job, receipt, record, busy_ms=(time.perf_counter() - begun) * 1000)
