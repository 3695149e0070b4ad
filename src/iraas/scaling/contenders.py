"""service time, objective, boot time -> the policies that people use, each as its friends would set it; pure.

A comparison is worth nothing against a badly set rival, so that each has what its source recommends, or for the fast
ones the setting that did best on the workloads and the seeds that ours was tuned on.
"""

from __future__ import annotations

from typing import NamedTuple

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import SimpleScaling, Step, StepScaling
from iraas.scaling.policies.combined import AnyPolicy
from iraas.scaling.policies.per_worker import JobsPerWorker, WorkerPerMessage
from iraas.scaling.policies.spare import SpareCapacity
from iraas.scaling.policies.staffing import Staffing
from iraas.scaling.policies.steps import SimpleAlarms, StepAlarms
from iraas.scaling.policies.tracking import Tracking
from iraas.scaling.tracking import TargetTracking, backlog_target

CPU_TARGET = 0.6  # of the processors


class Facts(NamedTuple):
    """What every rule may know beforehand."""

    service: float  # seconds that a picture keeps one worker busy
    objective: float  # seconds that a picture may wait
    boot: float  # seconds until a new worker takes jobs


def contenders(facts: Facts) -> dict[str, AnyPolicy]:
    """Ten policies by their short names; the first is ours."""
    pile = max(2.0, facts.objective / facts.service)  # jobs that one worker clears within the objective
    return {
        "ours": Staffing(objective=facts.objective, boot=facts.boot, service=facts.service),
        "aws-recipe": Tracking(
            metric="visible_per_worker",
            tracking=TargetTracking(target=backlog_target(facts.objective, facts.service), warmup=facts.boot),
        ),
        "in-flight": JobsPerWorker(target=1.0),
        "gandhi": SpareCapacity(packing=1.0, hold=260.0),
        "queue-alarm": _steps("visible", out=pile, back=pile / 10, facts=facts),
        "queue-cooldown": SimpleAlarms(
            out_when=_alarm("visible", ">", pile, 1),
            in_when=_alarm("visible", "<", pile / 10, 5),
            out=SimpleScaling(change=2),
            back=SimpleScaling(change=-1),
        ),
        "response-alarm": _steps(
            "responses", out=0.1 / facts.service, back=0.03 / facts.service, facts=facts
        ),
        "age-alarm": _steps("oldest_age", out=facts.objective, back=facts.objective / 4, facts=facts),
        "cpu": Tracking(metric="cpu", tracking=TargetTracking(target=CPU_TARGET, warmup=facts.boot)),
        "per-message": WorkerPerMessage(),
    }


def _steps(metric: str, *, out: float, back: float, facts: Facts) -> StepAlarms:
    """One more at the threshold, two at twice that, four at five times; one less after five quiet periods."""
    return StepAlarms(
        out_when=_alarm(metric, ">=", out, 1),
        in_when=_alarm(metric, "<", back, 5),
        out=StepScaling(
            steps=(Step(0, out, 1), Step(out, 4 * out, 2), Step(4 * out, None, 4)), warmup=facts.boot
        ),
        back=StepScaling(steps=(Step(None, 0, -1),), warmup=facts.boot),
    )


def _alarm(metric: str, comparison: str, threshold: float, periods: int) -> Alarm:
    return Alarm(
        metric,
        threshold,
        comparison,  # type: ignore[arg-type]
        datapoints=periods,
        evaluation_periods=periods,
        missing="notBreaching",
    )
