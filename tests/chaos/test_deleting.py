"""A delete while a worker has the picture."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from tests.chaos.crowd import books_when_quiet, grey
from tests.service import WITH_REPLACEMENTS, Service
from tests.waiting import until

from iraas import AsyncClient
from iraas.errors import NotFound
from iraas.messages import Tombstone


def in_flight(service: Service) -> int:
    """Jobs that a worker holds, as /metrics says."""
    lines = httpx2.get(f"{service.url}/metrics").text.splitlines()
    return sum(
        int(float(line.rsplit(" ", 1)[1])) for line in lines if line.startswith("iraas_queue_in_flight ")
    )


async def test_a_delete_wins_over_the_worker_that_has_the_picture(tmp_path):
    """The waiting request gets 404, the worker's answer does not count, and nothing of the picture is left."""
    slow = {"IRAAS_TEST_MODEL": "5"}
    with Service(tmp_path / "data", workers=1, settings=slow, command=WITH_REPLACEMENTS) as service:
        async with AsyncClient(service.url) as client:
            job = await client.submit(grey(1))
            waiting = asyncio.create_task(client.result(job, wait=30))
            await asyncio.to_thread(until, lambda: in_flight(service) == 1, what="the worker has it")
            await client.delete(job)
            with pytest.raises(NotFound):
                await waiting
            with pytest.raises(NotFound):
                await client.result(job)
        books = await books_when_quiet(service.settings)

    assert books.records[job].outcome == Tombstone(id=job)
    assert books.inputs == set()
