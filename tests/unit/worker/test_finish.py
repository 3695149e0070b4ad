"""iraas.worker.finish: answer, then reply, then delete."""

from __future__ import annotations

import pytest

from iraas.errors import BackendUnavailable
from iraas.messages import Failure, Job, Record, Reply, decode, encode
from iraas.queues.port import Message
from iraas.worker.finish import Finished


async def a_job(tier, reply_to: str = "") -> Finished:
    """A received job with its outcome."""
    job = Job(id="0198c6a4-0000-7000-8000-000000000001", owner="ann", reply_to=reply_to, accepted_at=0.0)
    await tier.parts.requests.send([Message(encode(job), id=job.id)])
    [delivery] = await tier.parts.requests.receive(up_to=1, wait=0)
    failure = Failure(id=job.id, slug="undecodable-image", detail="ours")
    return Finished(job, delivery.receipt, Record("ann", failure))


def fail(target, name: str) -> None:
    async def away(*_args, **_kwargs):
        raise BackendUnavailable

    setattr(target, name, away)


async def test_nothing_is_replied_before_the_answer_is_stored(tier):
    """When the put fails, no reply leaves and the message stays."""
    reply_to, own = await tier.parts.responses.open()
    done = await a_job(tier, reply_to)
    fail(tier.parts.results, "put")

    with pytest.raises(BackendUnavailable):
        await tier.finisher.finish([done])
    assert (await own.depth()).visible == 0
    assert (await tier.parts.requests.depth()).in_flight == 1


async def test_nothing_is_deleted_before_the_reply_left(tier):
    """When the reply fails, the answer is stored and the message stays."""
    reply_to, _own = await tier.parts.responses.open()
    done = await a_job(tier, reply_to)
    fail(tier.parts.responses, "send")

    with pytest.raises(BackendUnavailable):
        await tier.finisher.finish([done])
    assert await tier.parts.results.head(done.job.id) is not None
    assert (await tier.parts.requests.depth()).in_flight == 1


async def test_the_first_answer_stays_and_is_what_everyone_gets(tier):
    """Who comes second with another answer replies with the first."""
    reply_to, own = await tier.parts.responses.open()
    done = await a_job(tier, reply_to)
    first = Record("ann", Failure(id=done.job.id, slug="undecodable-image", detail="the first"))
    await tier.parts.results.put(done.job.id, encode(first))

    await tier.finisher.finish([done])

    [delivery] = await own.receive(up_to=1, wait=0)
    assert decode(Reply, delivery.body).record == first
    assert decode(Record, (await tier.parts.results.get(done.job.id)).data) == first


async def test_finishing_twice_changes_nothing(tier):
    """A batch may be finished again after any failure: one answer, no message."""
    done = await a_job(tier)

    await tier.finisher.finish([done])
    await tier.finisher.finish([done])

    assert [info.key async for info in tier.parts.results.list()] == [done.job.id]
    assert sum((await tier.parts.requests.depth())[:2]) == 0


async def test_a_reply_to_that_is_not_ours_costs_the_reply_alone(tier):
    """A job that names a queue outside the deployment is answered in the store, and ended."""
    done = await a_job(tier, reply_to="somebody-elses-queue")

    await tier.finisher.finish([done])

    assert await tier.parts.results.head(done.job.id) is not None
    assert sum((await tier.parts.requests.depth())[:2]) == 0
