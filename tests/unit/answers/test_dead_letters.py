"""iraas.answers.dead_letters: every dead letter is answered, recorded, and can be sent again."""

from __future__ import annotations

import pytest
from tests.unit.conftest import Parts, png

from iraas.answers.dead_letters import DeadLetters
from iraas.errors import BackendUnavailable, NotFound
from iraas.intake.submit import Submission
from iraas.messages import (
    MAX_DEAD_BODY_BYTES,
    MAX_REASON_CHARACTERS,
    DeadLetter,
    Failure,
    Job,
    Record,
    Reply,
    Tombstone,
    decode,
    encode,
)
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


LATER = b'{"id":"0198c6a4-0000-7000-8000-000000000002","owner":"ann","reply_to":"","accepted_at":1.0,"v":2}'


async def all_of(letters: DeadLetters) -> list[DeadLetter]:
    return [letter async for letter in letters.list()]


@pytest.mark.parametrize("body", [LATER, b"\xff\0 no text at all", b"{" * MAX_DEAD_BODY_BYTES])
async def test_a_message_that_is_no_job_is_kept_whole_and_sent_again_as_it_was(letters, parts, body):
    """After an upgrade it may be readable: redrive sends exactly what came, and removes the record."""
    await parts.dead.send([Message(body)])
    await letters.collect()
    [letter] = await all_of(letters)
    assert letter.id.startswith("malformed-")
    assert len(letter.reason) <= MAX_REASON_CHARACTERS

    await letters.redrive(letter.id)

    [delivery] = await parts.requests.receive(up_to=2, wait=0)
    assert delivery.body == body
    assert await all_of(letters) == []
    assert [info async for info in parts.results.list("superseded/")] == []
    with pytest.raises(NotFound, match="no dead letter"):
        await letters.redrive(letter.id)


async def test_a_body_too_large_to_be_a_job_is_not_kept(letters, parts):
    """The record says that it was there, and redrive says why it cannot be sent."""
    await parts.dead.send([Message(bytes(MAX_DEAD_BODY_BYTES + 1))])
    await letters.collect()
    [letter] = await all_of(letters)

    with pytest.raises(NotFound, match="was not kept"):
        await letters.redrive(letter.id)
    assert await all_of(letters) == [letter]


async def test_a_message_that_still_cannot_be_read_comes_back(letters, parts):
    """A redrive too early loses nothing, whatever comes first: the worker's refusal or the redrive's end."""
    await parts.dead.send([Message(LATER)])
    await letters.collect()
    [letter] = await all_of(letters)
    send = parts.requests.send

    async def refused_at_once(messages):
        await send(messages)
        [delivery] = await parts.requests.receive(up_to=1, wait=0)
        await parts.dead.send([Message(delivery.body)])
        await parts.requests.delete([delivery.receipt])
        await letters.collect()

    parts.requests.send = refused_at_once
    await letters.redrive(letter.id)

    assert await all_of(letters) == [letter]


async def test_a_redrive_that_died_half_way_can_be_made_again(letters, parts):
    """When the queue is away, what was moved aside is not forgotten."""
    await parts.dead.send([Message(LATER)])
    await letters.collect()
    [letter] = await all_of(letters)
    send = parts.requests.send

    async def away(_):
        raise BackendUnavailable("the queue is away")

    parts.requests.send = away
    with pytest.raises(BackendUnavailable):
        await letters.redrive(letter.id)
    parts.requests.send = send
    await letters.redrive(letter.id)

    assert (await parts.requests.depth()).visible == 1


async def test_a_redrive_that_died_before_it_took_the_failure_away_can_be_made_again(letters, parts):
    """A condemned answer is enough to be redriven, also when its record went."""
    job_id = await dead_job(parts)
    await letters.collect()
    await parts.results.delete(f"dead-letters/{job_id}")

    await letters.redrive(job_id)

    assert (await parts.requests.depth()).visible == 1
    assert await parts.results.head(job_id) is None


async def test_an_answer_of_a_later_version_stops_nobody(letters, parts):
    """It is an answer: the message goes, no dead letter is made, and the next is collected."""
    answered, condemned = await dead_job(parts), await dead_job(parts)
    later = b'{"owner":"ann","outcome":{"state":"failed","id":"x","slug":"s","detail":"d"},"v":2}'
    await parts.results.put(answered, later)

    assert await letters.collect() == 2

    assert (await parts.results.get(answered)).data == later
    assert [letter.id for letter in await all_of(letters)] == [condemned]
    assert sum((await parts.dead.depth())[:2]) == 0


@pytest.mark.parametrize("record", [b'{"id":"x","owner":"","reason":"","at":1,"v":2}', b"\0junk"])
async def test_a_record_of_a_later_version_is_listed_with_what_is_known(letters, parts, record):
    """Its id and its time; that it cannot be read is its reason."""
    await parts.results.put("dead-letters/0198c6a4", record)
    await parts.dead.send([Message(b"junk")])
    await letters.collect()

    found = {letter.id: letter for letter in await all_of(letters)}

    assert len(found) == 2
    assert found["0198c6a4"].at == parts.clock.time()
    assert "DeadLetter" in found["0198c6a4"].reason


async def test_a_deleted_picture_is_no_dead_letter(letters, parts):
    """Its job may die after the tombstone: that stays, and nobody is bothered with it."""
    job_id = await dead_job(parts)
    await parts.results.put(job_id, encode(Record("ann", Tombstone(id=job_id))))

    assert await letters.collect() == 1

    assert decode(Record, (await parts.results.get(job_id)).data).outcome == Tombstone(id=job_id)
    assert await all_of(letters) == []


async def test_an_answered_letter_leaves_the_list_with_its_redrive(letters, parts):
    """A record whose job was answered after all would otherwise be redriven for ever."""
    job_id = await dead_job(parts)
    await parts.results.put(job_id, encode(Record("ann", Failure(job_id, "undecodable-image", "first"))))
    await parts.results.put(f"dead-letters/{job_id}", encode(DeadLetter(job_id, "ann", "stale", 0.0)))

    await letters.redrive(job_id)

    assert await all_of(letters) == []
