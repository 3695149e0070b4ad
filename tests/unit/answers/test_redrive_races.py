"""Redrive beside deletes and second condemnations."""

from __future__ import annotations

import pytest
from tests.unit.answers.test_dead_letters import dead_job, letters  # noqa: F401 - a fixture
from tests.unit.conftest import png
from tests.unit.worker.conftest import Tier

from iraas.errors import NotFound
from iraas.messages import Failure, Record, Tombstone, decode, encode


async def test_a_deleted_picture_is_not_brought_back(letters, parts):  # noqa: F811
    """A tombstone that comes while a redrive is under way stays."""
    job_id = await dead_job(parts)
    await letters.collect()
    put = parts.results.put

    async def deleted_meanwhile(key, data, **options):
        done = await put(key, data, **options)
        if key.startswith("superseded/"):
            await put(job_id, encode(Record("ann", Tombstone(id=job_id))))
        return done

    parts.results.put = deleted_meanwhile
    with pytest.raises(NotFound, match="deleted"):
        await letters.redrive(job_id)
    assert decode(Record, (await parts.results.get(job_id)).data).outcome == Tombstone(id=job_id)


async def test_a_condemned_jobs_record_is_written_by_whoever_comes_second(parts, letters):  # noqa: F811
    """A worker that died between the answer and its dead letter leaves the letter to the next delivery."""
    tier = Tier(parts)
    job_id = await tier.post(png(), delivered_before=True)
    crashed = Record("ann", Failure(id=job_id, slug="classifier-crashed", detail="twice"))
    await parts.results.put(job_id, encode(crashed))

    await tier.work_off(job_id)

    assert [letter.id async for letter in letters.list()] == [job_id]
