"""Blocking work is done beside the event loop, each piece at once while there are threads."""

import asyncio
import threading

import pytest
from tests.waiting import until

from iraas.queues.sqs_threads import Threads


@pytest.fixture
def threads():
    """Three at most."""
    threads = Threads(3, name="test")
    yield threads
    threads.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "test"]


def names():
    """Those that live."""
    return [thread for thread in threading.enumerate() if thread.name == "test"]


async def test_work_has_its_result(threads):
    """What the work returns, or raises, is its caller's."""
    assert await threads.run(lambda: 7) == 7
    with pytest.raises(ValueError, match="no"):
        await threads.run(lambda: int("no"))


async def test_a_free_thread_is_used_again(threads):
    """One piece of work after another needs one thread."""
    for _ in range(5):
        await threads.run(lambda: None)
    assert len(names()) == 1


async def test_work_does_not_wait_behind_work(threads):
    """While there are fewer threads than allowed, nothing waits for something else to end."""
    meet = threading.Barrier(3, timeout=10)
    await asyncio.gather(*(threads.run(meet.wait) for _ in range(3)))
    await asyncio.gather(*(threads.run(meet.wait) for _ in range(3)))
    assert len(names()) == 3


async def test_what_is_too_much_waits_for_its_turn(threads):
    """With all threads busy, work is done later and not lost."""
    open_ = threading.Event()
    held = [threads.run(lambda: open_.wait(10)) for _ in range(3)]
    waiting = [threads.run(lambda number=number: number) for number in range(5)]
    done, _ = await asyncio.wait(waiting, timeout=0.05)
    assert not done

    open_.set()
    assert await asyncio.gather(*waiting) == [0, 1, 2, 3, 4]
    await asyncio.gather(*held)
    assert len(names()) == 3


async def test_work_that_nobody_waits_for_is_not_begun(threads):
    """What was cancelled before its turn does not happen; what was begun ends in silence."""
    open_, begun, happened = threading.Event(), threading.Barrier(4, timeout=10), []

    def hold():
        begun.wait()
        open_.wait(10)
        happened.append("begun")

    held = [threads.run(hold) for _ in range(3)]
    late = threads.run(lambda: happened.append("late"))
    begun.wait()
    late.cancel()
    held[0].cancel()
    open_.set()
    await asyncio.gather(*held[1:])
    await asyncio.to_thread(
        until, lambda: happened.count("begun") == 3, what="the one whose caller is gone ends too"
    )
    await threads.run(lambda: None)
    assert happened.count("late") == 0


def test_a_loop_that_is_gone_is_not_missed(threads):
    """Work whose event loop ended meanwhile ends quietly, and its thread serves the next loop."""
    open_ = threading.Event()

    async def begin():
        threads.run(lambda: open_.wait(10))

    asyncio.run(begin())
    open_.set()
    assert asyncio.run(once(threads)) == 1


async def once(threads):
    """A piece of work."""
    return await threads.run(lambda: 1)
