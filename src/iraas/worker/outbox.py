"""finished batches -> their answers stored and sent: at once, or beside the next batch where calls wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from iraas.worker.finish import Finished
from iraas.worker.patience import Draining

BATCHES = 8  # on their way out at once, where calls wait; bounds what a slow store can pile up


class Outbox:
    """Ends batches, in the background when `at_once` calls are worth making side by side."""

    def __init__(
        self, finish: Callable[[Sequence[Finished]], Coroutine[Any, Any, None]], *, at_once: int
    ) -> None:
        self._finish = finish
        self._in_background = at_once > 1
        self._leaving: dict[asyncio.Task[None], Sequence[Finished]] = {}

    @property
    def receipts(self) -> frozenset[str]:
        """Of the jobs on their way out."""
        return frozenset(done.receipt for batch in self._leaving.values() for done in batch)

    async def put(self, batch: Sequence[Finished]) -> None:
        """Take a batch, once there is room. Raises what ended an earlier one, and `Draining`."""
        if not self._in_background:
            await self._finish(batch)
            return
        while len(self._leaving) >= BATCHES:
            await asyncio.wait(self._leaving, return_when=asyncio.FIRST_COMPLETED)
            self._forget_the_gone()
        self._leaving[asyncio.create_task(self._finish(batch))] = batch
        self._forget_the_gone()

    async def close(self, seconds: float) -> None:
        """Wait until all have left, or give up on them: they come again."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=seconds)
        for task in self._leaving:
            task.cancel()
        for outcome in await asyncio.gather(*self._leaving, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, Draining):
                raise outcome
        self._leaving.clear()

    def _forget_the_gone(self) -> None:
        for task in [task for task in self._leaving if task.done()]:
            del self._leaving[task]
            task.result()
