"""A fleet that grows and shrinks while its workers are killed, or cannot start: accepted = answered."""

from __future__ import annotations

import asyncio
import random
import shutil
from contextlib import suppress

import psutil
import pytest
from tests.chaos.crowd import Crowd, books_when_quiet, grey
from tests.e2e.http.states import client_of, metrics
from tests.service import WITH_REPLACEMENTS, Service
from tests.waiting import until

from iraas.fleet.file import FleetFile
from iraas.models import catalog

# What is not needed for half a second goes: the fleet changes all the time.
NERVOUS = """
maximum = 3
minimum = 0
[policy]
kind = "staffing"
objective = 0.5
boot = 0.5
fast = 0.3
slow = 1.0
hold = 0.5
settle = 0.0
"""
WAVES = 6
WAVE = 24  # pictures
KILLS = 8


@pytest.fixture
def nervous(tmp_path):
    """None to three workers, under a policy that cannot sit still."""
    (tmp_path / "policy.toml").write_text(NERVOUS)
    settings = {"IRAAS_TEST_MODEL": "0.05", "IRAAS_POLICY": str(tmp_path / "policy.toml")}
    with Service(
        tmp_path / "data", minimum=0, maximum=3, settings=settings, command=WITH_REPLACEMENTS
    ) as service:
        yield service


async def waves(crowd: Crowd) -> None:
    """Bursts, each posted while the fleet is on its way down from the one before."""
    for wave in range(WAVES):
        await crowd.post(range(wave * WAVE, (wave + 1) * WAVE))
        await asyncio.sleep(0.5 + wave * 0.3)


def shrunk(service: Service) -> int:
    """How often its fleet became smaller."""
    events = FleetFile(service.data / "fleet.json").report().events
    return sum(event.capacity < event.before for event in events)


async def test_waves_end_no_worker_that_is_busy(nervous):
    """The fleet shrinks between waves, and each picture is computed once, by whom it was given to."""
    crowd = Crowd(nervous.url, concurrency=WAVE)

    await waves(crowd)

    crowd.check_everyone_was_answered_right(range(WAVES * WAVE))
    with client_of(nervous) as client:
        counted = metrics(client)
    assert counted.get("iraas_redeliveries_total", 0) == 0
    assert counted['iraas_jobs_total{outcome="done"}'] == WAVES * WAVE
    await asyncio.to_thread(until, lambda: shrunk(nervous) >= 2, what="the fleet shrank, and shrank again")
    books = await books_when_quiet(nervous.settings)
    books.check(answer.id for answer in crowd.answers.values())


async def test_workers_killed_while_the_fleet_changes_lose_nothing(nervous):
    """Kill -9 of one worker or another, starting, busy or draining, all through the waves."""
    crowd, dice, killed = Crowd(nervous.url, concurrency=WAVE), random.Random(3), 0
    posting = asyncio.create_task(waves(crowd))
    while not posting.done() and killed < KILLS:
        await asyncio.sleep(0.5)
        victims = nervous.processes("worker")
        somebody_works = FleetFile(nervous.data / "fleet.json").state().in_service > 0  # or nobody ever would
        if victims and somebody_works:
            with suppress(psutil.NoSuchProcess):
                dice.choice(victims).kill()
                killed += 1

    await posting
    assert killed >= 3
    crowd.check_everyone_was_answered_right(range(WAVES * WAVE))
    books = await books_when_quiet(nervous.settings)
    books.check(answer.id for answer in crowd.answers.values())
    assert len(books.records) == WAVES * WAVE


async def test_workers_that_cannot_start_do_not_take_the_service_down(tmp_path):
    """The model vanishes while the fleet sleeps: it is said, the web process stays, and the mend is enough."""
    model = tmp_path / "model"
    shutil.copytree(catalog.find_model("fast").path, model)
    with Service(tmp_path / "data", model=str(model), minimum=0, maximum=2) as service:
        model.rename(tmp_path / "away")
        crowd = Crowd(service.url)
        posting = asyncio.create_task(crowd.post(range(3)))
        await asyncio.to_thread(
            until,
            lambda: any(event.trouble for event in FleetFile(service.data / "fleet.json").report().events),
            what="the trouble is told",
        )
        with client_of(service) as client:
            assert client.get("/readyz").status_code == 200
            assert client.post("/v1/images?wait=0", content=grey(9)).status_code == 202
        assert "scaling.trouble" in service.log.read_text()

        (tmp_path / "away").rename(model)
        await posting
        assert len(crowd.answers) == 3
        assert not crowd.errors
