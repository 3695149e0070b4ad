"""iraas.intake.submit: the object before the message, and one answer for one key."""

from __future__ import annotations

import uuid

import pytest
from tests.unit.conftest import Parts, png

from iraas.errors import Deleted, IdempotencyMismatch, InvalidRequest, OutOfRoom, UnsupportedMediaType
from iraas.intake.submit import Submission, keyed_id, new_id
from iraas.messages import Failure, InputFacts, Job, Record, Tombstone, decode, encode

KEY = "a key of sixteen or more"


async def submit(parts: Parts, submission: Submission) -> str:
    intake = parts.intake()
    job_id = intake.identify(submission)
    await intake.submit(job_id, submission, reply_to="responses-here")
    return job_id


async def test_stores_the_picture_then_sends_its_job(parts):
    """An accepted picture lies in the input store with its facts, and one job names it."""
    job_id = await submit(parts, Submission(png(), "ann", "../kätzchen.png"))

    blob = await parts.inputs.get(job_id)
    [delivery] = await parts.requests.receive(up_to=10, wait=0)
    job = decode(Job, delivery.body)
    facts = InputFacts.of(blob.info.metadata)
    assert blob.data == png()
    assert (facts.owner, facts.filename, facts.image.width) == ("ann", "../kätzchen.png", 24)
    assert (job.id, job.owner, job.reply_to, job.repeat) == (job_id, "ann", "responses-here", False)
    assert all(value.isascii() for value in blob.info.metadata.values())


async def test_a_refused_picture_leaves_nothing_behind(parts):
    """What the header inspector refuses is neither stored nor queued."""
    with pytest.raises(UnsupportedMediaType):
        await submit(parts, Submission(b"<svg/>", "ann"))

    assert [info async for info in parts.inputs.list()] == []
    assert (await parts.requests.depth()).visible == 0


async def test_no_message_without_its_object(parts):
    """When the put fails, no job is sent."""

    async def full(*_args, **_kwargs):
        raise OutOfRoom

    parts.inputs.put = full
    with pytest.raises(OutOfRoom):
        await submit(parts, Submission(png(), "ann"))
    assert (await parts.requests.depth()).visible == 0


async def test_the_same_key_and_bytes_are_one_job(parts):
    """A repeated post with the same key has the same id, and lives in the queue once."""
    submission = Submission(png(), "ann", None, KEY)

    assert await submit(parts, submission) == await submit(parts, submission)
    assert (await parts.requests.depth()).visible == 1


async def test_the_same_key_with_other_bytes_is_refused(parts):
    """The loser of a put compares SHA-256."""
    await submit(parts, Submission(png(), "ann", None, KEY))

    with pytest.raises(IdempotencyMismatch):
        await submit(parts, Submission(png((1, 2, 3)), "ann", None, KEY))


async def test_the_check_of_a_key_outlives_the_input(parts):
    """When retention took the input, the answer still tells other bytes from the same."""
    first = Submission(png(), "ann", None, KEY)
    job_id = await submit(parts, first)
    facts = InputFacts.of((await parts.inputs.head(job_id)).metadata)
    failure = Failure(id=job_id, slug="undecodable-image", detail="", sha256=facts.image.sha256)
    await parts.results.put(job_id, encode(Record("ann", failure)))
    await parts.inputs.delete(job_id)

    accepted = await parts.intake().submit(job_id, first, reply_to="")
    assert accepted.record is not None
    with pytest.raises(IdempotencyMismatch):
        await submit(parts, Submission(png((1, 2, 3)), "ann", None, KEY))


async def test_the_key_of_a_deleted_picture_is_gone(parts):
    """After a delete the same key says so, and the picture is not stored again."""
    job_id = await submit(parts, Submission(png(), "ann", None, KEY))
    await parts.results.put(job_id, encode(Record("ann", Tombstone(id=job_id))))
    await parts.inputs.delete(job_id)

    with pytest.raises(Deleted):
        await submit(parts, Submission(png(), "ann", None, KEY))
    assert await parts.inputs.head(job_id) is None


async def test_a_post_whose_send_failed_sends_again_when_repeated(parts):
    """Put succeeded, send failed: the repeated post finds its input, and its job is treated as delivered before."""
    submission = Submission(png(), "ann", None, KEY)
    await submit(parts, submission)
    [lost] = await parts.requests.receive(up_to=1, wait=0)
    await parts.requests.delete([lost.receipt])

    await submit(parts, submission)

    [again] = await parts.requests.receive(up_to=1, wait=0)
    assert decode(Job, again.body).repeat


def test_ids_are_uuids_of_their_versions():
    """Without a key an id is a UUIDv7; with one, a UUIDv8 with the RFC's variant."""
    keyed = uuid.UUID(keyed_id("ann", KEY))

    assert uuid.UUID(new_id()).version == 7
    assert (keyed.version, keyed.variant) == (8, uuid.RFC_4122)
    assert new_id() < new_id()


def test_no_owner_reaches_another_by_a_key():
    """The same key of two owners gives two ids, also when their names run together alike."""
    assert keyed_id("ann", KEY) != keyed_id("bob", KEY)
    assert keyed_id("an", "n" + KEY) != keyed_id("ann", KEY)


@pytest.mark.parametrize("key", ["short", "x" * 256, "ümlaut and sixteen", "line\nbreak and sixteen"])
def test_a_bad_key_is_refused(key):
    """A key is 16 to 255 printable ASCII characters."""
    with pytest.raises(InvalidRequest):
        keyed_id("ann", key)


@pytest.mark.parametrize("name", ["x" * 5000, "ж" * 300, "a" * 254 + "ж"])
def test_a_long_file_name_is_cut_between_characters(name):
    """A name is cut to 255 bytes, never inside a character, and what remains comes back whole."""
    facts = InputFacts.of({**_facts(name).metadata()})

    assert len(facts.filename.encode()) <= 255
    assert name.startswith(facts.filename)


def _facts(name: str) -> InputFacts:
    from iraas.messages import ImageFacts

    return InputFacts("ann", ImageFacts("png", 1, 1, "00"), 0.0, name)
