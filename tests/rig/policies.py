"""a scaling policy's properties, an alarm's value, what the group has -> how many it should have; pure.

The arithmetic is iraas.scaling.auto_scaling and iraas.scaling.tracking: AWS's pages, and our model where it has none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from iraas.scaling.auto_scaling import SimpleScaling, Step, StepScaling
from iraas.scaling.tracking import TargetTracking
from tests.rig.series import MetricSource, One, Properties, Reckoned, refuse_others

MINUTE = 60.0  # seconds: the period of target tracking, unless it says another


class Counts(NamedTuple):
    """What a group has. Who counts must know the policy's `warmup`: it says which are warm."""

    warm: int  # in service, for as long as the policy's warm-up at least
    warming: int = 0  # pending, or in service for a shorter time
    terminating: int = 0
    minimum: int = 0
    maximum: int = 1_000_000

    @property
    def all(self) -> int:
        """What a policy changes."""
        return self.warm + self.warming


class StepPolicy:
    """An AWS::AutoScaling::ScalingPolicy of the type StepScaling."""

    def __init__(self, properties: Properties) -> None:
        refuse_others(properties, {*COMMON, "MetricAggregationType", "EstimatedInstanceWarmup",
                                   "StepAdjustments", "MinAdjustmentMagnitude"}, "StepScaling")  # fmt: skip
        self.warmup = float(properties["EstimatedInstanceWarmup"])  # seconds
        self._scaling = StepScaling(
            steps=tuple(_step(step) for step in properties["StepAdjustments"]),
            adjustment=properties["AdjustmentType"],
            minimum_magnitude=int(properties.get("MinAdjustmentMagnitude", 0)),
            warmup=self.warmup,
        )

    def wanted(self, value: float, threshold: float, has: Counts) -> int:
        """`value`: the alarm's newest datapoint; NaN, where missing data breach, is taken for the threshold."""
        return self._scaling.adjust(
            threshold if math.isnan(value) else value,
            threshold,
            capacity=has.warm,
            warming=has.warming,
            terminating=has.terminating,
            minimum=has.minimum,
            maximum=has.maximum,
        )


class SimplePolicy:
    """One of the type SimpleScaling. Its cooldown is the group's: simple policies share it."""

    warmup = 0.0  # seconds: it knows none

    def __init__(self, properties: Properties) -> None:
        known = {*COMMON, "ScalingAdjustment", "Cooldown", "MinAdjustmentMagnitude"}
        refuse_others(properties, known, "SimpleScaling")
        self._scaling = SimpleScaling(
            change=int(properties["ScalingAdjustment"]),
            adjustment=properties["AdjustmentType"],
            minimum_magnitude=int(properties.get("MinAdjustmentMagnitude", 0)),
            cooldown=float(properties["Cooldown"]),
        )

    def wanted(self, has: Counts, *, now: float, acted_at: float) -> int:
        """`acted_at`: when the last simple scaling ended its launches; while it cools down, nothing changes."""
        if not self._scaling.may_act(now, acted_at):
            return has.all
        return self._scaling.adjust(capacity=has.all, minimum=has.minimum, maximum=has.maximum)


class TrackingPolicy:
    """One of the type TargetTrackingScaling, with AWS's alarms as our model has them."""

    def __init__(self, properties: Properties) -> None:
        known = {*COMMON, "EstimatedInstanceWarmup", "TargetTrackingConfiguration"} - {"AdjustmentType"}
        refuse_others(properties, known, "TargetTrackingScaling")
        configuration = properties["TargetTrackingConfiguration"]
        known = {"CustomizedMetricSpecification", "TargetValue", "DisableScaleIn"}
        refuse_others(configuration, known, "TargetTrackingConfiguration")
        self.warmup = float(properties["EstimatedInstanceWarmup"])  # seconds
        self.rule = TargetTracking(
            target=float(configuration["TargetValue"]),
            warmup=self.warmup,
            disable_in=bool(configuration.get("DisableScaleIn", False)),
        )
        metric = configuration["CustomizedMetricSpecification"]
        self.watched: One | Reckoned
        if "Metrics" in metric:
            self.watched = Reckoned(metric["Metrics"], period=MINUTE)
        else:
            self.watched = One(metric, stat=metric["Statistic"], period=float(metric.get("Period", MINUTE)))

    @property
    def every(self) -> float:
        """Seconds between two looks."""
        return self.watched.period

    def wanted(self, source: MetricSource, has: Counts, now: float, *, late: int = 0) -> int:
        """Above the target for some periods: more, in proportion. Well below it for more of them: fewer.

        `late`: so many of the newest periods may be missing because the metric comes late; they are no gap.
        """
        rule = self.rule
        most = max(rule.out_datapoints, rule.in_datapoints)
        datapoints = self.watched.datapoints(source, count=most + late, now=now)
        while len(datapoints) > most and math.isnan(datapoints[-1]):
            datapoints = datapoints[:-1]
        datapoints = datapoints[-most:]
        known = [point for point in datapoints if not math.isnan(point)]
        wanted = has.all
        if not known or math.isnan(datapoints[-1]):
            return wanted  # "does not scale in when the specified metric has insufficient data", nor out
        right = rule.wanted(known[-1], in_service=max(1, has.warm), minimum=0, maximum=has.maximum)
        above, below = known[-rule.out_datapoints :], known[-rule.in_datapoints :]
        if len(above) == rule.out_datapoints and min(above) > rule.target:
            wanted = max(wanted, right)
        elif rule.disable_in or has.warming:
            pass  # "a scale-in activity can't start while a scale-out activity is in progress"
        elif len(below) == rule.in_datapoints and max(below) < rule.in_below * rule.target:
            wanted = min(wanted, right)
        return max(has.minimum, min(has.maximum, wanted))


def together(has: Counts, asked: Sequence[int], tracked: Sequence[tuple[TrackingPolicy, int]]) -> int:
    """What the group does when alarms made some policies ask, and target tracking said what it says.

    The largest of what is asked for at the same time; a policy whose alarm is quiet has no say ("Dynamic scaling for
    Amazon EC2 Auto Scaling"). Target tracking adds if one of them is ready, and removes only if all are that may
    remove; it does not hold back steps ("Target tracking scaling policies").
    """
    there = max(has.minimum, min(has.maximum, has.all))  # a group keeps itself within its bounds
    more = [wanted for _, wanted in tracked if wanted > there]
    fewer = [wanted for policy, wanted in tracked if not policy.rule.disable_in]
    if not more and fewer and max(fewer) < there:
        more = [max(fewer)]
    return max([*asked, *more], default=there)


ScalingPolicy = StepPolicy | SimplePolicy | TrackingPolicy
COMMON = {"AutoScalingGroupName", "PolicyType", "AdjustmentType"}


def read_policy(properties: Properties) -> ScalingPolicy:
    """What an AWS::AutoScaling::ScalingPolicy's properties say. Raises `ValueError` for what is not known."""
    kind = properties.get("PolicyType", "SimpleScaling")  # CloudFormation's default
    if kind == "StepScaling":
        return StepPolicy(properties)
    if kind == "SimpleScaling":
        return SimplePolicy(properties)
    if kind == "TargetTrackingScaling":
        return TrackingPolicy(properties)
    raise ValueError(f"PolicyType: {kind} is not known to the rig")


def _step(step: Properties) -> Step:
    known = {"MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment"}
    refuse_others(step, known, "StepAdjustments")
    low, high = step.get("MetricIntervalLowerBound"), step.get("MetricIntervalUpperBound")
    return Step(
        None if low is None else float(low),
        None if high is None else float(high),
        int(step["ScalingAdjustment"]),
    )
