"""One policy of each kind."""

from __future__ import annotations

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import SimpleScaling, Step, StepScaling
from iraas.scaling.policies.combined import Combined
from iraas.scaling.policies.per_worker import JobsPerWorker, WorkerPerMessage
from iraas.scaling.policies.spare import SpareCapacity
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import SimpleAlarms, StepAlarms
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.tracking import TargetTracking


def step_alarms(metric="visible", *, high=100.0, low=10.0, period=60.0, periods=1, **fields):
    """One more above the threshold, three more at twice that; one less below the lower one."""
    alarms = {"period": period, "datapoints": periods, "evaluation_periods": periods, **fields}
    return StepAlarms(
        out_when=Alarm(metric, high, ">=", **alarms),
        in_when=Alarm(metric, low, "<", **alarms),
        out=StepScaling(steps=(Step(0, high, 1), Step(high, None, 3))),
        back=StepScaling(steps=(Step(None, 0, -1),)),
    )


def simple_alarms(**fields):
    """Two more, one less, and five minutes of cooldown."""
    return SimpleAlarms(
        out_when=Alarm("visible", 100.0, ">", **fields),
        in_when=Alarm("visible", 10.0, "<", **fields),
        out=SimpleScaling(change=2),
        back=SimpleScaling(change=-1),
    )


def tracking(metric="visible_per_worker", target=100.0, **fields):
    """AWS's recipe."""
    return Tracking(metric=metric, tracking=TargetTracking(target=target, **fields))


POLICIES = {
    "step-alarms": step_alarms(),
    "step-alarms, short": step_alarms("oldest_age", period=10.0, periods=3, missing="breaching"),
    "simple-alarms": simple_alarms(missing="notBreaching"),
    "target-tracking": tracking(),
    "target-tracking, cpu": tracking("cpu", 0.6, disable_in=True),
    "jobs-per-worker": JobsPerWorker(),
    "worker-per-message": WorkerPerMessage(),
    "spare-capacity": SpareCapacity(),
    "staffing": Staffing(),
    "combined": Combined(parts=(Staffing(), JobsPerWorker(target=2.0))),
    "combined, alarms": Combined(parts=(step_alarms(), simple_alarms(), tracking())),
}
