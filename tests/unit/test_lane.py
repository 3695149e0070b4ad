"""Calls of many tasks are served in groups by one thread, and each gets its own outcome."""

import asyncio
import threading
from contextlib import closing

import pytest

from iraas.lane import Call, Lane

PATIENCE = 20.0  # real seconds; only a broken lane needs them


class Till:
    """Serves calls on a list, and remembers the groups. Shut, it keeps the first group waiting."""

    def __init__(self):
        self.groups = []
        self.ledger = []
        self.threads = set()
        self.is_open = threading.Event()
        self.is_open.set()
        self.is_serving = threading.Event()

    def serve(self, calls):
        """The lane's `serve`."""
        self.groups.append(len(calls))
        self.threads.add(threading.current_thread())
        self.is_serving.set()
        self.is_open.wait(PATIENCE)
        for call in calls:
            try:
                call.result = call.work(self.ledger)
            except ValueError as error:
                call.fail(error, because=error)


@pytest.fixture
def till():
    """The till."""
    return Till()


@pytest.fixture
def lane(till):
    """The lane that leads to it."""
    with closing(Lane(till.serve, name="till")) as lane:
        yield lane
        till.is_open.set()


def put(item):
    """A call that puts an item into the list and gives it back; undone, it says so there."""
    return Call(
        lambda ledger: (ledger.append(item), item)[1], undo=lambda ledger, done: ledger.append(f"not {done}")
    )


async def until_serving(till):
    """Until the thread has its first group in hand."""
    await asyncio.to_thread(till.is_serving.wait, PATIENCE)


async def test_serves_each_call_in_a_thread_of_its_own(lane, till):
    """Calls come back with their results, and were done elsewhere."""
    assert await asyncio.gather(*(lane.run(put(n)) for n in range(5))) == [0, 1, 2, 3, 4]
    assert till.ledger == [0, 1, 2, 3, 4]
    assert len(till.threads) == 1
    assert threading.current_thread() not in till.threads


async def test_what_waits_together_is_served_together(lane, till):
    """Calls that arrive while a group is served make the next group."""
    till.is_open.clear()
    first = asyncio.create_task(lane.run(put("first")))
    await until_serving(till)
    others = [asyncio.create_task(lane.run(put(n))) for n in range(7)]
    await asyncio.sleep(0)  # they stand in the lane
    till.is_open.set()

    assert await asyncio.gather(first, *others) == ["first", 0, 1, 2, 3, 4, 5, 6]
    assert till.groups == [1, 7]


async def test_a_call_that_fails_fails_alone(lane):
    """An error goes to the task whose call it was."""

    def fail(ledger):
        raise ValueError("no")

    good, bad = await asyncio.gather(lane.run(put("good")), lane.run(Call(fail)), return_exceptions=True)
    assert good == "good"
    assert isinstance(bad, ValueError)


async def test_takes_back_what_nobody_waits_for(lane, till):
    """A task that is cancelled while its call is served has it undone, and its neighbour has not."""
    till.is_open.clear()
    cancelled, kept = (asyncio.create_task(lane.run(put(item))) for item in ("cancelled", "kept"))
    await until_serving(till)
    cancelled.cancel()
    till.is_open.set()
    await asyncio.gather(cancelled, kept, return_exceptions=True)
    await lane.run(put("last"))

    assert cancelled.cancelled()
    assert "not cancelled" in till.ledger
    assert "not kept" not in till.ledger


async def test_takes_back_what_came_too_late(lane, till):
    """A task that is cancelled after its result came, and before it ran again, has it undone as well."""
    task = asyncio.create_task(lane.run(put("late")))
    settle = lane._settle
    lane._settle = lambda calls: (settle(calls), task.cancel())
    await asyncio.gather(task, return_exceptions=True)
    lane._settle = settle
    await lane.run(put("last"))

    assert task.cancelled()
    assert till.ledger == ["late", "not late", "last"]


def test_takes_back_when_the_loop_is_gone(lane, till):
    """A call whose event loop was closed meanwhile is undone, and the lane serves the next loop."""
    till.is_open.clear()
    loop = asyncio.new_event_loop()
    task = loop.create_task(lane.run(put("orphan")))
    loop.run_until_complete(until_serving(till))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    till.is_open.set()

    asyncio.run(lane.run(put("next")))
    asyncio.run(lane.run(put("last")))
    assert "not orphan" in till.ledger


async def test_serves_what_waits_before_it_closes(till):
    """`close` ends the thread, after the calls that stood in the lane."""
    till.is_open.clear()
    lane = Lane(till.serve, name="till")
    tasks = [asyncio.create_task(lane.run(put(n))) for n in range(3)]
    await until_serving(till)
    till.is_open.set()
    await asyncio.to_thread(lane.close)
    assert await asyncio.gather(*tasks) == [0, 1, 2]
    assert not lane._thread.is_alive()
