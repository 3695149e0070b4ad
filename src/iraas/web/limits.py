"""ASGI messages -> the bytes of a body, bounded in time and in memory.

No ASGI server that we measured ends a slow body by itself, and a thousand slow uploads of 10 MB would hold
10 GB: so a body has a deadline for its first byte, for each ten seconds, and for the whole, and all bodies
together have a budget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.types import Receive

from iraas.errors import BodyTooSlow, OutOfRoom

WINDOW_SECONDS = 10.0  # over which the least rate is averaged


class ClientGone(Exception):
    """The client hung up: there is nobody to answer."""


class BodyLimits(NamedTuple):
    """How slow a body may be."""

    first_byte_seconds: float = 5.0
    bytes_per_second: int = 16_000
    max_seconds: float = 120.0


class BodyBudget:
    """Bytes of all bodies in memory at once."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.held = 0

    def hold(self, count: int) -> None:
        """Take `count` bytes. Raises `OutOfRoom` when they are not there."""
        if self.held + count > self._max_bytes:
            raise OutOfRoom("too many uploads at once; try again in a moment", retry_after=1)
        self.held += count

    def release(self, count: int) -> None:
        """Give `count` bytes back."""
        self.held -= count


async def read_body(receive: Receive, feed: Callable[[bytes], None], limits: BodyLimits) -> None:
    """Feed a body's bytes as they come. Raises `BodyTooSlow`, `ClientGone`, and whatever `feed` raises."""
    now = asyncio.get_running_loop().time
    begun = now()
    try:
        async with asyncio.timeout_at(begun + limits.first_byte_seconds) as deadline:
            window_end, due = begun + WINDOW_SECONDS, limits.bytes_per_second * WINDOW_SECONDS
            while True:
                message: Any = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                feed(message["body"])
                if not message.get("more_body", False):
                    return
                due -= len(message["body"])
                while due <= 0 and window_end <= now() + WINDOW_SECONDS:  # this window's share came early
                    window_end += WINDOW_SECONDS
                    due += limits.bytes_per_second * WINDOW_SECONDS
                deadline.reschedule(min(window_end, begun + limits.max_seconds))
    except TimeoutError:
        raise BodyTooSlow(
            f"send at least {limits.bytes_per_second // 1000} KB/s, and all of it in {limits.max_seconds:.0f} s"
        ) from None
