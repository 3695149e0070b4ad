"""A listing -> its oldest objects that may go, together large enough. Memory for `most` of them, not for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from heapq import heappop, heappush

from iraas.blobs.port import BlobInfo
from iraas.blobs.tally import footprint

Permit = Callable[[Collection[str]], Awaitable[set[str]]]  # keys -> those that may go

_STEP = 256  # objects looked at together


async def steps(listing: AsyncIterator[BlobInfo]) -> AsyncIterator[list[BlobInfo]]:
    """A listing, a few hundred objects at a time."""
    step: list[BlobInfo] = []
    async for info in listing:
        step.append(info)
        if len(step) == _STEP:
            yield step
            step = []
    if step:
        yield step


async def oldest(
    listing: AsyncIterator[BlobInfo], permit: Permit, *, before: float, enough: float, most: int
) -> list[str]:
    """Keys, oldest first, that take `enough` bytes of disk (or are `most`, or all there are).

    Only objects written `before` (wall time, seconds), and only those that `permit` lets go, which is asked
    about nothing that is too young to be chosen.
    """
    chosen: list[
        tuple[float, str, int]
    ] = []  # a heap, the youngest on top: (-modified_at, key, bytes of disk)
    taken = 0

    async for step in steps(listing):
        satisfied = taken >= enough or len(chosen) == most
        youngest = min(before, -chosen[0][0]) if satisfied else before
        older = {info.key: info for info in step if info.modified_at < youngest}
        for key in await permit(older) if older else ():
            size = footprint(older[key].size)
            heappush(chosen, (-older[key].modified_at, key, size))
            taken += size
            while len(chosen) > most or taken - chosen[0][2] >= enough:
                taken -= heappop(chosen)[2]

    return [key for _, key, _ in sorted(chosen, reverse=True)]
