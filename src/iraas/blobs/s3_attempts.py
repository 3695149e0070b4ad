"""a request -> its outcome, after as many attempts as fit into one deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from iraas.blobs.s3_fault import NOT_IN_TIME, S3Fault

TOTAL_SECONDS = 8.0  # of all attempts together; a web client waits for them
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

_T = TypeVar("_T")


class Attempts:
    """What one call of the port may try. `in_doubt`: one of them broke off, and may have had its effect."""

    def __init__(self, turns: asyncio.Semaphore, on_request: Callable[[str], object]) -> None:
        self._turns = turns
        self._on_request = on_request
        self._deadline = asyncio.get_running_loop().time() + TOTAL_SECONDS
        self._pause = FIRST_PAUSE_SECONDS
        self._fault: S3Fault | None = None
        self.in_doubt = False

    async def make(self, operation: str, request: Callable[[], Awaitable[_T]]) -> _T:
        """The outcome of `request`. Raises its last `S3Fault`, and what else it raises."""
        while True:
            try:
                return await self._once(operation, request)
            except S3Fault as fault:
                fault.operation = operation
                self._fault = fault
                self.in_doubt |= fault.in_doubt
                if not fault.passing or not await self._rest():
                    raise

    async def _once(self, operation: str, request: Callable[[], Awaitable[_T]]) -> _T:
        try:
            async with asyncio.timeout_at(self._deadline), self._turns:
                self._on_request(operation)
                return await request()
        except TimeoutError:
            self.in_doubt = True
            raise self._fault or S3Fault(NOT_IN_TIME) from None  # what went wrong before tells more

    async def _rest(self) -> bool:
        """Wait a little, each time longer, never as long as others; False when there is no time for it."""
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        if asyncio.get_running_loop().time() + pause >= self._deadline:
            return False
        await asyncio.sleep(pause)
        return True
