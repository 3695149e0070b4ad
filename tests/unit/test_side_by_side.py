"""iraas.side_by_side: results in order, errors raised, no more at a time than allowed."""

import asyncio

import pytest

from iraas.side_by_side import side_by_side


@pytest.mark.parametrize("at_once", [1, 3, 100])
async def test_results_are_in_the_order_of_the_items(at_once):
    """However many run at a time, and whoever is first: results stand where their items stood."""
    running = most = 0

    async def square(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(10 - number):
            await asyncio.sleep(0)
        running -= 1
        return number * number

    assert await side_by_side(square, range(10), at_once=at_once) == [n * n for n in range(10)]
    assert most == min(at_once, 10)


@pytest.mark.parametrize("at_once", [1, 4])
async def test_an_error_is_raised_when_nothing_runs_any_more(at_once):
    """The first error comes out, after the others that had begun."""
    ended = []

    async def work(number):
        if number == 1:
            raise ValueError("one")
        await asyncio.sleep(0)
        ended.append(number)

    with pytest.raises(ValueError, match="one"):
        await side_by_side(work, range(4), at_once=at_once)
    assert ended == ([0] if at_once == 1 else [0, 2, 3])
