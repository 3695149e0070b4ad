"""calls -> their results in order, some of them at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def side_by_side(
    call: Callable[[Item], Awaitable[Result]], items: Iterable[Item], *, at_once: int
) -> list[Result]:
    """`call` of each item. With `at_once` = 1 one after the other, without the price of tasks.

    The first error is raised once all that had begun are over, so that nothing goes on behind the caller.
    """
    if at_once == 1:
        return [await call(item) for item in items]
    turns = asyncio.Semaphore(at_once)

    async def in_turn(item: Item) -> Result:
        async with turns:
            return await call(item)

    outcomes = await asyncio.gather(*(in_turn(item) for item in items), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
