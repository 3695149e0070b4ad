"""iraas.fleet.crew: workers come at once, go when idle, and are replaced."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from iraas.errors import BackendUnavailable, ConfigurationError
from iraas.fleet import crew as crew_module
from iraas.fleet.chronicle import Chronicle
from iraas.fleet.crew import Crew
from iraas.fleet.file import FleetFile
from iraas.fleet.tally import Tally
from iraas.testing.manual_clock import ManualClock


class FakeWorker:
    """A process that a test makes ready, busy or dead."""

    pids = itertools.count(1000)

    def __init__(self, name, overseer):
        self.name, self.overseer = name, overseer
        self.state, self.failures = "starting", 0
        self.pid = next(self.pids)
        self.gone, self.may_go = asyncio.Event(), asyncio.Event()
        self.kept = False
        self.may_go.set()
        self.error = None

    def become_ready(self):
        self.state = "in service"
        self.overseer.booted(0.5)
        self.overseer.changed()

    async def keep(self):
        self.kept = True
        await self.gone.wait()
        self.state = "stopped"
        if self.error:
            raise self.error

    async def stop(self, *, grace, gently=0.0):
        self.state = "draining"
        await self.may_go.wait()
        await self.overseer.died(self.pid)
        self.gone.set()


class Stage:
    def __init__(self, folder, *, at_once=100):
        self.clock = ManualClock()
        self.file = FleetFile(folder / "fleet.json")
        self.tally = Tally()
        self.made: list[FakeWorker] = []
        self.owners: set[str] = set()
        self.ended: list[str] = []
        self.broken = False
        self.first = True
        self.chronicle = Chronicle(self.file, clock=self.clock, minimum=0, maximum=9, policy="test")
        self.crew = Crew(
            make=self._make,
            owners=self._owners,
            end_leases=self._end_leases,
            chronicle=self.chronicle,
            tally=self.tally,
            on_change=lambda: None,
            may_give_up=lambda: self.first,
            starts_at_once=at_once,
        )

    def _make(self, name, overseer):
        self.made.append(FakeWorker(name, overseer))
        return self.made[-1]

    async def _owners(self):
        if self.broken:
            raise BackendUnavailable("away")
        return self.owners

    async def _end_leases(self, owner):
        self.ended.append(owner)

    async def with_ready(self, count):
        await self.crew.set(count)
        for worker in self.made:
            worker.become_ready()
        await settle()


async def settle():
    """Let tasks that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    for worker in made.made:
        worker.may_go.set()
    await made.crew.close()


async def test_workers_are_started_at_once_and_counted_as_starting(stage):
    """Those that start count, so that nobody asks for them twice."""
    await stage.crew.set(3)
    await stage.crew.set(3)
    assert stage.crew.state() == (0, 3, 0, 0)
    stage.made[0].become_ready()
    assert stage.crew.state() == (1, 2, 0, 0)
    assert [worker.name for worker in stage.made] == ["worker-1", "worker-2", "worker-3"]


async def test_a_busy_worker_is_never_ended(stage):
    """Who holds a lease stays, though fewer are wanted; once idle, the next asking ends it."""
    await stage.with_ready(3)
    stage.owners = {str(worker.pid) for worker in stage.made}
    await stage.crew.set(0)
    assert stage.crew.state().in_service == 3
    stage.owners = {str(stage.made[1].pid)}
    await stage.crew.set(0)
    await settle()
    assert [worker.state for worker in stage.made] == ["stopped", "in service", "stopped"]
    assert stage.crew.state() == (1, 0, 0, 0)


async def test_those_that_start_go_before_idle_ones_and_the_newest_first(stage):
    """Who serves already stays rather than who may serve soon: a start may yet come to nothing."""
    await stage.with_ready(2)
    await stage.crew.set(3)
    await stage.crew.set(2)
    await settle()
    assert [worker.state for worker in stage.made] == ["in service", "in service", "stopped"]
    await stage.crew.set(1)
    await settle()
    assert [worker.state for worker in stage.made] == ["in service", "stopped", "stopped"]


async def test_who_cannot_start_is_no_capacity_on_its_way(stage):
    """A policy that waits for what starts must not wait for a worker that fails again and again."""
    await stage.with_ready(1)
    await stage.crew.set(2)
    assert stage.crew.state().starting == 1
    stage.made[1].failures = 1
    assert stage.crew.state() == (1, 0, 0, 0)


async def test_who_cannot_start_goes_first(stage):
    """A worker in back-off serves nobody."""
    await stage.with_ready(1)
    await stage.crew.set(2)
    stage.made[1].failures = 3
    await stage.crew.set(1)
    await settle()
    assert [worker.state for worker in stage.made] == ["in service", "stopped"]


async def test_a_starting_worker_goes_when_all_others_are_busy(stage):
    """It holds no job, and it is no longer wanted."""
    await stage.with_ready(1)
    stage.owners = {str(stage.made[0].pid)}
    await stage.crew.set(2)
    await stage.crew.set(1)
    await settle()
    assert [worker.state for worker in stage.made] == ["in service", "stopped"]


async def test_a_draining_worker_is_counted_and_its_name_is_not_given_away(stage):
    """Until it is gone it is shown as draining; a new one has another name."""
    await stage.with_ready(1)
    stage.made[0].may_go.clear()
    await stage.crew.set(0)
    await settle()
    assert stage.crew.state() == (0, 0, 0, 1)
    await stage.crew.set(1)
    assert stage.made[1].name == "worker-2"
    stage.made[0].may_go.set()
    await settle()
    assert stage.crew.state() == (0, 1, 0, 0)
    assert stage.ended == [str(stage.made[0].pid)]
    await stage.crew.set(2)
    assert stage.made[2].name == "worker-1"


async def test_nobody_is_ended_while_nobody_knows_who_is_busy(stage):
    """A queue that cannot be asked ends no worker."""
    await stage.with_ready(2)
    stage.broken = True
    await stage.crew.set(0)
    assert stage.crew.state().in_service == 2


async def test_busy_workers_are_counted_by_their_leases(stage):
    """Leases of others, such as a worker that is gone, are not ours."""
    await stage.with_ready(2)
    stage.owners = {str(stage.made[0].pid), "1"}
    assert await stage.crew.count_busy() == 1
    assert stage.crew.state().busy == 1


async def test_a_misconfigured_worker_ends_the_service_only_at_its_start(stage):
    """Later it is told and tried again: what runs stays up."""
    with pytest.raises(ConfigurationError, match="worker-1"):
        stage.crew.failed("worker-1", "it ended with code 2", misconfigured=True)
    stage.first = False
    stage.crew.failed("worker-1", "it ended with code 2", misconfigured=True)
    [event] = stage.chronicle.report().events
    assert event.trouble
    assert "worker-1 could not start: it ended with code 2" in event.reason


async def test_what_ends_a_workers_keeping_is_known(stage):
    """The service ends by it, in words."""
    await stage.crew.set(1)
    stage.made[0].error = ConfigurationError("no model")
    stage.made[0].gone.set()
    await settle()
    assert isinstance(stage.crew.error, ConfigurationError)


async def test_after_its_end_nobody_is_started(stage):
    """A decision that comes too late starts no worker that nobody would end."""
    await stage.with_ready(1)
    await stage.crew.close()
    await stage.crew.set(5)
    assert len(stage.made) == 1
    assert stage.crew.state().capacity == 0


async def test_a_storm_of_wishes_ends_in_the_last_one(stage):
    """Up and down a hundred times without a pause: as many as were last wanted, under names of their own."""
    for wish in [7, 0, 3, 9, 1] * 20:
        await stage.crew.set(wish)
        assert stage.crew.state().capacity == wish
    await stage.crew.set(4)
    await settle()
    assert stage.crew.state() == (0, 4, 0, 0)
    assert sum(worker.kept and worker.state != "stopped" for worker in stage.made) == 4


async def test_starts_take_turns(tmp_path):
    """Only so many start at once, so that the first is not the slower the more are wanted."""
    stage = Stage(tmp_path, at_once=2)
    await stage.crew.set(5)
    await settle()
    assert [worker.kept for worker in stage.made] == [True, True, False, False, False]
    assert stage.crew.state() == (0, 5, 0, 0)
    stage.made[0].become_ready()
    await settle()
    assert [worker.kept for worker in stage.made] == [True, True, True, False, False]
    stage.made[1].failures = 1  # who backs off keeps nobody waiting
    await stage.crew.set(4)  # and goes first
    await settle()
    assert [worker.kept for worker in stage.made] == [True, True, True, True, False]
    await stage.crew.close()


async def test_a_start_that_never_ends_keeps_nobody_waiting(tmp_path, monkeypatch):
    """After ten seconds the next one may begin."""
    stage = Stage(tmp_path, at_once=1)
    await stage.crew.set(2)
    await settle()
    assert [worker.kept for worker in stage.made] == [True, False]
    monkeypatch.setattr(crew_module, "SLOW_SECONDS", 0.0)
    await stage.crew.set(2)
    await settle()
    assert [worker.kept for worker in stage.made] == [True, True]
    await stage.crew.close()


async def test_who_never_began_to_start_is_simply_dropped(tmp_path):
    """Fewer are wanted before their turn came: no process is ended, since there is none."""
    stage = Stage(tmp_path, at_once=1)
    await stage.crew.set(3)
    await stage.crew.set(1)
    await settle()
    assert stage.crew.state() == (0, 1, 0, 0)
    assert stage.ended == []
    await stage.crew.close()
