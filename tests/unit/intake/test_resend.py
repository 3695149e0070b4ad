"""iraas.intake.resend: what the queue lost, the stores still know."""

from __future__ import annotations

import pytest
from tests.unit.conftest import Parts, png

from iraas.intake.resend import Resend
from iraas.intake.submit import Submission
from iraas.messages import Failure, Job, Record, decode, encode


@pytest.fixture
def resend(parts: Parts) -> Resend:
    """The sweep over the parts."""
    return Resend(
        inputs=parts.inputs,
        results=parts.results,
        requests=parts.requests,
        clock=parts.clock,
        telemetry=parts.telemetry,
    )


async def accepted(parts: Parts, *, lose_message: bool = True) -> str:
    """An accepted picture whose message the machine forgot."""
    intake = parts.intake()
    submission = Submission(png(), "ann")
    job_id = intake.identify(submission)
    await intake.submit(job_id, submission, reply_to="")
    if lose_message:
        lost = await parts.requests.receive(up_to=100, wait=0)
        await parts.requests.delete([delivery.receipt for delivery in lost])
    return job_id


async def test_sends_a_lost_job_again(resend, parts):
    """An input without an answer and without a message gets its job again, marked as repeated."""
    job_id = await accepted(parts)

    assert await resend.sweep(youngest=0) == 1

    [delivery] = await parts.requests.receive(up_to=1, wait=0)
    job = decode(Job, delivery.body)
    assert (job.id, job.owner, job.repeat) == (job_id, "ann", True)


async def test_an_answered_input_is_left_alone(resend, parts):
    """An answer means done."""
    job_id = await accepted(parts)
    failure = Failure(id=job_id, slug="undecodable-image", detail="")
    await parts.results.put(job_id, encode(Record("ann", failure)))

    assert await resend.sweep(youngest=0) == 0


async def test_a_living_message_is_not_doubled(resend, parts):
    """The queue drops a second message of a job that is still in it."""
    await accepted(parts, lose_message=False)

    await resend.sweep(youngest=0)

    assert (await parts.requests.depth()).visible == 1


async def test_a_young_input_may_be_between_put_and_send(resend, parts):
    """What was put a moment ago is left to whoever is sending it."""
    await accepted(parts)

    assert await resend.sweep(youngest=60) == 0
    parts.clock.advance(61)
    assert await resend.sweep(youngest=60) == 1


async def test_a_full_store_costs_no_call_for_what_is_answered(resend, parts):
    """Only the lists are read, and the two calls that confirm a missing answer."""
    for _ in range(20):
        job_id = await accepted(parts)
        await parts.results.put(job_id, encode(Record("ann", Failure(job_id, "undecodable-image", ""))))
    lost = await accepted(parts)
    asked = []
    for blobs in (parts.inputs, parts.results):
        blobs.head = lambda key, head=blobs.head: asked.append(key) or head(key)

    assert await resend.sweep(youngest=0) == 1
    assert asked == [lost, lost]


async def test_sends_as_many_at_a_time_as_the_queue_takes(resend, parts):
    """A call carries `max_batch` messages, and the last one the rest."""
    lost = {await accepted(parts) for _ in range(23)}
    parts.requests.max_batch = 10
    send, sizes = parts.requests.send, []
    parts.requests.send = lambda messages: sizes.append(len(messages)) or send(messages)

    assert await resend.sweep(youngest=0) == 23

    assert sizes == [10, 10, 3]
    assert {decode(Job, entry.message.body).id for entry in parts.requests._entries} == lost
    assert parts.counted("iraas_resent_total") == 23


async def test_somebody_elses_object_stops_nobody(resend, parts):
    """An object without our metadata is passed over, and what comes after it is sent."""
    for key in ("00000000-0000-7000-8000-000000000000", "a-probe"):
        await parts.inputs.put(key, b"by hand")
    await accepted(parts)

    assert await resend.sweep(youngest=0) == 1
