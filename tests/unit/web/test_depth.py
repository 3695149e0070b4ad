"""iraas.web.depth: one sample of the queue for all who ask."""

from __future__ import annotations

import asyncio

import pytest

from iraas.errors import BackendUnavailable
from iraas.queues.port import Depth
from iraas.testing.manual_clock import ManualClock
from iraas.web.depth import LatestDepth


class Sounding:
    """A queue whose answers a test releases."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[Depth]] = []

    async def __call__(self) -> Depth:
        answer = asyncio.get_running_loop().create_future()
        self.asked.append(answer)
        return await answer


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def queue():
    return Sounding()


@pytest.fixture
def latest(queue, clock):
    return LatestDepth(queue, clock)


async def test_many_who_ask_at_once_cause_one_question(latest, queue):
    """Ten listeners cost as much as one."""
    asking = [asyncio.create_task(latest.within(1)) for _ in range(10)]
    await asyncio.sleep(0)
    queue.asked[0].set_result(Depth(3, 1, 2.0))

    assert await asyncio.gather(*asking) == [Depth(3, 1, 2.0)] * 10
    assert len(queue.asked) == 1


async def test_a_young_sample_is_taken_and_an_old_one_replaced(latest, queue, clock):
    """Within its age a sample serves; past it the queue is asked again."""
    for visible in (1, 2):
        asking = asyncio.create_task(latest.within(1))
        await asyncio.sleep(0)
        queue.asked[-1].set_result(Depth(visible, 0, 0.0))
        assert (await asking).visible == visible
        clock.advance(0.9)
        assert (await latest.within(1)).visible == visible
        clock.advance(0.2)
    assert len(queue.asked) == 2


async def test_a_late_answer_does_not_replace_a_newer_one(latest, queue, clock):
    """Of two questions the one that was put later is the truth, whichever is answered first."""
    first = asyncio.create_task(latest.ask())
    await asyncio.sleep(0)
    clock.advance(1)
    second = asyncio.create_task(latest.ask())
    await asyncio.sleep(0)
    queue.asked[1].set_result(Depth(2, 0, 0.0))
    await second
    queue.asked[0].set_result(Depth(1, 0, 0.0))
    await first

    assert latest.sample.visible == 2
    assert latest.age == 0


async def test_a_queue_that_cannot_be_asked_leaves_the_sample(latest, queue, clock):
    """The error goes to who asked; the sample stays, and is as old as it is."""
    asking = asyncio.create_task(latest.ask())
    await asyncio.sleep(0)
    queue.asked[0].set_result(Depth(7, 0, 0.0))
    await asking
    clock.advance(5)
    asking = asyncio.create_task(latest.within(1))
    await asyncio.sleep(0)
    queue.asked[1].set_exception(BackendUnavailable("away"))
    with pytest.raises(BackendUnavailable):
        await asking

    assert (latest.sample.visible, latest.age) == (7, 5)
