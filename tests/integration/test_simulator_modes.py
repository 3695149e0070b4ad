"""The two ways to simulate, on identical arrivals, with a policy in control, where there are many pictures."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.unit.scaling.replay import Replay

from iraas.scaling.contenders import Facts, contenders
from iraas.scaling.instances import Boot
from iraas.scaling.plan import Plan
from iraas.scaling.scenario import Scenario
from iraas.scaling.service import Service, of_our_worker
from iraas.scaling.simulate import simulate
from iraas.scaling.workloads import shape

SERVICE = 0.012  # seconds
STEP = 0.12  # seconds: what the steps are as long as here
SECONDS = 900.0
OBJECTIVE, BOOT = 2.0, 60.0  # seconds
KINDS = ("steady", "step", "spike", "flash", "ramp", "daily")
PLAIN, OURS = Service(seconds=SERVICE), of_our_worker(SERVICE)


@cache
def both(kind, policy, service, scale_in):
    """A result of each mode, on the same pictures."""
    workload = Replay.of(shape(kind, rate=1000.0, duration=SECONDS), seed=8)
    plan = Plan(minimum=1, maximum=200, policy=contenders(Facts(SERVICE, OBJECTIVE, BOOT))[policy])
    return [
        simulate(
            Scenario(workload, service, plan, boot=Boot(boot=BOOT), scale_in=scale_in, mode=mode, seed=3)
        )
        for mode in ("exact", "steps")
    ]


def capacities(result):
    """The capacity in each second."""
    seconds = np.arange(0.0, SECONDS)
    rows = np.searchsorted(result.timeline.time, seconds)
    return result.timeline.capacity[np.minimum(rows, len(result.timeline.time) - 1)]


def alike(results):
    """The part of the time in which both have the same capacity."""
    exact, steps = map(capacities, results)
    return (exact == steps).mean()


OURS_EVERYWHERE = [(kind, "ours", OURS, "protected") for kind in KINDS]
OTHERS = [
    ("step", "aws-recipe", PLAIN, "drained"),
    ("daily", "in-flight", OURS, "drained"),
    ("ramp", "age-alarm", PLAIN, "drained"),
    ("flash", "cpu", OURS, "drained"),
]


@pytest.mark.parametrize("case", [*OURS_EVERYWHERE, *OTHERS], ids=lambda case: f"{case[0]}-{case[1]}")
def test_steps_tell_what_pictures_one_by_one_tell(case):
    """The 95th percentiles within 5 % or one step, the same share of late ones, the same bill."""
    exact, steps = both(*case)

    assert (exact.mode, steps.mode) == ("exact", "steps")
    assert exact.arrivals == pytest.approx(steps.arrivals, abs=1)
    assert steps.wait.p95 == pytest.approx(exact.wait.p95, rel=0.05, abs=STEP)
    assert steps.latency.p95 == pytest.approx(exact.latency.p95, rel=0.05, abs=STEP)
    assert steps.instance_hours == pytest.approx(exact.instance_hours, rel=0.02)
    assert steps.late_share == pytest.approx(exact.late_share, abs=0.01)


def test_our_policy_takes_the_same_path():
    """The same capacity for 95 % of the time, over all workloads: at times one rounds up where the other does not."""
    assert np.mean([alike(both(*case)) for case in OURS_EVERYWHERE]) >= 0.95


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: f"{case[0]}-{case[1]}")
def test_other_policies_take_the_same_path(case):
    """For 95 % of the time, where a scale-in waits for no idle worker.

    Who is idle at the moment of a scale-in is chance, which steps have of their own. A rule that removes all workers at
    once because nothing waits keeps those that happen to be busy, and goes on from there.
    """
    assert alike(both(*case)) >= 0.95
