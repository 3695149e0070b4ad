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
