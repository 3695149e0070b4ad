"""iraas.scaling.controller: a plan is followed, whatever policies, clocks and queues do."""

from __future__ import annotations

import random

import pytest

from iraas.errors import BackendUnavailable
from iraas.fleet.port import FleetState
from iraas.scaling.controller import LOOK_SECONDS, MOST_PAUSE_SECONDS, Controller
from iraas.scaling.policy import Decision, Observation
from iraas.testing.manual_clock import ManualClock


class Says:
    """A policy that says what it is told to, and keeps what it saw."""

    title = "says"

    def __init__(self, *capacities: int, every: float = 5.0) -> None:
        self.every = every
        self.capacities = list(capacities)
        self.seen: list[Observation] = []

    def decide(self, seen, history):
        self.seen.append(seen)
        capacity = self.capacities.pop(0) if self.capacities else seen.capacity
        return Decision(capacity, f"{capacity} for the test")


class FakePlan:
    """A plan that trusts its policy, so that the controller's own bounds are tested."""

    def __init__(self, policy: Says, minimum: int = 0, maximum: int = 10) -> None:
        self.policy, self.minimum, self.maximum = policy, minimum, maximum

    def decide(self, seen, history):
        return self.policy.decide(seen, history)


class Eyes:
    """A sensor that sees what a test says."""

    def __init__(self, clock: ManualClock) -> None:
        self.backlog = 0
        self.broken = False
        self.looks = 0
        self._clock = clock

    async def look(self):
        self.looks += 1
        if self.broken:
            raise BackendUnavailable("the disk is away")

    def observe(self, *, in_service, starting, terminating):
        now = self._clock.boot()
        return Observation(now, 1.0, self.backlog, 0.0, in_service, starting, terminating=terminating)


class Hands:
    """A fleet whose workers start at once, and of which some are too busy to go."""

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers
        self.busy = 0
        self.asked: list[int] = []

    def state(self):
        return FleetState(self.workers, 0, self.busy)

    async def set(self, capacity):
        self.asked.append(capacity)
        self.workers = max(capacity, min(self.workers, self.busy))


class Ears:
    def __init__(self) -> None:
        self.decisions: list[tuple[int, int, str]] = []
        self.troubles: list[str] = []

    def decided(self, before, capacity, reason):
        self.decisions.append((before, capacity, reason))

    def trouble(self, kind, reason, *, capacity):
        self.troubles.append(reason)


class Bench:
    """A controller with all around it."""

    def __init__(self, policy: Says, *, minimum: int = 0, maximum: int = 10) -> None:
        self.clock = ManualClock()
        self.policy = policy
        self.eyes, self.hands, self.ears = Eyes(self.clock), Hands(minimum), Ears()
        self.controller = Controller(
            plan=FakePlan(policy, minimum, maximum),
            sensor=self.eyes,
            fleet=self.hands,
            witness=self.ears,
            clock=self.clock,
        )

    async def pass_time(self, seconds: float) -> None:
        """Turn after turn, as they come."""
        for _ in range(round(seconds / LOOK_SECONDS)):
            self.clock.advance(LOOK_SECONDS)
            await self.controller.turn()


async def test_a_change_is_made_and_told_with_its_reason():
    """Another capacity reaches the fleet, and the witness hears from how many to how many, and why."""
    bench = Bench(Says(4), minimum=1)
    await bench.pass_time(1)
    assert bench.hands.asked == [4]
    assert bench.ears.decisions == [(1, 4, "4 for the test")]


async def test_what_stays_the_same_is_not_told():
    """Decisions that change nothing are no events, however many there are."""
    bench = Bench(Says(4))
    await bench.pass_time(30)
    assert len(bench.policy.seen) == 30
    assert len(bench.ears.decisions) == 1


async def test_it_samples_four_times_as_often_as_it_decides():
    """Each decision rests on several looks."""
    bench = Bench(Says())
    await bench.pass_time(10)
    assert (bench.eyes.looks, len(bench.policy.seen)) == (40, 10)


async def test_a_policy_that_counts_datapoints_is_asked_at_its_own_pace():
    """One that evaluates alarms each minute decides each minute, or it would act sixty times as fast."""
    bench = Bench(Says(every=60.0), minimum=1)
    await bench.pass_time(180)
    assert len(bench.policy.seen) == 3


async def test_a_sleeping_fleet_is_woken_with_the_next_look():
    """Work and no worker: the policy is asked at once, and if it still says none, there is one all the same."""
    bench = Bench(Says(0, 3))
    bench.eyes.backlog = 7
    await bench.pass_time(LOOK_SECONDS)
    assert bench.hands.workers == 1
    assert "7 that would wait for ever" in bench.ears.decisions[0][2]


async def test_a_slow_policy_is_not_asked_out_of_turn_to_wake_the_fleet():
    """Its first worker comes without it, so that its datapoints stay a minute apart."""
    bench = Bench(Says(0, every=60.0))
    bench.eyes.backlog = 1
    await bench.pass_time(5)
    assert bench.hands.workers == 1
    assert bench.policy.seen == []
    await bench.pass_time(60)
    assert len(bench.policy.seen) == 1
    assert bench.hands.workers == 1  # it said none, and the job is still there


async def test_bounds_hold_whatever_the_policy_says():
    """Thousands of random wishes: never more than the maximum, never fewer than the minimum."""
    dice = random.Random(5)
    bench = Bench(Says(*(dice.randint(-50, 10_000) for _ in range(2_000))), minimum=2, maximum=9)
    bench.eyes.backlog = 5
    await bench.pass_time(2_100)
    assert set(bench.hands.asked) <= set(range(2, 10))
    assert {2, 9} <= set(bench.hands.asked)


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0, 1e9])
async def test_a_wall_clock_that_jumps_changes_nothing(jump):
    """Decisions go by boot time: they neither stop nor come in a storm."""
    bench = Bench(Says(), minimum=1)
    await bench.pass_time(5)
    bench.clock.jump_wall(jump)
    await bench.pass_time(5)
    assert len(bench.policy.seen) == 10


async def test_a_machine_that_slept_is_asked_once():
    """After a night's sleep there is one decision and not one for each second missed."""
    bench = Bench(Says(), minimum=1)
    bench.clock.advance(36_000.0)
    await bench.controller.turn()
    await bench.controller.turn()
    assert len(bench.policy.seen) == 1


async def test_a_boot_clock_that_goes_back_does_not_stop_the_decisions():
    """Whatever a platform's clock does, the next decision is not an age away."""
    bench = Bench(Says(), minimum=1)
    await bench.pass_time(2)
    bench.clock.reboot()  # boot time begins anew
    await bench.pass_time(3)
    assert 5 <= len(bench.policy.seen) <= 6


async def test_busy_workers_that_ought_to_go_are_asked_for_again():
    """As long as they are busy the fleet is told again; the policy does not see them as capacity."""
    bench = Bench(Says(4, 1))
    bench.hands.busy = 3
    await bench.pass_time(5)
    assert bench.hands.asked == [4, 1, 1, 1, 1]
    assert [(seen.capacity, seen.terminating) for seen in bench.policy.seen[2:]] == [(1, 2)] * 3
    assert bench.hands.workers == 3
    bench.hands.busy = 0
    await bench.pass_time(1)
    assert bench.hands.workers == 1
    assert len(bench.ears.decisions) == 2


async def test_while_nothing_can_be_seen_nothing_is_changed():
    """A queue that cannot be asked leaves the fleet as it is, and that is said."""
    bench = Bench(Says(3, 0), minimum=0)
    await bench.pass_time(1)
    bench.eyes.broken = True
    await bench.pass_time(10)
    assert bench.hands.asked == [3]
    assert "the disk is away" in bench.ears.troubles[0]
    bench.eyes.broken = False
    await bench.pass_time(1)
    assert bench.hands.asked == [3, 0]


async def test_a_policy_that_fails_leaves_no_job_without_a_worker():
    """Its mistake is told, the fleet stays as it is, and where there is no worker for a job the first one comes."""
    bench = Bench(Says())
    bench.policy.decide = lambda seen, history: 1 / 0
    await bench.pass_time(2)
    assert bench.controller.wanted == 0
    assert "ZeroDivisionError" in bench.ears.troubles[0]
    bench.eyes.backlog = 1
    await bench.pass_time(1)
    assert bench.controller.wanted == 1


async def test_one_long_look_does_not_put_the_controller_to_sleep(monkeypatch):
    """A disk that stalls, or a machine that slept for a night, costs a pause of seconds."""
    pauses: list[float] = []
    times = iter([0.0, 30_000.0] * 10)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise EOFError

    bench = Bench(Says())
    monkeypatch.setattr("iraas.scaling.controller.time.monotonic", lambda: next(times))
    monkeypatch.setattr("iraas.scaling.controller.asyncio.sleep", pause)
    with pytest.raises(EOFError):
        await bench.controller.run()
    assert set(pauses) == {MOST_PAUSE_SECONDS}
