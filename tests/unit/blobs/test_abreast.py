"""iraas.blobs.abreast: a stream of calls, some of them at the same time."""

from __future__ import annotations

import asyncio

import pytest

from iraas.blobs.abreast import ROUNDS, abreast


async def numbers(count: int, taken: list[int] | None = None):
    for number in range(count):
        if taken is not None:
            taken.append(number)
        yield number


@pytest.mark.parametrize("count", [0, 1, 7, 8, 100])
@pytest.mark.parametrize("at_once", [1, 2, 8])
async def test_every_item_has_its_result_in_order(count, at_once):
    """Nothing is lost at the end of a group, and slow calls do not change the order."""

    async def call(number: int) -> int:
        for _ in range(-number % 5):
            await asyncio.sleep(0)
        return number * 10

    results = [result async for result in abreast(call, numbers(count), at_once=at_once)]
    assert results == [number * 10 for number in range(count)]


async def test_as_many_calls_are_under_way_as_are_worth_it_and_no_more():
    """`at_once` is what the store declares."""
    under_way, most = 0, 0

    async def call(number: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    async for _ in abreast(call, numbers(100), at_once=8):
        pass
    assert most == 8


async def test_only_a_few_items_are_held():
    """A stream without an end is read as far as its results are."""
    taken: list[int] = []

    async def call(number: int) -> int:
        return number

    results = abreast(call, numbers(10_000, taken), at_once=8)
    assert await anext(results) == 0
    assert len(taken) == 8 * ROUNDS
    await results.aclose()


async def test_an_error_reaches_the_caller():
    """A store that is away ends the stream with what it raised."""

    async def call(number: int) -> int:
        if number == 3:
            raise ConnectionError("away")
        return number

    with pytest.raises(ConnectionError, match="away"):
        async for _ in abreast(call, numbers(9), at_once=4):
            pass
