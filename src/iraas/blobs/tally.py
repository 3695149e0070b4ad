"""Puts and deletes -> how full a store is. Says when it nears its limit, refuses what goes beyond."""

from __future__ import annotations

import asyncio

from iraas.blobs.header import HEADER_BYTES
from iraas.errors import OutOfRoom

NEAR_FULL = 0.95  # of the limit: from here on room is made

_BLOCK_BYTES = 4_096  # what a file system gives at least, and in steps of


def footprint(size: int) -> int:
    """Bytes of disk that an object with `size` bytes of data takes: header and data, in whole blocks."""
    return -(-(HEADER_BYTES + size) // _BLOCK_BYTES) * _BLOCK_BYTES


class Tally:
    """How many bytes of disk a store takes, as far as this process knows.

    `here` is what was counted last, plus puts, minus deletes; `elsewhere` is what others take of the limit.
    To be used from the event loop alone.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = limit  # bytes; None: no limit
        self.here = 0  # bytes
        self.elsewhere = 0  # bytes
        self.refused = 0  # bytes of the largest put that found no room since room was made
        self.near_full = asyncio.Event()  # room should be made now

    @property
    def used(self) -> int:
        """Bytes taken of the limit."""
        return max(0, self.here + self.elsewhere)  # below 0: what goes was never counted

    def take(self, size: int) -> None:
        """Count `size` bytes of disk in. Raises `OutOfRoom` when they go beyond the limit."""
        if self.limit is not None:
            if self.used + size > NEAR_FULL * self.limit:
                self.near_full.set()
            if self.used + size > self.limit:
                self.refuse(size)
                raise OutOfRoom(
                    f"the stores hold {self.used:,} of {self.limit:,} bytes; try again in a moment, "
                    "or raise IRAAS_MAX_STORE_BYTES"
                )
        self.here += size

    def refuse(self, size: int) -> None:
        """Remember that a put of `size` bytes of disk found no room."""
        self.refused = max(self.refused, size)
        self.near_full.set()

    def give_back(self, size: int) -> None:
        """Count `size` bytes of disk out."""
        self.here -= size
