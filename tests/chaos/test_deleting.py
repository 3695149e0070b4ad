"""A delete while a worker has the picture."""

from __future__ import annotations

import asyncio

import pytest
from tests.chaos.crowd import books_when_quiet, grey
from tests.service import WITH_REPLACEMENTS, Service

from iraas import AsyncClient
from iraas.errors import NotFound
from iraas.messages import Tombstone


async def test_a_delete_wins_over_the_worker_that_has_the_picture(tmp_path):
    """The waiting request gets 404, the worker's answer does not count, and nothing of the picture is left."""
    slow = {"IRAAS_TEST_MODEL": "1.5"}
    with Service(tmp_path / "data", workers=1, settings=slow, command=WITH_REPLACEMENTS) as service:
        async with AsyncClient(service.url) as client:
            job = await client.submit(grey(1))
            waiting = asyncio.create_task(client.result(job, wait=30))
            await asyncio.sleep(0.5)  # the worker has it now
            await client.delete(job)
            with pytest.raises(NotFound):
                await waiting
            with pytest.raises(NotFound):
                await client.result(job)
        books = await books_when_quiet(service.settings)

    assert books.records[job].outcome == Tombstone(id=job)
    assert books.inputs == set()
