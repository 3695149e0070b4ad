"""Calls that come close together share deliveries, and each hears only of its own items."""

import asyncio

import pytest

from iraas.queues.coalesce import Coalescer

LONG = 60.0  # seconds; no test waits for it


class Backend:
    """Takes batches down, holds them until it is let go, and fails the items that it is told to."""

    def __init__(self):
        self.batches = []
        self.errors = {}
        self.open = asyncio.Event()
        self.open.set()
        self.came = asyncio.Event()

    async def deliver(self, items):
        """What became of each."""
        self.batches.append(list(items))
        self.came.set()
        await self.open.wait()
        return [self.errors.get(item) for item in items]

    def coalescer(self, **options):
        """Batches of three that wait for ever, unless told otherwise."""
        return Coalescer(self.deliver, **{"max_items": 3, "linger": LONG, **options})


async def some_turns():
    """What is ready runs."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def backend():
    """One that delivers."""
    return Backend()


async def test_a_full_batch_leaves_at_once(backend):
    """Items of several calls make a batch, and nobody waits when it is full."""
    coalescer = backend.coalescer()
    await asyncio.gather(coalescer.add(["a"]), coalescer.add(["b"]), coalescer.add(["c"]))
    assert backend.batches == [["a", "b", "c"]]


async def test_what_is_not_full_leaves_after_a_while(backend):
    """A lonely item waits no longer than it was told to linger."""
    coalescer = backend.coalescer(linger=0.001)
    await coalescer.add(["a"])
    assert backend.batches == [["a"]]
    assert coalescer.idle


async def test_a_large_call_makes_several_batches(backend):
    """A call returns when all of its batches are delivered."""
    coalescer = backend.coalescer(linger=0.001)
    await coalescer.add(list("abcdefgh"))
    assert sorted(backend.batches) == [["a", "b", "c"], ["d", "e", "f"], ["g", "h"]]


async def test_batches_keep_to_their_weight(backend):
    """An item that would make a batch too heavy opens the next one."""
    coalescer = backend.coalescer(linger=0.001, max_weight=10)
    await coalescer.add(["a", "b", "c", "d"], weights=[6, 4, 1, 9])
    assert sorted(backend.batches) == [["a", "b"], ["c", "d"]]


async def test_each_call_hears_of_its_own_items(backend):
    """An item's error reaches its caller, and no neighbour in the batch."""
    coalescer = backend.coalescer()
    backend.errors["b"] = ValueError("b is wrong")
    heard = await asyncio.gather(
        coalescer.add(["a"]), coalescer.add(["b"]), coalescer.add(["c"]), return_exceptions=True
    )
    assert heard == [None, backend.errors["b"], None]


async def test_a_call_hears_the_first_error_when_all_is_over(backend):
    """A call with an error still waits for its other items."""
    coalescer = backend.coalescer(max_items=1)
    backend.errors.update(a=ValueError("a"), c=ValueError("c"))
    with pytest.raises(ValueError, match="a"):
        await coalescer.add(["a", "b", "c"])
    assert backend.batches == [["a"], ["b"], ["c"]]


async def test_a_delivery_that_raises_is_heard_by_all():
    """When the delivery fails as a whole, every caller hears it."""

    async def fail(items):
        raise OSError("no way there")

    coalescer = Coalescer(fail, max_items=2, linger=LONG)
    heard = await asyncio.gather(coalescer.add(["a"]), coalescer.add(["b"]), return_exceptions=True)
    assert [str(error) for error in heard] == ["no way there"] * 2


async def test_a_delivery_that_forgets_an_item_leaves_nobody_waiting():
    """An outcome too few is an error of all, not silence."""

    async def forget(items):
        return [None]

    with pytest.raises(ValueError, match="shorter"):
        await Coalescer(forget, max_items=2, linger=LONG).add(["a", "b"])


async def test_what_waits_for_its_turn_goes_on_to_grow(backend):
    """While as many deliveries are under way as may be, items gather instead of leaving in small batches."""
    coalescer = backend.coalescer(linger=0.0, at_once=1)
    backend.open.clear()
    calls = [asyncio.create_task(coalescer.add(["first"]))]
    await backend.came.wait()
    for name in "abcd":
        calls.append(asyncio.create_task(coalescer.add([name])))
        await some_turns()  # its lingering is over, and there is no way out
    assert backend.batches == [["first"]]

    backend.open.set()
    await asyncio.gather(*calls)
    assert backend.batches == [["first"], ["a", "b", "c"], ["d"]]


async def test_several_batches_may_be_under_way(backend):
    """A slow delivery does not hold up the next one."""
    coalescer = backend.coalescer(at_once=2)
    backend.open.clear()
    calls = [asyncio.create_task(coalescer.add(list(three))) for three in ("abc", "def", "ghi")]
    await some_turns()
    assert backend.batches == [["a", "b", "c"], ["d", "e", "f"]]

    backend.open.set()
    await asyncio.gather(*calls)
    assert len(backend.batches) == 3


async def test_drain_delivers_what_lingers(backend):
    """Whoever closes does not wait for the lingering, and returns when the last delivery is over."""
    coalescer = backend.coalescer()
    call = asyncio.create_task(coalescer.add(["a"]))
    await asyncio.sleep(0)
    assert backend.batches == []

    await coalescer.drain()
    assert backend.batches == [["a"]]
    assert coalescer.idle
    await call


async def test_drain_leaves_errors_to_their_callers(backend):
    """A failed delivery is its caller's matter, not that of whoever closes."""
    coalescer = backend.coalescer()
    backend.errors["a"] = ValueError("a")
    call = asyncio.create_task(coalescer.add(["a"]))
    await asyncio.sleep(0)
    await coalescer.drain()
    with pytest.raises(ValueError, match="a"):
        await call


async def test_a_cancelled_caller_takes_nothing_back(backend):
    """What was added is delivered, and the neighbours in the batch are not touched."""
    coalescer = backend.coalescer()
    gone, stays = (asyncio.create_task(coalescer.add([name])) for name in "ab")
    await asyncio.sleep(0)
    gone.cancel()
    await coalescer.add(["c"])
    await stays
    assert backend.batches == [["a", "b", "c"]]
    assert gone.cancelled()


async def test_nothing_is_delivered_for_nothing(backend):
    """An empty call returns at once."""
    coalescer = backend.coalescer()
    await coalescer.add([])
    await coalescer.drain()
    assert backend.batches == []


async def test_who_comes_alone_does_not_wait_for_company(backend):
    """An item that nobody preceded leaves at once, with those that came in the same moment; the next one waits."""
    coalescer = backend.coalescer(alone_at_once=True)
    await asyncio.gather(coalescer.add(["a"]), coalescer.add(["b"]))
    assert backend.batches == [["a", "b"]]

    second = asyncio.create_task(coalescer.add(["c"]))
    await some_turns()
    assert backend.batches == [["a", "b"]]
    await coalescer.drain()
    await second
    assert backend.batches[1:] == [["c"]]
