"""iraas.scaling.by_instance: workers in whole instances, between bounds that move."""

from __future__ import annotations

import pytest

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import Step, StepScaling
from iraas.scaling.by_instance import ByInstance, unseen
from iraas.scaling.policies.combined import Combined
from iraas.scaling.policies.per_worker import WorkerPerMessage
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import StepAlarms
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.policy import History, Observation
from iraas.scaling.tracking import TargetTracking


def seen(visible: float) -> Observation:
    return Observation(0.0, 5.0, visible, 0.0, 0, 0, arrivals=0.0)


@pytest.mark.parametrize(
    ("messages", "per_instance", "workers"),
    [(1, 1, 1), (5, 1, 5), (1, 4, 4), (5, 4, 8), (8, 4, 8), (0, 4, 0)],
)
def test_workers_come_in_whole_instances(messages, per_instance, workers):
    """The policy's number is rounded up to what instances have together."""
    plan = ByInstance(WorkerPerMessage(), workers_per_instance=per_instance, bounds=lambda: (0, 100))
    assert plan.decide(seen(messages), History()).capacity == workers


def test_bounds_are_those_of_the_group_at_the_time():
    """Somebody may change them while the service runs; the reason says which bound it was."""
    bounds = (0, 8)
    plan = ByInstance(WorkerPerMessage(), workers_per_instance=2, bounds=lambda: bounds)
    said = plan.decide(seen(50), History())
    assert said == (8, "added 50: 50 waiting; 25 instances of 2 workers, but 8 workers are the maximum")
    assert (plan.minimum, plan.maximum) == (0, 8)
    bounds = (4, 20)
    assert plan.decide(seen(50), History()).capacity == 20
    assert plan.decide(seen(0), History()).capacity == 4
    assert "minimum" in plan.decide(seen(0), History()).reason
    bounds = (0, 0)  # a group that is switched off
    assert plan.decide(seen(50), History()).capacity == 0


def steps(metric: str) -> StepAlarms:
    """A policy on one metric."""
    return StepAlarms(
        out_when=Alarm(metric, 10, ">"),
        in_when=Alarm(metric, 1, "<"),
        out=StepScaling(steps=(Step(lower=0, change=1),)),
        back=StepScaling(steps=(Step(upper=0, change=-1),)),
    )


def test_what_a_web_process_cannot_see_is_named():
    """A part that watches processors or ages would keep the fleet for ever."""
    assert unseen(Staffing()) == []
    assert unseen(steps("responses")) == []
    assert unseen(steps("oldest_age")) == ["oldest_age"]
    tracking = Tracking(metric="cpu", tracking=TargetTracking(target=0.5))
    assert unseen(tracking) == ["cpu"]
    assert unseen(Combined(parts=(tracking, steps("oldest_age")))) == ["cpu", "oldest_age"]
