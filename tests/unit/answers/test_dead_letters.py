"""iraas.answers.dead_letters: every dead letter is answered, recorded, and can be sent again."""

from __future__ import annotations

import pytest
from tests.unit.conftest import Parts, png

from iraas.answers.dead_letters import DeadLetters
from iraas.errors import NotFound
from iraas.intake.submit import Submission
from iraas.messages import Failure, Job, Record, Reply, decode, encode
from iraas.queues.port import Message


@pytest.fixture
def letters(parts: Parts) -> DeadLetters:
    """Dead letters over the parts."""
    return DeadLetters(
        queue=parts.dead,
        requests=parts.requests,
        responses=parts.responses,
        inputs=parts.inputs,
        results=parts.results,
        clock=parts.clock,
    )


async def dead_job(parts: Parts) -> str:
    """A job that was delivered more often than the queue allows."""
    intake = parts.intake()
    submission = Submission(png(), "ann")
    job_id = intake.identify(submission)
    await intake.submit(job_id, submission, reply_to=(await parts.responses.open())[0])
    for _ in range(21):
        for delivery in await parts.requests.receive(up_to=1, wait=0):
            await parts.requests.release([delivery.receipt])
    return job_id


async def test_a_dead_letter_is_answered_recorded_and_deleted(letters, parts):
    """What arrives in the dead-letter queue gets its one answer, and a record for people."""
    job_id = await dead_job(parts)

    assert await letters.collect() == 1

    record = decode(Record, (await parts.results.get(job_id)).data)
    assert record.outcome.slug == "classifier-crashed"
    assert [letter.id async for letter in letters.list()] == [job_id]
    assert sum((await parts.dead.depth())[:2]) == 0


async def test_the_waiting_client_is_told(letters, parts):
    """The failure goes to the process that asked."""
    name, own = await parts.responses.open()
    job = Job(id="0198c6a4-0000-7000-8000-000000000001", owner="ann", reply_to=name, accepted_at=0.0)
    await parts.dead.send([Message(encode(job))])

    await letters.collect()

    [delivery] = await own.receive(up_to=1, wait=0)
    assert decode(Reply, delivery.body).record.outcome.slug == "classifier-crashed"


async def test_a_job_that_was_answered_after_all_is_no_dead_letter(letters, parts):
    """An answer that is there stays, and nothing is recorded."""
    job_id = await dead_job(parts)
    answer = Record("ann", Failure(id=job_id, slug="undecodable-image", detail="first"))
    await parts.results.put(job_id, encode(answer))

    await letters.collect()

    assert decode(Record, (await parts.results.get(job_id)).data) == answer
    assert [letter async for letter in letters.list()] == []


async def test_a_message_that_is_no_job_is_recorded(letters, parts):
    """Junk in the dead-letter queue does not stop the collection."""
    await parts.dead.send([Message(b"junk")])
    job_id = await dead_job(parts)

    assert await letters.collect() == 2
    ids = {letter.id async for letter in letters.list()}
    assert job_id in ids
    assert any(letter.startswith("malformed-") for letter in ids)


async def test_redrive_moves_the_failure_aside_and_sends_the_job_again(letters, parts):
    """Only a redrive replaces an answer, and the failure is kept under superseded/."""
    job_id = await dead_job(parts)
    await letters.collect()

    await letters.redrive(job_id)

    [delivery] = await parts.requests.receive(up_to=1, wait=0)
    job = decode(Job, delivery.body)
    assert (job.id, job.owner, job.repeat) == (job_id, "ann", True)
    assert await parts.results.head(job_id) is None
    assert len([info async for info in parts.results.list("superseded/")]) == 1
    assert [letter async for letter in letters.list()] == []


async def test_redrive_names_what_is_missing(letters, parts):
    """An unknown id, or one whose image is gone, is refused in words and nothing changes."""
    job_id = await dead_job(parts)
    await letters.collect()
    await parts.inputs.delete(job_id)

    with pytest.raises(NotFound, match="no dead letter"):
        await letters.redrive("0198c6a4-0000-7000-8000-00000000ffff")
    with pytest.raises(NotFound, match="no longer stored"):
        await letters.redrive(job_id)
    assert isinstance(decode(Record, (await parts.results.get(job_id)).data).outcome, Failure)
