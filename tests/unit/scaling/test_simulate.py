"""iraas.scaling.simulate: arrivals, queue, workers, policy and instances together."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scaling.plans import POLICIES, step_alarms
from tests.unit.scaling.replay import Replay

from iraas.scaling.instances import HOUR, Boot, Spot
from iraas.scaling.plan import Plan
from iraas.scaling.policies.per_worker import JobsPerWorker
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policy import Decision
from iraas.scaling.scenario import Scenario
from iraas.scaling.service import Service
from iraas.scaling.simulate import mode_of, simulate
from iraas.scaling.workloads import Burst, shape

STEADY = shape("steady", rate=4.0, duration=600.0)
SECOND = Service(seconds=1.0)


class Script:
    """A plan that wants what it is told, look by look from the fifth second on; then what it wanted last."""

    every = 5.0
    deployable = False

    def __init__(self, *wants, minimum=0):
        self.wants, self.minimum, self.policy = list(wants), minimum, self

    def decide(self, seen, history):
        return Decision(self.wants.pop(0) if len(self.wants) > 1 else self.wants[0], "as told")


def scenario(workload=STEADY, service=SECOND, **fields):
    return Scenario(workload, service, **{"boot": Boot(boot=60.0), "seed": 1, **fields})


def planned(policy, *, minimum=1, maximum=20):
    return Plan(minimum=minimum, maximum=maximum, policy=policy)


@pytest.mark.parametrize("mode", ["exact", "steps"])
def test_the_same_seed_gives_the_same(mode):
    """And another seed something else."""
    one, again, other = (
        simulate(scenario(plan=planned(Staffing()), mode=mode, seed=seed)) for seed in (5, 5, 6)
    )
    assert one.as_json() == again.as_json() != other.as_json()
    assert one.changes == again.changes
    for column, same in zip(one.timeline, again.timeline, strict=True):
        np.testing.assert_array_equal(column, same)


def test_the_mode_follows_from_the_pictures():
    """Few are played one by one, many in steps, closed-loop clients always one by one; a user may choose."""
    many = shape("steady", rate=10_000.0, duration=3600.0)
    assert mode_of(scenario(plan=planned(Staffing()))) == "exact"
    assert mode_of(scenario(many, plan=planned(Staffing()))) == "steps"
    assert mode_of(scenario(many, plan=planned(Staffing()), mode="exact")) == "exact"
    assert mode_of(scenario(Burst(100, 100_000_000), fixed=1)) == "exact"


def test_a_fixed_number_of_workers_costs_its_hours():
    """Ten workers, ten minutes, and the time until the last picture is answered."""
    result = simulate(scenario(fixed=10))
    assert (result.peak, result.changes, result.reversals) == (10, (), 0)
    assert result.instance_hours == pytest.approx(10 * result.seconds / HOUR)
    assert result.answered == result.arrivals == len(result.outcome.born)
    assert result.cost_per_million == pytest.approx(result.instance_hours * 0.0446 / result.arrivals * 1e6)


def test_workers_serve_after_their_boot():
    """Ordered at the look after five seconds, there at 65; until then the first one is alone."""
    result = simulate(scenario(Replay([1.0] * 10, 10.0), Service(seconds=60.0), plan=Script(3, minimum=1)))
    starts = np.sort(result.outcome.born + result.outcome.wait)
    assert starts[:6].tolist() == [1.0, 61.0, 65.0, 65.0, 121.0, 125.0]
    assert result.changes[0][:3] == (5.0, 1, 3)
    assert result.peak == 3


def test_the_peak_is_of_one_moment():
    """Three, then one, then three again are never more than three."""
    result = simulate(
        scenario(Replay([1.0, 80.0], 100.0), plan=Script(1, 1, 3, minimum=3), boot=Boot(boot=10.0))
    )
    assert [change.capacity for change in result.changes] == [1, 3]
    assert result.peak == 3


def test_protected_workers_end_what_they_hold():
    """A scale-in to nothing takes the idle one at once, and the other when it is idle too."""
    result = simulate(scenario(Replay([4.0], 10.0), Service(seconds=7.0), plan=Script(0, minimum=2)))
    assert [(change.time, change.capacity) for change in result.changes] == [(5.0, 1), (15.0, 0)]
    assert result.outcome.latency.tolist() == [7.0]


@pytest.mark.parametrize(("scale_in", "latency"), [("drained", [7.0]), ("killed", [37.0])])
def test_unprotected_workers_drain_or_are_killed(scale_in, latency):
    """Auto Scaling takes busy ones too: a hook lets them end; else the picture comes back and is answered once."""
    result = simulate(
        scenario(
            Replay([4.0], 10.0),
            Service(seconds=7.0),
            plan=Script(0, 0, 0, 1, minimum=1),
            scale_in=scale_in,
            boot=Boot(boot=5.0),
        )
    )
    assert result.changes[0][:3] == (5.0, 1, 0)
    assert result.outcome.latency.tolist() == latency
    assert result.arrivals == result.answered == 1


def test_a_drained_worker_is_paid_until_it_is_done():
    """From the start to its picture's end, and a minute at least."""
    work = Replay([4.0], 10.0)
    result = simulate(
        scenario(work, Service(seconds=200.0), plan=Script(0, minimum=1), scale_in="drained", hook=600.0)
    )
    assert result.instance_hours == pytest.approx(204 / HOUR)


def test_nobody_answers_what_nobody_serves():
    """A policy that never starts a worker: the simulation ends, and all are late."""
    result = simulate(scenario(Replay([1.0, 2.0], 10.0), plan=Script(0)))
    assert (result.arrivals, result.answered, result.late_share) == (2, 0, 1.0)
    assert result.seconds >= 3600.0


def test_clients_that_gave_up_are_counted():
    """Both pictures are answered; the second one's client had patience for a second and a half, and it took two."""
    result = simulate(scenario(Replay([0.0, 0.0], 10.0), fixed=1, patience=1.5))
    assert (result.answered, result.gave_up_share, result.late_share) == (2, 0.5, 0.0)


@pytest.mark.parametrize("requests", [100, 1000])
def test_a_burst_out_of_zero_is_answered(requests):
    """A hundred clients at once, no worker: all is answered, and in the end nobody is left."""
    plan = planned(Staffing(objective=2.0, boot=2.0), minimum=0)
    result = simulate(scenario(Burst(100, requests), Service(seconds=0.2), plan=plan, boot=Boot(boot=2.0)))
    assert result.answered == result.arrivals == requests
    assert 1 < result.peak <= 20


@pytest.mark.parametrize("notice", [120.0, 0.0])
def test_interrupted_instances_are_replaced(notice):
    """With a notice they end what they hold in time; without one it comes back. Nothing is lost, nobody is missing."""
    result = simulate(
        scenario(
            shape("steady", rate=4.0, duration=1800.0),
            plan=planned(JobsPerWorker(target=1.0), minimum=8, maximum=8),
            spot=Spot(10.0, notice=notice),
            boot=Boot(spread=(20.0, 100.0), failure=0.2),
        )
    )
    timeline = result.timeline
    assert result.answered == result.arrivals
    assert 0 < timeline.in_service.min() < 8 == timeline.in_service.max()
    assert timeline.capacity.min() == timeline.capacity.max() == 8
    if notice:
        assert (result.outcome.latency - result.outcome.wait).max() == pytest.approx(1.0)
    else:
        assert result.outcome.wait.max() >= 20.0, "what a dead one held came back"


def test_a_notice_during_the_boot_takes_no_worker_from_the_line():
    """An instance that was never in service cannot stop to serve: who is left has as many workers as it says."""
    result = simulate(
        scenario(
            Replay(np.arange(0.0, 3000.0, 0.25), 3000.0),
            plan=planned(JobsPerWorker(target=0.5), minimum=6, maximum=40),
            spot=Spot(12.0),
            boot=Boot(boot=100.0),
        )
    )
    timeline = result.timeline
    enough = timeline.in_service >= 6
    assert enough.sum() > 100
    assert timeline.in_flight[enough][10:].mean() > 3.5, "four a second of a second each"


def test_looks_do_not_drift_from_cloudwatchs_minutes():
    """A look is a twelfth of a period; thousands of twelfths, which no binary number holds, are still on time."""
    day = shape("steady", rate=0.01, duration=5_000.0)
    result = simulate(scenario(day, plan=planned(step_alarms(period=10.0))))
    times = result.timeline.time
    assert times[-1] == pytest.approx(len(times) * 10 / 12, abs=1e-9)


def test_says_how_far_it_is():
    """A part of the whole that grows to one."""
    told = []
    simulate(scenario(fixed=10), told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


work = st.builds(
    lambda kind, rate: shape(kind, rate=rate, duration=300.0),
    st.sampled_from(["steady", "step", "spike", "flash", "ramp", "daily"]),
    st.floats(0.1, 8.0),
)
boots = st.builds(Boot, boot=st.floats(0, 100), failure=st.sampled_from([0.0, 0.3]))


@settings(max_examples=40, deadline=None)
@given(
    work,
    st.sampled_from(list(POLICIES.values())),
    st.integers(0, 3),
    st.sampled_from(["protected", "drained", "killed"]),
    st.sampled_from(["exact", "steps"]),
    boots,
    st.none() | st.just(Spot(30.0)) | st.just(Spot(30.0, notice=0.0)),
    st.sampled_from([Service(seconds=0.5), Service(seconds=0.2, receive=8, batch=4)]),
)
def test_the_books_agree_whatever_happens(workload, policy, minimum, scale_in, mode, boot, spot, service):
    """Nothing is lost, nobody is served early, work costs its hours, and the capacity stays within its bounds."""
    plan = Plan(minimum=minimum, maximum=6, policy=policy)
    result = simulate(
        Scenario(workload, service, plan, boot=boot, spot=spot, scale_in=scale_in, mode=mode, seed=3)
    )
    timeline, outcome = result.timeline, result.outcome
    assert result.answered <= result.arrivals + 1e-6
    assert outcome.weight.sum() == pytest.approx(result.answered)
    assert result.seconds >= 3600 or result.answered == pytest.approx(result.arrivals, abs=1)
    assert timeline.arrivals.sum() <= result.arrivals + 1
    assert (outcome.wait >= 0).all()
    assert (outcome.latency >= outcome.wait).all()
    assert result.instance_hours * HOUR >= result.answered * service.seconds * (1 - 1e-9) - service.seconds
    assert timeline.capacity.max(initial=0) <= 6
    assert result.peak <= 6 or spot
    assert (timeline.in_service <= timeline.capacity).all()
    assert 0 <= result.late_share <= 1
    assert not math.isnan(result.wait.mean)
    for change, following in pairwise(result.changes):
        assert change.time < following.time
    if scale_in == "protected" and not spot:
        assert all(minimum <= change.capacity for change in result.changes)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "fixed: give either a policy or a fixed number of workers"),
        ({"fixed": 2, "plan": planned(Staffing())}, "fixed: give either"),
        ({"fixed": 0}, "fixed: 0 workers would answer nothing; give 1 or more"),
        ({"fixed": 1, "objective": 0.0}, "objective: 0 is no time; give seconds above 0"),
        ({"fixed": 1, "workload": Burst(), "mode": "steps"}, "mode: clients that wait"),
    ],
)
def test_refuses_what_says_nothing(fields, says):
    """The field is named, with what to write instead."""
    with pytest.raises(ValueError, match=says):
        replace(scenario(fixed=1), **{"fixed": None, **fields})
