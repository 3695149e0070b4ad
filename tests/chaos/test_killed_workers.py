"""kill -9, of whatever it is, whenever it is: accepted = answered."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress

import psutil
import pytest
from tests.chaos.crowd import Books, Crowd, books_when_quiet, grey, shade
from tests.service import WITH_REPLACEMENTS, Service

from iraas import AsyncClient
from iraas.settings import Settings

PICTURES = 500
TIMED = {"IRAAS_TEST_MODEL": "0.02"}


@pytest.fixture
def timed(tmp_path):
    """A service whose model takes 20 ms a picture and tells pictures apart by their shade."""
    with Service(tmp_path / "data", settings=TIMED, command=WITH_REPLACEMENTS) as service:
        yield service


async def kill_one_every_second(service: Service, crowd: Crowd) -> int:
    """SIGKILL to one worker each second, until all is done or nobody is in service; how many died."""
    dice, killed = random.Random(7), 0
    while crowd.done < PICTURES:
        await asyncio.sleep(1)
        in_service = json.loads((service.data / "fleet.json").read_text())["in_service"]
        victims = service.processes("worker")
        if victims and in_service:
            with suppress(psutil.NoSuchProcess):
                dice.choice(victims).kill()
                killed += 1
    return killed


async def kill_whenever_it_answers(service: Service, crowd: Crowd, times: int) -> None:
    """SIGKILL to the web process, again each time that its successor has begun to answer pictures."""
    for _ in range(times):
        await crowd.until(crowd.done + 20)
        with suppress(psutil.NoSuchProcess):
            service.processes("web")[0].kill()


async def test_a_worker_killed_every_second_loses_and_doubles_nothing(timed):
    """500 pictures, a worker killed each second: every client has its own answer, and no innocent is condemned."""
    crowd = Crowd(timed.url)
    killing = asyncio.create_task(kill_one_every_second(timed, crowd))

    await crowd.post(range(PICTURES))

    assert await killing >= 2
    crowd.check_everyone_was_answered_right(range(PICTURES))
    books = await books_when_quiet(timed.settings)
    books.check(answer.id for answer in crowd.answers.values())
    assert len(books.records) == PICTURES


async def test_a_killed_web_process_costs_its_clients_a_retry(timed):
    """The web process is killed again and again: clients retry with their keys, and nothing is done twice."""
    crowd = Crowd(timed.url)
    killing = asyncio.create_task(kill_whenever_it_answers(timed, crowd, times=5))

    await crowd.post(range(PICTURES))

    await killing
    crowd.check_everyone_was_answered_right(range(PICTURES))
    books = await books_when_quiet(timed.settings)
    books.check(answer.id for answer in crowd.answers.values())
    assert len(books.records) == PICTURES


async def test_a_killed_supervisor_takes_everything_down_and_the_next_one_finishes(tmp_path):
    """Kill -9 of the supervisor leaves no process; the next `iraas up` on the folder answers what was accepted."""
    slow = {"IRAAS_TEST_MODEL": "1"}
    first = Service(tmp_path / "data", settings=slow, command=WITH_REPLACEMENTS).start()
    async with AsyncClient(first.url) as client:
        accepted = [await client.submit(grey(number)) for number in range(60)]
        assert await client.result(accepted[0], wait=60)
    first.kill()
    before = await Books.read(Settings(data=tmp_path / "data"))
    assert 0 < len(before.records) < len(accepted)

    with Service(tmp_path / "data", settings=TIMED, command=WITH_REPLACEMENTS) as second:
        async with AsyncClient(second.url) as client:
            for number, job in enumerate(accepted):
                while (answer := await client.result(job, wait=30)) is None:
                    continue
                assert answer.label == f"grey {shade(number)}"
        books = await books_when_quiet(second.settings)
    books.check(accepted)
    for job, record in before.records.items():
        assert books.records[job] == record  # the first answer is the answer
