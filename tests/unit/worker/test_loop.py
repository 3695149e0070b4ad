"""iraas.worker.loop: jobs in, answers out, and nothing lost on the way."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.conftest import png
from tests.unit.worker.conftest import RED

from iraas.errors import BackendUnavailable
from iraas.messages import Answer, DeadLetter, Failure, Job, Record, Reply, Tombstone, decode, encode
from iraas.queues.port import Message


async def test_every_picture_gets_its_own_answer(tier):
    """Twenty pictures give twenty answers, each for its own picture, and an empty queue."""
    shades = {await tier.post(png((0, shade * 10, 0))): shade for shade in range(20)}

    await tier.work_off(*shades)

    for job_id, shade in shades.items():
        outcome = await tier.outcome(job_id)
        assert isinstance(outcome, Answer)
        assert outcome.label == f"brightness {round(shade * 10 / 3) // 32}"


async def test_the_reply_goes_to_the_process_that_asked(tier):
    """The record comes back over the response queue that the job names, with what it cost."""
    tier.reply_to, own = await tier.parts.responses.open()
    job_id = await tier.post(png())

    await tier.work_off(job_id)

    [delivery] = await own.receive(up_to=10, wait=0)
    reply = decode(Reply, delivery.body)
    assert reply.record.outcome == await tier.outcome(job_id)
    assert reply.busy_ms > 0


async def test_a_bad_picture_fails_alone(tier):
    """A damaged picture in a batch is answered with its failure, its neighbours with their labels."""
    whole = png()
    damaged = whole[:-30] + bytes(10) + whole[-20:]
    ids = [await tier.post(picture) for picture in (whole, damaged, whole)]

    await tier.work_off(*ids)

    outcomes = [await tier.outcome(job_id) for job_id in ids]
    assert [type(outcome) for outcome in outcomes] == [Answer, Failure, Answer]
    assert outcomes[1].slug == "undecodable-image"
    assert outcomes[1].sha256


async def test_a_job_whose_input_is_gone_is_answered(tier):
    """When retention took the picture before a worker came, the job is answered input-expired."""
    job_id = await tier.post(png())
    await tier.parts.inputs.delete(job_id)

    await tier.work_off(job_id)

    assert (await tier.outcome(job_id)).slug == "input-expired"


async def test_a_job_that_was_delivered_before_is_computed_aside(tier):
    """A second delivery may be a killer: it never runs in the worker's own process."""
    job_id = await tier.post(png(), delivered_before=True)

    await tier.work_off(job_id)

    assert isinstance(await tier.outcome(job_id), Answer)
    assert tier.aside.computed == 1


async def test_a_job_that_was_answered_before_is_not_computed_again(tier):
    """A second delivery of an answered job is replied to from the store, and ended."""
    tier.reply_to, own = await tier.parts.responses.open()
    job_id = await tier.post(png(), delivered_before=True)
    first = Record("ann", Failure(id=job_id, slug="undecodable-image", detail="the first answer"))
    await tier.parts.results.put(job_id, encode(first))

    await tier.work_off(job_id)

    [delivery] = await own.receive(up_to=10, wait=0)
    assert decode(Reply, delivery.body).record == first
    assert tier.aside.computed == 0


async def test_a_killer_is_condemned_and_its_neighbours_are_not(tier):
    """A job that ends two children is answered classifier-crashed and recorded; the next in line is computed."""
    killer = await tier.post(RED, delivered_before=True)
    innocent = await tier.post(png(), delivered_before=True)

    await tier.work_off(killer, innocent)

    assert (await tier.outcome(killer)).slug == "classifier-crashed"
    assert isinstance(await tier.outcome(innocent), Answer)
    letters = [info.key async for info in tier.parts.results.list("dead-letters/")]
    assert letters == [f"dead-letters/{killer}"]
    letter = decode(DeadLetter, (await tier.parts.results.get(letters[0])).data)
    assert letter.owner == "ann"
    assert "SIGSEGV" in letter.reason


async def test_healthy_pictures_do_not_queue_behind_suspects(tier):
    """While the quarantine child is busy, the worker answers others."""
    tier.aside.gate.clear()
    suspect = await tier.post(png(), delivered_before=True)
    async with tier.working():
        healthy = await tier.post(png((9, 9, 9)))
        await tier.until(lambda: healthy in tier.parts.results._objects)
        assert await tier.outcome(suspect) is None
        tier.aside.gate.set()
        await tier.until(lambda: suspect in tier.parts.results._objects)


async def test_a_message_that_is_not_ours_is_set_aside(tier):
    """Bytes that are no job go to the dead-letter queue as they are; the next job is answered."""
    await tier.parts.requests.send([Message(b'{"v": 99}'), Message(b"\x00junk")])
    job_id = await tier.post(png())

    await tier.work_off(job_id)

    letters = await tier.parts.dead.receive(up_to=9, wait=0)
    assert sorted(letter.body for letter in letters) == [b"\x00junk", b'{"v": 99}']
    assert tier.parts.counted("iraas_malformed_messages_total") == 2


async def test_a_deleted_picture_leaves_no_trace(tier):
    """A tombstone written while the worker had the picture wins, and the input goes."""
    job_id = await tier.post(png())
    tombstone = Tombstone(id=job_id)
    await tier.parts.results.put(job_id, encode(Record("ann", tombstone)))

    async with tier.working():
        await tier.until(lambda: not tier.parts.requests._entries)

    assert await tier.outcome(job_id) == tombstone
    assert await tier.parts.inputs.head(job_id) is None


async def test_a_store_that_is_away_delays_and_loses_nothing(tier, monkeypatch):
    """While the results store fails, the worker keeps what it holds and finishes when the store is back."""
    monkeypatch.setattr("iraas.worker.patience.PAUSE_SECONDS", (0.0,))
    put, failures = tier.parts.results.put, iter(range(5))

    async def away_at_first(*args, **kwargs):
        if next(failures, None) is not None:
            raise BackendUnavailable
        return await put(*args, **kwargs)

    tier.parts.results.put = away_at_first
    job_id = await tier.post(png())

    await tier.work_off(job_id)

    assert isinstance(await tier.outcome(job_id), Answer)
    assert tier.parts.counted("iraas_backend_retries_total") == 5


async def test_draining_gives_back_what_was_not_begun(tier):
    """On stop, jobs that wait for the quarantine child go back to the queue at once."""
    tier.aside.gate.clear()
    suspects = [await tier.post(png((shade, 0, 0)), delivered_before=True) for shade in range(3)]
    worker = tier.worker()
    running = asyncio.create_task(worker.run())
    await tier.until(lambda: len(worker._suspects._line) == 3)

    worker.stop()
    await tier.until(lambda: sum(not entry.receipt for entry in tier.parts.requests._entries) == 2)
    tier.aside.gate.set()
    await asyncio.wait_for(running, 20)

    answered = [job_id for job_id in suspects if await tier.outcome(job_id) is not None]
    assert answered == suspects[:1]
    assert (await tier.parts.requests.depth()).visible == 2


async def test_an_idle_worker_stops_at_once(tier):
    """A worker that waits for a job does not wait it out when it is told to stop."""
    worker = tier.worker()
    running = asyncio.create_task(worker.run())
    await tier.until(lambda: tier.parts.requests._waiting)

    worker.stop()

    await asyncio.wait_for(running, 5)


async def test_a_worker_that_retires_finishes_all_that_it_holds(tier):
    """Nothing is given back, not even what waits for the quarantine child, and nothing more is received."""
    tier.aside.gate.clear()
    suspects = [await tier.post(png((shade, 0, 0)), delivered_before=True) for shade in range(3)]
    worker = tier.worker()
    running = asyncio.create_task(worker.run())
    await tier.until(lambda: len(worker._suspects._line) == 3)

    worker.retire()
    late = await tier.post(png((9, 9, 9)))
    tier.aside.gate.set()
    await asyncio.wait_for(running, 20)

    assert None not in [await tier.outcome(job_id) for job_id in suspects]
    assert await tier.outcome(late) is None
    assert (await tier.parts.requests.depth())[:2] == (1, 0)
    assert tier.parts.counted("iraas_redeliveries_total") == 3  # as they came; not one more


async def test_an_idle_worker_retires_at_once(tier):
    """It does not wait for a job to end with."""
    worker = tier.worker()
    running = asyncio.create_task(worker.run())
    await tier.until(lambda: tier.parts.requests._waiting)

    worker.retire()

    await asyncio.wait_for(running, 5)


async def test_each_picture_is_reported_once(tier):
    """How many were ended, and how busy they kept the worker; one from quarantine says nothing of that."""
    reports: list[tuple[int, float]] = []
    aside = await tier.post(png((0, 99, 0)), delivered_before=True)  # first: it takes all that wait with it
    healthy = [await tier.post(png((0, shade, 0))) for shade in range(5)]
    worker = tier.worker(report=lambda pictures, seconds: reports.append((pictures, seconds)))
    running = asyncio.create_task(worker.run())
    await tier.until(lambda: sum(pictures for pictures, _ in reports) >= 6)

    worker.stop()
    await asyncio.wait_for(running, 20)

    assert None not in [await tier.outcome(job_id) for job_id in (*healthy, aside)]
    assert sum(pictures for pictures, _ in reports) == 6
    assert [pictures for pictures, seconds in reports if seconds == 0] == [1]


async def test_a_repeated_job_is_treated_as_delivered_before(tier):
    """A job that was sent again may be one whose message a crash took: it is computed aside."""
    job_id = await tier.post(png())
    [lost] = await tier.parts.requests.receive(up_to=1, wait=0)
    await tier.parts.requests.delete([lost.receipt])
    again = Job(id=job_id, owner="ann", reply_to="", accepted_at=0.0, repeat=True)
    await tier.parts.requests.send([Message(encode(again), id=job_id)])

    await tier.work_off(job_id)

    assert tier.aside.computed == 1


@pytest.mark.parametrize("broken", ["decode", "infer"])
async def test_an_unforeseen_error_sends_the_picture_aside(tier, broken):
    """When decoder or model raise what nobody foresaw, the worker lives and the picture is computed aside."""
    original = getattr(tier.classifier, broken)
    failures = iter(range(1))

    def fails_once(argument):
        if next(failures, None) is not None:
            raise RuntimeError("nobody foresaw this")
        return original(argument)

    setattr(tier.classifier, broken, fails_once)
    ids = [await tier.post(png((shade, 0, 0))) for shade in range(2)]

    await tier.work_off(*ids)

    assert all([isinstance(await tier.outcome(job_id), Answer) for job_id in ids])
    assert tier.aside.computed >= 1
