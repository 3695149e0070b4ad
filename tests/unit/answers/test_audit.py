"""iraas.answers.audit: every count, and what comes and goes while it reads."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from tests.unit.conftest import Parts, png

from iraas.answers.audit import MAX_FAILURE_BYTES, MAX_LISTED, Audit, Auditor
from iraas.errors import BackendUnavailable, IraasError, error_for
from iraas.intake.resend import Resend
from iraas.intake.submit import Submission
from iraas.messages import (
    Answer,
    DeadLetter,
    Failure,
    ImageFacts,
    Job,
    Prediction,
    Record,
    Timing,
    Tombstone,
    decode,
    encode,
)
from iraas.models.catalog import find_model
from iraas.queues.port import Message
from iraas.worker.outcome import failure

AGE = 900.0  # seconds
VISIBILITY = 30.0  # seconds, of the queues in memory


@pytest.fixture
def auditor(parts: Parts) -> Auditor:
    """An auditor of the parts."""
    return auditor_of(parts)


def auditor_of(parts: Parts, **replaced) -> Auditor:
    stores = {"inputs": parts.inputs, "results": parts.results, **replaced}
    return Auditor(requests=parts.requests, dead_letters=parts.dead, clock=parts.clock, **stores)


async def accepted(parts: Parts) -> str:
    """A picture on its way: stored, and its job queued."""
    submission = Submission(png(), "ann")
    job_id = parts.intake().identify(submission)
    await parts.intake().submit(job_id, submission, reply_to="")
    return job_id


async def lose_jobs(parts: Parts) -> None:
    """The queue forgets everything."""
    while lost := await parts.requests.receive(up_to=parts.requests.max_batch, wait=0):
        await parts.requests.delete([delivery.receipt for delivery in lost])


def labels(job_id: str, *, classes: int = 100) -> bytes:
    """An answer with as many predictions."""
    return answer(job_id, (Prediction(n, f"n{n:08}", "Egyptian cat", 0.5) for n in range(classes)))


def answer(job_id: str, predictions: Iterable[Prediction]) -> bytes:
    """An answer as short as it can be with these."""
    image, timing = ImageFacts("png", 1, 1, "0" * 64), Timing(0, 0, 0, 0)
    return encode(Record("a", Answer(job_id, None, "ox", 0.0, tuple(predictions), "m@1", image, timing)))


def failed(job_id: str) -> bytes:
    return encode(Record("ann", Failure(job_id, "undecodable-image", "the data ends early")))


def deleted(job_id: str) -> bytes:
    return encode(Record("ann", Tombstone(job_id)))


async def test_an_empty_service_is_in_order(auditor):
    """Nothing is there, nothing is missing."""
    audit = await auditor.audit(age=AGE)
    assert audit == Audit(at=audit.at, age=AGE)


@pytest.mark.parametrize(
    ("record", "counts"),
    [
        (labels, {}),
        (lambda job_id: labels(job_id, classes=2), {}),
        (failed, {"failed": 1}),
        (deleted, {"deleted": 1}),
        (lambda _: b'{"owner":"ann","outcome":{"state":"done","id":"x"},"v":2}', {}),
        (lambda _: b"", {}),
    ],
    ids=["labels", "few classes", "failed", "deleted", "later version", "junk"],
)
async def test_a_record_is_an_answer_whatever_it_says(auditor, parts, record, counts):
    """A picture with a record is answered; failures and deletions are counted by what they say."""
    job_id = await accepted(parts)
    await parts.results.put(job_id, record(job_id))

    audit = await auditor.audit(age=AGE)

    assert (audit.pictures, audit.answered, audit.pending, audit.without_picture) == (1, 1, 0, 0)
    assert {"failed": audit.failed, "deleted": audit.deleted} == {"failed": 0, "deleted": 0} | counts


async def test_records_outlive_their_pictures(auditor, parts):
    """Answers whose input has expired, and marks of deletions, are counted apart from pictures."""
    for record in (labels, failed, deleted):
        job_id = await accepted(parts)
        await parts.results.put(job_id, record(job_id))
        await parts.inputs.delete(job_id)

    audit = await auditor.audit(age=AGE)

    assert (audit.pictures, audit.answered, audit.without_picture) == (0, 0, 3)
    assert (audit.failed, audit.deleted) == (1, 1)


async def test_what_waits_is_pending_and_what_waits_long_is_late(auditor, parts):
    """The oldest says how long; only what is older than the age is listed."""
    old = await accepted(parts)
    parts.clock.advance(AGE)
    await accepted(parts)
    parts.clock.advance(1)

    audit = await auditor.audit(age=AGE)

    assert (audit.pending, audit.late, audit.late_ids, audit.oldest_pending) == (2, 1, [old], AGE + 1)


async def test_all_that_is_late_is_counted_and_a_thousand_listed(auditor, parts):
    """A disaster does not fill memory or terminal."""
    job_id = await accepted(parts)
    blob = await parts.inputs.get(job_id)
    for number in range(MAX_LISTED + 5):
        key = job_id[:-4] + f"{number:04x}"
        await parts.inputs.put(key, blob.data, metadata=blob.info.metadata)
    parts.clock.advance(AGE + 1)

    audit = await auditor.audit(age=AGE)

    assert audit.late >= MAX_LISTED + 5
    assert len(set(audit.late_ids)) == MAX_LISTED


async def test_what_the_queues_hold(auditor, parts):
    """Messages that wait, that are held, and in the dead-letter queue; and the records of dead letters."""
    for _ in range(5):
        await accepted(parts)
    await parts.requests.receive(up_to=2, wait=0)
    await parts.dead.send([Message(b"one"), Message(b"two")])
    await parts.dead.receive(up_to=1, wait=0)
    letter = DeadLetter(id="malformed-1", owner="", reason="", at=0.0)
    await parts.results.put("dead-letters/malformed-1", encode(letter))

    audit = await auditor.audit(age=AGE)

    assert (audit.waiting, audit.in_flight, audit.in_dead_letter_queue, audit.dead_letters) == (3, 2, 2, 1)


async def test_pictures_that_no_queue_explains_have_lost_their_job(auditor, parts):
    """At least as many as are pending beyond what waits, is held, or is dead."""
    for _ in range(4):
        await accepted(parts)
    await lose_jobs(parts)
    for _ in range(3):
        await accepted(parts)
    await parts.requests.receive(up_to=1, wait=0)
    parts.clock.advance(VISIBILITY + 1)
    assert (await auditor.audit(age=AGE)).without_job == 4

    await parts.dead.send([Message(b"whatever it is, it may be one of them")])
    assert (await auditor.audit(age=AGE)).without_job == 3


async def test_a_young_picture_may_be_between_put_and_send(auditor, parts):
    """Only what is older than the visibility timeout can have lost its job."""
    await accepted(parts)
    await lose_jobs(parts)
    parts.clock.advance(VISIBILITY)

    audit = await auditor.audit(age=AGE)

    assert (audit.pending, audit.without_job) == (1, 0)


async def test_a_queue_that_counts_late_accuses_nobody(auditor, parts):
    """SQS counts approximately: what it finds in the end explains as much as what it found in the beginning."""
    await accepted(parts)
    parts.clock.advance(VISIBILITY + 1)
    depth, asked = parts.requests.depth, []

    async def lagging():
        asked.append(1)
        return (await depth())._replace(visible=0) if len(asked) == 1 else await depth()

    parts.requests.depth = lagging

    assert (await auditor.audit(age=AGE)).without_job == 0


class Behind:
    """A store in which something happens when a key is asked for: behind the audit's reading."""

    def __init__(self, blobs, happens) -> None:
        self._blobs = blobs
        self._happens = happens

    def __getattr__(self, name):
        return getattr(self._blobs, name)

    async def list(self, prefix=""):
        found = [info async for info in self._blobs.list(prefix)]
        if not prefix:
            await self._happens()
        for info in found:
            yield info


@pytest.mark.parametrize(("record", "failures"), [(labels, 0), (failed, 1)])
async def test_a_picture_that_is_answered_meanwhile_is_answered(parts, record, failures):
    """An answer that is written behind the reading is found, and read."""
    job_id = await accepted(parts)
    parts.clock.advance(AGE + 1)
    results = Behind(parts.results, lambda: parts.results.put(job_id, record(job_id)))

    audit = await auditor_of(parts, results=results).audit(age=AGE)

    assert (audit.pictures, audit.answered, audit.pending, audit.late) == (1, 1, 0, 0)
    assert audit.failed == failures


async def test_a_picture_that_goes_meanwhile_is_not_counted(parts):
    """It is owed nothing."""
    job_id = await accepted(parts)
    parts.clock.advance(AGE + 1)
    inputs = Behind(parts.inputs, lambda: parts.inputs.delete(job_id))

    audit = await auditor_of(parts, inputs=inputs).audit(age=AGE)

    assert (audit.pictures, audit.pending, audit.late) == (0, 0, 0)


async def test_what_comes_meanwhile_belongs_to_the_next_audit(parts):
    """A picture that is posted and answered between the two lists is not taken for one that has expired."""
    lists = []

    async def posted_and_answered():
        lists.append(1)
        if len(lists) == 2:
            parts.clock.advance(1)
            job_id = await accepted(parts)
            await parts.results.put(job_id, labels(job_id))

    async def read(self, prefix=""):
        await posted_and_answered()
        async for info in type(self).list(self, prefix):
            yield info

    job_id = await accepted(parts)
    await parts.results.put(job_id, labels(job_id))
    for blobs in (parts.inputs, parts.results):
        blobs.list = read.__get__(blobs)

    audit = await auditor_of(parts).audit(age=AGE)

    assert len(lists) == 3, "inputs, results, dead letters"
    assert (audit.pictures, audit.answered, audit.without_picture) == (1, 1, 0)


async def test_strangers_are_no_pictures(auditor, parts):
    """Objects that nobody of ours wrote do not make an audit fail for ever."""
    for blobs in (parts.inputs, parts.results):
        await blobs.put("readiness-probe", b"")
    await parts.inputs.put("0198c6a4-0000-7000-8000-000000000001", b"put by hand")
    parts.clock.advance(AGE + 1)

    audit = await auditor.audit(age=AGE)

    assert audit == Audit(at=audit.at, age=AGE)


async def test_many_calls_are_made_at_once_where_the_store_says_so(parts):
    """The counts are those of a store that takes one call at a time."""
    for number in range(100):
        job_id = await accepted(parts)
        if number % 4:
            await parts.results.put(job_id, (labels, failed, deleted)[number % 3](job_id))
    alone = await auditor_of(parts).audit(age=AGE)

    parts.inputs.at_once = parts.results.at_once = 16

    assert await auditor_of(parts).audit(age=AGE) == alone
    assert (alone.answered, alone.pending, alone.failed, alone.deleted) == (75, 25, 25, 25)


async def test_large_records_are_not_read(auditor, parts):
    """An audit of a million answers costs two lists, not a million reads."""
    for record in (labels, labels, failed):
        job_id = await accepted(parts)
        await parts.results.put(job_id, record(job_id))
    read = []
    get = parts.results.get

    async def counted(key):
        read.append(key)
        return await get(key)

    parts.results.get = counted
    await auditor.audit(age=AGE)

    assert read == [job_id]


async def test_late_pictures_are_sent_again_and_no_others(auditor, parts):
    """What waits for its turn is left alone; what is sent is marked as repeated."""
    resend = Resend(
        inputs=parts.inputs,
        results=parts.results,
        requests=parts.requests,
        clock=parts.clock,
        telemetry=parts.telemetry,
    )
    parts.requests.max_batch = 10
    lost = {await accepted(parts) for _ in range(25)}
    await lose_jobs(parts)
    parts.clock.advance(AGE + 1)
    young = await accepted(parts)

    audit = await auditor.audit(age=AGE, send_again=resend.send)

    jobs = [decode(Job, entry.message.body) for entry in parts.requests._entries]
    assert {job.id for job in jobs if job.repeat} == lost
    assert {job.id for job in jobs if not job.repeat} == {young}
    assert (audit.late, audit.sent) == (25, 25)
    assert audit.without_job == 24, "at least: nobody knows whose job the queue holds"
    assert {job.owner for job in jobs} == {"ann"}
    assert await auditor.audit(age=AGE, send_again=resend.send) == msgspec.structs.replace(
        audit, waiting=26, without_job=0
    )


async def test_progress_comes_to_all_objects(auditor, parts):
    """What is reported adds up to what was seen."""
    for number in range(1_500):
        key = f"0198c6a4-0000-7000-8000-{number:012x}"
        await parts.inputs.put(key, b"")
        await parts.results.put(key, bytes(MAX_FAILURE_BYTES + 1))
    reported = []

    await auditor.audit(age=AGE, progress=reported.append)

    assert sum(reported) == 3_000
    assert len(reported) == 3


async def test_a_store_that_is_away_ends_the_audit(auditor, parts):
    """Half an audit is none."""
    await accepted(parts)

    async def away(_):
        raise BackendUnavailable("the store is away")

    parts.results.head = away
    with pytest.raises(BackendUnavailable):
        await auditor.audit(age=AGE)


async def test_it_is_json(auditor, parts):
    """Programs read it as it is."""
    await accepted(parts)
    audit = await auditor.audit(age=AGE)

    assert msgspec.json.decode(msgspec.json.encode(audit), type=Audit) == audit
    assert msgspec.json.decode(msgspec.json.encode(audit))["pending"] == 1


def longest_failure() -> bytes:
    """What a worker writes at the very worst: a detail without end, of what JSON writes longest."""
    slugs = [kind.slug for kind in IraasError.__subclasses__()]
    error = error_for(max(slugs, key=len), "\0" * 100_000)
    job = Job(id="0" * 36, owner="o" * 64, reply_to="", accepted_at=0.0)  # names of keys: 64 at most
    record = failure(job, error)
    return encode(
        msgspec.structs.replace(record, outcome=msgspec.structs.replace(record.outcome, sha256="f" * 64))
    )


def test_no_failure_is_larger_than_what_is_read():
    """`MAX_FAILURE_BYTES` is the largest failure that a worker can write, and little more."""
    assert MAX_FAILURE_BYTES - 128 <= len(longest_failure()) <= MAX_FAILURE_BYTES


def test_no_answer_of_a_bundled_model_is_read():
    """Even the hundred shortest of its labels make an answer larger than any failure."""
    numbered = enumerate(find_model("fast").labels)
    shortest = sorted((Prediction(n, label.wnid, label.name, 0.0) for n, label in numbered), key=size)[:100]

    assert len(answer("0" * 36, shortest)) > MAX_FAILURE_BYTES


def size(prediction: Prediction) -> int:
    return len(msgspec.json.encode(prediction))
