"""iraas.worker.supply and outbox: on a network the computation waits for nothing, and holds a bounded number."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.conftest import Parts, png
from tests.unit.worker.conftest import Tier

from iraas.errors import BackendUnavailable
from iraas.worker.outbox import BATCHES, Outbox
from iraas.worker.supply import Ahead


@pytest.fixture
def tier() -> Tier:
    """A worker as on a network."""
    return Tier(Parts(at_once=32))


async def settle() -> None:
    """Let every task do what it can do without waiting."""
    for _ in range(50):
        await asyncio.sleep(0)


async def started(tier: Tier, pictures: int) -> Ahead:
    """A worker's supply with so many jobs in the queue; nobody computes."""
    for number in range(pictures):
        await tier.post(png((0, number % 256, 0)))
    supply = tier.worker()._supply
    assert isinstance(supply, Ahead)
    supply.start()
    await settle()
    return supply


def held_back(tier: Tier) -> asyncio.Event:
    """The results store takes nothing until this event is set."""
    gate = asyncio.Event()
    put = tier.parts.results.put

    async def slow(*args, **kwargs):
        await gate.wait()
        return await put(*args, **kwargs)

    tier.parts.results.put = slow
    return gate


async def test_pictures_are_here_before_they_are_asked_for(tier):
    """Bytes are fetched ahead, up to a bound, and the rest stays in the queue for others."""
    supply = await started(tier, 50)

    assert supply.held == Ahead.MOST
    assert (await tier.parts.requests.depth())[:2] == (50 - Ahead.MOST, Ahead.MOST)
    await supply.close()


async def test_a_slow_model_holds_little(tier):
    """What takes half a second each is not piled up: two are in hand, the rest is for other workers."""
    supply = tier.worker()._supply
    supply.seconds_each = 0.5
    for number in range(9):
        await tier.post(png((0, number, 0)))
    supply.start()
    await settle()

    assert supply.held == 2
    await supply.close()


@pytest.mark.parametrize(("seconds_each", "held"), [(0.0, 1), (0.012, 8), (0.05, 4), (0.25, 1)])
async def test_on_one_machine_a_slow_model_receives_little(seconds_each, held):
    """What waits in a worker's hand waits while another one is idle: at most a fifth of a second of work."""
    tier = Tier(Parts())
    supply = tier.worker()._supply
    supply.seconds_each = seconds_each
    for number in range(9):
        await tier.post(png((0, number, 0)))
    await supply.ready()

    assert supply.held == held
    assert (await tier.parts.requests.depth()).visible == 9 - held


async def test_gets_run_side_by_side(tier):
    """One picture that is slow to come does not keep the others."""
    gate = asyncio.Event()
    first = await tier.post(png())
    get = tier.parts.inputs.get

    async def slow_for_the_first(key):
        if key == first:
            await gate.wait()
        return await get(key)

    tier.parts.inputs.get = slow_for_the_first
    supply = await started(tier, 3)
    assert supply.held == 3
    gate.set()
    await settle()
    assert supply.held == 4
    await supply.close()


async def test_an_error_of_the_supply_ends_the_worker(tier):
    """A worker whose receiving failed in a way that nobody foresaw says so, and does not wait for ever."""

    async def broken(*, up_to, wait):
        raise RuntimeError("unforeseen")

    tier.parts.requests.receive = broken
    with pytest.raises(RuntimeError, match="unforeseen"):
        await asyncio.wait_for(tier.worker().run(), 10)


async def test_a_batch_leaves_while_the_next_is_computed(tier):
    """Storing answers does not keep the next picture waiting, and a bounded number of batches is on its way."""
    gate = held_back(tier)
    ids = [await tier.post(png((0, number, 0))) for number in range(120)]
    async with tier.working() as worker:
        await tier.until(lambda: len(worker._outbox._leaving) == BATCHES)
        await settle()
        assert len(worker._outbox._leaving) == BATCHES
        assert await tier.outcome(ids[0]) is None
        gate.set()
        await tier.until(lambda: not tier.parts.requests._entries)
    for job_id in ids:
        assert await tier.outcome(job_id) is not None


async def test_a_drain_ends_what_was_begun_and_gives_back_the_rest(tier):
    """After `stop` computed batches still leave, what was only fetched is visible again, and nothing is lost."""
    gate = held_back(tier)
    ids = [await tier.post(png((0, number, 0))) for number in range(120)]
    worker = tier.worker()
    running = asyncio.create_task(worker.run())
    await tier.until(lambda: len(worker._outbox._leaving) == BATCHES)
    worker.stop()
    await settle()
    gate.set()
    await asyncio.wait_for(running, 20)

    answered = [job_id for job_id in ids if await tier.outcome(job_id) is not None]
    assert len(answered) >= BATCHES
    assert (await tier.parts.requests.depth())[:2] == (120 - len(answered), 0)


async def test_an_error_on_the_way_out_is_not_swallowed():
    """What ends a batch in the background is raised by the next one."""

    async def broken(batch):
        raise RuntimeError("unforeseen")

    outbox = Outbox(broken, at_once=8)
    await outbox.put([])
    await settle()
    with pytest.raises(RuntimeError, match="unforeseen"):
        await outbox.put([])
    with pytest.raises(RuntimeError, match="unforeseen"):
        await outbox.close(1)


async def test_a_batch_that_cannot_leave_in_time_is_given_up():
    """A drain is bounded: what no store takes comes again by its lease."""

    async def stuck(batch):
        await asyncio.Event().wait()

    outbox = Outbox(stuck, at_once=8)
    await outbox.put([])
    await asyncio.wait_for(outbox.close(0.01), 5)
    assert not outbox.receipts


async def test_a_store_that_fails_meanwhile_is_waited_for(tier, monkeypatch):
    """Background or not, a batch is finished when the store is back."""
    monkeypatch.setattr("iraas.worker.patience.PAUSE_SECONDS", (0.0,))
    put, failures = tier.parts.results.put, iter(range(7))

    async def away_at_first(*args, **kwargs):
        if next(failures, None) is not None:
            raise BackendUnavailable("away")
        return await put(*args, **kwargs)

    tier.parts.results.put = away_at_first
    ids = [await tier.post(png((0, number, 0))) for number in range(12)]
    await tier.work_off(*ids)
    for job_id in ids:
        assert await tier.outcome(job_id) is not None
