"""Old objects, or too many of them -> deletes, in small steps.

1. An input goes when it is answered and older than `inputs_days`. While it has no answer it stays, however old:
   its job is owed one and is sent again until it has it; then the next sweep takes the input.
2. An answer goes when it is older than `answers_days` and its input is gone: an input that lost its answer
   would be classified anew. A record beside the answers goes by its age alone.
3. When room is short, the oldest answered inputs go. Only when none is left, the oldest answers go, if their
   inputs are gone and their clients had `ANSWERS_KEPT_S` to come for them. An unanswered input never goes.

Ages are by wall time: after a jump of an hour things go an hour early or late, which harms nobody.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from iraas.blobs.files import FileBlobs
from iraas.blobs.oldest import Permit, oldest, steps
from iraas.blobs.tally import NEAR_FULL, footprint
from iraas.clock import Clock
from iraas.errors import IraasError
from iraas.telemetry import Log, Telemetry

ROOMY = 0.90  # of the limit: enough room was made
ANSWERS_KEPT_S = 3_600.0  # even when room is short
RECORDS = ("dead-letters/", "superseded/")  # in the results store, beside the answers

_DAY_S = 86_400.0
_STEP = 32  # objects deleted together: thousands in one go made later writes 5 to 10 times slower
_PAUSE_S = 0.02  # between two steps: 1,000 deletes a second, where 290 pictures come
_CHOSEN = 32_768  # objects chosen in one look through a store: 8 MB of memory
_SWEEPING_SHARE = 0.01  # of the time: two million answers take seconds to look at
_IN_VAIN_S = 1.0  # after looking for room where there was none


async def _pause() -> None:
    await asyncio.sleep(_PAUSE_S)


@dataclass
class Swept:
    """What was removed."""

    inputs: int = 0
    answers: int = 0  # and records
    bytes: int = 0  # of disk


class Retention:
    """Keeps inputs and results below `max_bytes` together, and none of them longer than it should be.

    For one process, with the very `FileBlobs` that takes the inputs: a sweep corrects its tally, and its
    `near_full` makes `run` look for room at once. Raises what the stores raise.
    """

    def __init__(
        self,
        inputs: FileBlobs,
        results: FileBlobs,
        *,
        clock: Clock,
        inputs_days: float,
        answers_days: float,
        max_bytes: int,
        pause: Callable[[], Awaitable[None]] = _pause,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._inputs = inputs
        self._results = results
        self._clock = clock
        self._inputs_s = inputs_days * _DAY_S
        self._answers_s = answers_days * _DAY_S
        self._max_bytes = max_bytes
        self._pause = pause
        self._telemetry = telemetry or Telemetry()
        self._swept = Swept()
        self._log = Log()

    async def sweep(self) -> Swept:
        """Look at every object: count it, and remove it if it is old. Then make room if it is short."""
        self._swept = Swept()
        now, tally = self._clock.time(), self._inputs.tally

        known = tally.here
        found = await self._expire(self._inputs, "", now - self._inputs_s, self._answered)
        tally.here += found - known  # what was put or deleted meanwhile is in `here` already

        known, found = tally.elsewhere, 0
        for prefix, permit in (("", self._without_input), *((records, _any) for records in RECORDS)):
            found += await self._expire(self._results, prefix, now - self._answers_s, permit)
        tally.elsewhere += found - known

        await self._make_room()
        return self._swept

    async def make_room(self) -> Swept:
        """Remove the oldest of what may go, if room is short by the last count and the puts since."""
        self._swept = Swept()
        await self._make_room()
        return self._swept

    async def run(self, stop: asyncio.Event, every: float = 60.0) -> None:
        """Until `stop`: sweep every `every` seconds, more seldom if that takes long; make room on demand."""
        async with asyncio.TaskGroup() as group:
            sweeping = group.create_task(self._sweep_for_ever(every))
            await stop.wait()
            sweeping.cancel()

    async def _sweep_for_ever(self, every: float) -> None:
        while True:
            began = self._clock.boot()
            await self._said(self.sweep())
            took = self._clock.boot() - began
            with suppress(TimeoutError):
                async with asyncio.timeout(max(every, took / _SWEEPING_SHARE)):
                    await self._make_room_on_demand()

    async def _make_room_on_demand(self) -> None:
        while True:
            await self._inputs.tally.near_full.wait()
            if not await self._said(self.make_room()) and self._inputs.tally.near_full.is_set():
                await asyncio.sleep(_IN_VAIN_S)

    async def _said(self, removing: Awaitable[Swept]) -> bool:
        """Log and count what was removed, or say why it was not: was anything?"""
        try:
            swept = await removing
        except IraasError as error:
            self._log("background.failed", level="warning", task="retention", error=str(error))
            return False
        if swept.bytes:
            self._telemetry.count("iraas_retention_removed_total", swept.inputs, what="inputs")
            self._telemetry.count("iraas_retention_removed_total", swept.answers, what="answers")
            self._log("retention.swept", inputs=swept.inputs, answers=swept.answers, bytes=swept.bytes)
        return swept.bytes > 0

    async def _expire(self, store: FileBlobs, prefix: str, before: float, permit: Permit) -> int:
        """Remove what was written `before` and may go: the bytes of disk that everything took."""
        found = 0
        async for step in steps(store.list(prefix)):
            found += sum(footprint(info.size) for info in step)
            await self._remove(store, [info.key for info in step if info.modified_at < before], permit)
        return found

    async def _make_room(self) -> None:
        tally = self._inputs.tally
        ceiling = min(self._max_bytes, tally.used + await self._inputs.free_bytes())
        goal = min(ROOMY * ceiling, ceiling - tally.refused)
        short = tally.refused or tally.used > NEAR_FULL * ceiling
        tally.near_full.clear()
        tally.refused = 0
        if not short:
            return

        had_time = self._clock.time() - ANSWERS_KEPT_S
        for store, permit, before in (
            (self._inputs, self._answered, math.inf),
            (self._results, self._without_input, had_time),
        ):
            while (excess := tally.used - goal) > 0:
                keys = await oldest(store.list(), permit, before=before, enough=excess, most=_CHOSEN)
                if not keys:
                    break
                await self._remove(store, keys, permit)

    async def _remove(self, store: FileBlobs, keys: Sequence[str], permit: Permit) -> None:
        for at in range(0, len(keys), _STEP):
            # Asked just before the deed: a redrive may have taken an answer back since the keys were chosen.
            going = await permit(keys[at : at + _STEP])
            freed = await store.delete_many(going)
            if store is self._inputs:
                self._swept.inputs += len(going)
            else:
                self._swept.answers += len(going)
                self._inputs.tally.elsewhere -= freed
            self._swept.bytes += freed
            await self._pause()

    async def _answered(self, inputs: Collection[str]) -> set[str]:
        return await self._results.present(inputs)

    async def _without_input(self, answers: Collection[str]) -> set[str]:
        return set(answers) - await self._inputs.present(answers)


async def _any(records: Collection[str]) -> set[str]:
    return set(records)
