"""a stream of items -> a stream of what becomes of each, in order; some of the calls at the same time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from iraas.side_by_side import side_by_side

ROUNDS = 4  # items held for each call under way, so that one slow call does not make all others wait

Item = TypeVar("Item")
Result = TypeVar("Result")


async def abreast(
    call: Callable[[Item], Awaitable[Result]], items: AsyncIterator[Item], *, at_once: int
) -> AsyncIterator[Result]:
    """`call` of each item, `at_once` (`Blobs.at_once`) of them under way. Holds a few, never all."""
    held: list[Item] = []
    most = 1 if at_once == 1 else at_once * ROUNDS
    async for item in items:
        held.append(item)
        if len(held) == most:
            for result in await side_by_side(call, held, at_once=at_once):
                yield result
            held = []
    for result in await side_by_side(call, held, at_once=at_once):
        yield result
