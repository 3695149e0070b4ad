"""Alarm, scaling -> an alarm and the scaling policy that it invokes, as CloudFormation has them; pure."""

from __future__ import annotations

import math

from iraas.scaling.alarms import Alarm
from iraas.scaling.auto_scaling import SimpleScaling, Step, StepScaling
from iraas.scaling.render_metrics import Resource, Series, Tier, group_of, queries, scaled

COMPARISONS = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
}
MOST_STEPS = 20  # Amazon EC2 Auto Scaling User Guide, "Quotas for Auto Scaling resources and groups"


def alarm(rule: Alarm, watched: Series, *, description: str, policy: str, scale: float = 1.0) -> Resource:
    """An alarm on a metric or an expression. `policy`: the logical id of what it invokes; `scale`: see `scale_of`."""
    properties: Resource = {
        "AlarmDescription": description,
        "ComparisonOperator": COMPARISONS[rule.comparison],
        "Threshold": scaled(rule.threshold, scale),
        "DatapointsToAlarm": rule.datapoints,
        "EvaluationPeriods": rule.evaluation_periods,
        "TreatMissingData": rule.missing,
        "AlarmActions": [{"Ref": policy}],
    }
    if watched.expression in watched.metrics:
        [metric] = watched.metrics.values()
        properties |= {**metric.named, "Statistic": metric.statistic, "Period": int(rule.period)}
    else:
        properties["Metrics"] = queries(watched, watched.expression, period=rule.period)
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def step_policy(
    scaling: StepScaling, *, tier: Tier, field: str, scale: float = 1.0, aggregation: str = "Average"
) -> Resource:
    """Step scaling; `field` is the name of `scaling` for messages. Raises `ValueError`."""
    if len(scaling.steps) > MOST_STEPS:
        raise ValueError(
            f"{field}.steps: {len(scaling.steps)} are more than the {MOST_STEPS} that Auto Scaling takes in one "
            "policy; merge some"
        )
    properties: Resource = {
        "AutoScalingGroupName": group_of(tier),
        "PolicyType": "StepScaling",
        "AdjustmentType": scaling.adjustment,
        "MetricAggregationType": aggregation,
        "EstimatedInstanceWarmup": math.ceil(scaling.warmup),
        "StepAdjustments": [_step(step, scale, f"{field}.steps") for step in scaling.steps],
    }
    if scaling.minimum_magnitude:
        properties["MinAdjustmentMagnitude"] = scaling.minimum_magnitude
    return {"Type": "AWS::AutoScaling::ScalingPolicy", "Properties": properties}


def simple_policy(scaling: SimpleScaling, *, tier: Tier, field: str) -> Resource:
    """Simple scaling. Raises `ValueError`."""
    properties: Resource = {
        "AutoScalingGroupName": group_of(tier),
        "PolicyType": "SimpleScaling",
        "AdjustmentType": scaling.adjustment,
        "ScalingAdjustment": _whole(scaling.change, field),
        "Cooldown": str(math.ceil(scaling.cooldown)),  # CloudFormation has it as text
    }
    if scaling.minimum_magnitude:
        properties["MinAdjustmentMagnitude"] = scaling.minimum_magnitude
    return {"Type": "AWS::AutoScaling::ScalingPolicy", "Properties": properties}


def one_way(scaling: StepScaling, *, out: bool, minimum: int, maximum: int) -> None:
    """Refuse what Auto Scaling would do against the alarm's direction, and `decide` would not. Raises `ValueError`."""
    field, verb = ("out", "remove") if out else ("back", "add")
    for step in scaling.steps:
        if scaling.adjustment != "ExactCapacity":
            if step.change * (1 if out else -1) < 0:
                raise ValueError(f"{field}.steps: {step} would {verb} by {step.change:g}; turn its sign")
        elif step.change < maximum if out else step.change > minimum:
            bound = f"the maximum of {maximum}" if out else f"the minimum of {minimum}"
            raise ValueError(
                f"{field}.steps: exactly {step.change:g} may {verb} some on Auto Scaling; give {bound}, or use "
                "ChangeInCapacity"
            )


def _step(step: Step, scale: float, field: str) -> Resource:
    """Bounds that are left out are open, here and there."""
    bounds = (("MetricIntervalLowerBound", step.lower), ("MetricIntervalUpperBound", step.upper))
    known = {
        name: scaled(bound, scale) for name, bound in bounds if bound is not None and math.isfinite(bound)
    }
    return {**known, "ScalingAdjustment": _whole(step.change, field)}


def _whole(change: float, field: str) -> int:
    if change != math.trunc(change):
        raise ValueError(f"{field}: Auto Scaling takes no {change:g} percent; use a whole number")
    return int(change)
