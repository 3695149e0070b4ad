"""`iraas up --min 0 --max 3`: workers come with a burst and go again, and everybody gets an answer."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chaos.crowd import Crowd, books_when_quiet
from tests.e2e.http.states import client_of, metrics
from tests.service import WITH_REPLACEMENTS, Service
from tests.waiting import until

from iraas.fleet.file import FleetFile
from iraas.fleet.port import FleetReport, FleetState
from iraas.places import metrics_folder

MAXIMUM = 3
PICTURES = 60
# Ours, as impatient as a test: what is not needed for two seconds goes.
POLICY = """
maximum = 9
[policy]
kind = "staffing"
boot = 1.0
fast = 1.0
slow = 3.0
hold = 2.0
settle = 1.0
"""


@pytest.fixture(scope="module")
def elastic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that sleeps until there is something to do; a picture takes it 200 ms."""
    folder = tmp_path_factory.mktemp("elastic")
    (folder / "policy.toml").write_text(POLICY)
    settings = {"IRAAS_TEST_MODEL": "0.2", "IRAAS_POLICY": str(folder / "policy.toml")}
    with Service(
        folder / "data", minimum=0, maximum=MAXIMUM, settings=settings, command=WITH_REPLACEMENTS
    ) as service:
        yield service


def state(service: Service) -> FleetState:
    """As it is at this moment: a reader of its own has read nothing before."""
    return FleetFile(service.data / "fleet.json").state()


def report(service: Service) -> FleetReport:
    return FleetFile(service.data / "fleet.json").report()


async def burst(service: Service, numbers: range) -> tuple[Crowd, list[FleetState]]:
    """All pictures at once, until each is answered; and how the fleet was meanwhile."""
    crowd = Crowd(service.url, concurrency=len(numbers))
    states: list[FleetState] = []
    posting = asyncio.create_task(crowd.post(numbers))
    while not posting.done():
        states.append(state(service))
        await asyncio.sleep(0.05)
    await posting
    return crowd, states


def asleep(service: Service) -> bool:
    return state(service) == (0, 0, 0, 0) and not service.processes("worker")


def test_it_serves_without_a_worker(elastic):
    """The web process is there and takes pictures; the first one wakes a worker."""
    assert elastic.processes("worker") == []
    assert state(elastic).capacity == 0
    with client_of(elastic) as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/livez").status_code == 200


async def test_a_burst_is_answered_and_the_fleet_sleeps_again(elastic):
    """Sixty at once: all answered right, workers between none and the maximum, none ended while busy."""
    with client_of(elastic) as client:
        before = metrics(client)
        crowd, states = await burst(elastic, range(PICTURES))
        crowd.check_everyone_was_answered_right(range(PICTURES))
        assert max(seen.capacity for seen in states) >= 2
        assert max(seen.capacity + seen.draining for seen in states) <= MAXIMUM
        assert max(seen.busy for seen in states) >= 2

        until(lambda: asleep(elastic), what="the fleet is asleep again", within=60)
        after = metrics(client)
        name = "iraas_redeliveries_total"
        assert after.get(name, 0) == before.get(name, 0)
        done = 'iraas_jobs_total{outcome="done"}'
        assert after[done] - before.get(done, 0) == PICTURES
    books = await books_when_quiet(elastic.settings)
    books.check(answer.id for answer in crowd.answers.values())


def test_each_change_stands_among_the_events_with_its_reason(elastic):
    """Newest first, each from where the one before had led, between the bounds, in words."""
    told = report(elastic)
    assert (told.minimum, told.maximum) == (0, MAXIMUM)
    assert told.policy
    assert 0.15 < told.service_seconds < 1.5  # most of them waited for longer
    assert 0 < told.boot_seconds < 120
    events = list(reversed(told.events))
    assert [event.trouble for event in events] == [False] * len(events)
    for earlier, later in itertools.pairwise(events):
        assert later.before == earlier.capacity != later.capacity
    assert all(0 <= event.capacity <= MAXIMUM and len(event.reason) > 10 for event in events)
    assert events[-1].capacity == 0
    logged = [json.loads(line) for line in elastic.log.read_text().splitlines() if "scaling.decided" in line]
    assert [line["reason"] for line in logged] == [event.reason for event in events]


def test_the_traffic_is_kept_for_recommendations(elastic):
    """trace.csv has each picture of the burst, by its second."""
    header, *rows = (elastic.data / "trace.csv").read_text().splitlines()
    assert header == "time,count"
    assert sum(int(row.split(",")[1]) for row in rows) == PICTURES


async def test_workers_that_come_and_go_leave_nothing_behind(elastic):
    """Another cycle adds no files of numbers and no notes: a year of them must not fill the disk."""
    folder = metrics_folder(elastic.settings)
    crowd, _ = await burst(elastic, range(100, 130))
    crowd.check_everyone_was_answered_right(range(100, 130))
    until(lambda: asleep(elastic), what="the fleet is asleep again", within=60)
    assert len(list(folder.glob("counter_*"))) <= MAXIMUM + 1  # and the web process's
    assert list((elastic.data / "begun").iterdir()) == []
    with client_of(elastic) as client:  # what workers that are gone have counted still counts
        assert metrics(client)['iraas_jobs_total{outcome="done"}'] == PICTURES + 30


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--min", "3", "--max", "2"], "lower the one (--min) or raise the other (--max)"),
        (["--policy", "none.toml"], "none.toml"),
        (["--min", "0", "--model", "none"], "none"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(tmp_path, flags, words):
    """Exit code 2 and a line, before anything is started; a sleeping fleet's model is looked at, too."""
    command = [sys.executable, "-m", "iraas", "up", "--port", "0", "--data", str(tmp_path / "data"), *flags]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_workers_n_is_a_fleet_that_stays(tmp_path: Path):
    """Without other flags the fleet has one size, and says so."""
    with Service(
        tmp_path / "data", workers=2, settings={"IRAAS_TEST_MODEL": "0"}, command=WITH_REPLACEMENTS
    ) as one:
        until(lambda: state(one).in_service == 2, what="both are in service")
        assert (report(one).minimum, report(one).maximum) == (2, 2)
