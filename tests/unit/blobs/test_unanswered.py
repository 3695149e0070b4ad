"""iraas.blobs.unanswered: two stores read side by side tell what is in one of them only."""

from __future__ import annotations

import uuid

import pytest
from tests.unit.conftest import Parts, png

from iraas.blobs.files import FileBlobs
from iraas.blobs.port import Blobs
from iraas.blobs.unanswered import pairs, unanswered
from iraas.intake.submit import Submission
from iraas.testing.memory_blobs import MemoryBlobs

ALWAYS = float("inf")


def ids(count: int) -> list[str]:
    """Ids like ours, the same in each run and in no order."""
    return [str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number))) for number in range(count)]


@pytest.fixture(params=["memory", "files"])
async def stores(request, tmp_path):
    """Two stores of a kind."""
    if request.param == "memory":
        yield MemoryBlobs(), MemoryBlobs()
        return
    two = FileBlobs(tmp_path / "inputs", inline=True), FileBlobs(tmp_path / "results", inline=True)
    yield two
    for blobs in two:
        await blobs.close()


async def paired(inputs: Blobs, results: Blobs) -> dict[str, str]:
    """What `pairs` gives: i for an input, r for a record, ir for both."""
    found = [
        ((picture or record).key, ("i" if picture else "") + ("r" if record else ""))
        async for picture, record in pairs(inputs, results)
    ]
    assert len(dict(found)) == len(found), "a picture came twice"
    return dict(found)


async def test_each_picture_comes_once_with_what_either_store_has(stores):
    """However the two stores overlap, an input meets its record."""
    inputs, results = stores
    expected = {}
    for number, key in enumerate(ids(600)):
        expected[key] = ("ir", "ir", "ir", "i", "r")[number % 5]
        if "i" in expected[key]:
            await inputs.put(key, b"")
        if "r" in expected[key]:
            await results.put(key, b"")

    assert await paired(inputs, results) == expected


@pytest.mark.parametrize("held", ["", "i", "r", "ir"])
async def test_a_store_may_be_empty(stores, held):
    """The last of the longer list comes too."""
    inputs, results = stores
    keys = ids(3)
    for key in keys:
        if "i" in held:
            await inputs.put(key, b"")
        if "r" in held:
            await results.put(key, b"")

    assert await paired(inputs, results) == (dict.fromkeys(keys, held) if held else {})


async def test_keys_of_strangers_are_passed_over(stores):
    """A probe, a README and the records beside the answers are no pictures, wherever they sort."""
    inputs, results = stores
    key = ids(1)[0]
    for blobs in stores:
        for stranger in ("readiness-probe", "0", "zzz", key.upper(), f"{key}0", f"{key}.tmp"):
            await blobs.put(stranger, b"")
        await blobs.put(f"dead-letters/{key}", b"")
    await inputs.put(key, b"")

    assert await paired(inputs, results) == {key: "i"}


class ComesAndGoes:
    """A store whose list is as it was; whatever else is asked, it answers as it is now."""

    def __init__(self, now: MemoryBlobs, then: MemoryBlobs) -> None:
        self._now = now
        self._then = then

    def __getattr__(self, name):
        return getattr(self._now, name)

    def list(self, prefix=""):
        return self._then.list(prefix)


async def accepted(parts: Parts) -> str:
    """A picture as the intake stores it."""
    submission = Submission(png(), "ann")
    job_id = parts.intake().identify(submission)
    await parts.intake().submit(job_id, submission, reply_to="")
    return job_id


async def test_an_answer_written_behind_the_reading_counts(parts):
    """A picture that looks unanswered is asked for once more before it is told."""
    job_id = await accepted(parts)
    await parts.results.put(job_id, b"late")
    results = ComesAndGoes(parts.results, then=MemoryBlobs())

    assert [info.key async for info in unanswered(parts.inputs, results, before=ALWAYS)] == []


async def test_a_picture_deleted_behind_the_reading_is_not_missing_an_answer(parts):
    """What is gone by now is owed nothing."""
    job_id = await accepted(parts)
    inputs = ComesAndGoes(MemoryBlobs(), then=parts.inputs)

    assert [info.key async for info in unanswered(inputs, parts.results, before=ALWAYS)] == []
    assert [info.key async for info in unanswered(parts.inputs, parts.results, before=ALWAYS)] == [job_id]


async def test_what_is_unanswered_comes_with_its_metadata(parts):
    """A list may leave metadata out; whoever sends the job again needs them."""
    await accepted(parts)

    [info] = [info async for info in unanswered(parts.inputs, parts.results, before=ALWAYS)]

    assert info.metadata["owner"] == "ann"


async def test_an_object_that_is_no_input_of_ours_is_owed_nothing(parts):
    """Somebody else's object may have a key like an id: without our metadata it is no picture."""
    await parts.inputs.put(ids(1)[0], b"", metadata={"owner": "ann"})

    assert [info.key async for info in unanswered(parts.inputs, parts.results, before=ALWAYS)] == []


async def test_answered_pictures_cost_no_call(parts):
    """Only pictures that look unanswered, and are old enough, are asked for."""
    for _ in range(9):
        await parts.results.put(await accepted(parts), b"done")
    old = await accepted(parts)
    parts.clock.advance(100)
    await accepted(parts)
    asked = []
    head = parts.results.head

    async def counted(key):
        asked.append(key)
        return await head(key)

    parts.results.head = counted
    before = parts.clock.time() - 60

    assert [info.key async for info in unanswered(parts.inputs, parts.results, before=before)] == [old]
    assert asked == [old]
