"""tests.rig.policies: what a scaling policy's properties make of an alarm's value.

The examples are those of the pages "Step and simple scaling policies for Amazon EC2 Auto Scaling", "Target tracking
scaling policies for Amazon EC2 Auto Scaling" and "Dynamic scaling for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

import math

import pytest
from tests.rig.policies import Counts, together
from tests.rig.policies import read_policy as read

NAN = math.nan
COMMON = {"AutoScalingGroupName": "g", "AdjustmentType": "ChangeInCapacity"}


def steps(*adjustments, **fields):
    """Steps of (lower, upper, change)."""
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound", "ScalingAdjustment")
    found = [
        {name: value for name, value in zip(names, each, strict=True) if value is not None}
        for each in adjustments
    ]
    return read(
        {
            **COMMON,
            "PolicyType": "StepScaling",
            "EstimatedInstanceWarmup": 60,
            "StepAdjustments": found,
            **fields,
        }
    )


def simple(**fields):
    """One more, then five minutes of rest."""
    return read(
        {**COMMON, "PolicyType": "SimpleScaling", "ScalingAdjustment": 1, "Cooldown": "300", **fields}
    )


def tracking(target=50.0, **fields):
    """CPU at a target."""
    specification = {
        "Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Statistic": "Average",
        "Dimensions": [{"Name": "AutoScalingGroupName", "Value": "g"}],
    }  # fmt: skip
    configuration = {"TargetValue": target, "CustomizedMetricSpecification": specification, **fields}
    return read(
        {
            "AutoScalingGroupName": "g",
            "PolicyType": "TargetTrackingScaling",
            "EstimatedInstanceWarmup": 60,
            "TargetTrackingConfiguration": configuration,
        }
    )


class Told:
    """A source that shows one row."""

    def __init__(self, *row):
        self.row = list(row)

    def datapoints(self, namespace, name, dimensions, *, stat, period, count, now):
        return [NAN] * (count - len(self.row)) + self.row[-count:]


def test_the_pages_steps_out_and_in():
    """10 become 11 at 60 %, 13 while it warms up and the metric gets to 70, and 14 become 13 at 40 %."""
    percent = {"AdjustmentType": "PercentChangeInCapacity"}
    out = steps((0, 10, 0), (10, 20, 10), (20, None, 30), **percent)
    back = steps((-10, 0, 0), (-20, -10, -10), (None, -20, -30), **percent)
    assert out.warmup == 60.0
    assert out.wanted(60, 50, Counts(10)) == 11
    assert out.wanted(62, 50, Counts(10, warming=1)) == 11
    assert out.wanted(70, 50, Counts(10, warming=1)) == 13
    assert back.wanted(40, 50, Counts(14)) == 13
    assert back.wanted(30, 50, Counts(13)) == 10
    assert back.wanted(30, 50, Counts(13, warming=1)) == 14
    assert back.wanted(40, 50, Counts(9, terminating=1)) == 9


def test_the_pages_minimum_magnitude():
    """25 % of 4 is one, but two are asked for at least."""
    policy = steps((0, None, 25), AdjustmentType="PercentChangeInCapacity", MinAdjustmentMagnitude=2)
    assert policy.wanted(50, 50, Counts(4)) == 6


def test_the_group_stays_within_its_bounds():
    """The page's examples: 3 more of 2 with a maximum of 3; 2 fewer of 3 with a minimum of 2."""
    assert steps((0, None, 3)).wanted(50, 50, Counts(2, maximum=3)) == 3
    assert steps((None, 0, -2)).wanted(50, 50, Counts(3, minimum=2)) == 2


def test_a_breach_by_missing_data_is_at_the_threshold():
    """Nobody knows how far it went: the first step."""
    assert steps((0, 10, 1), (10, None, 5)).wanted(NAN, 50, Counts(4)) == 5


def test_simple_scaling_rests_between_two_changes():
    """For its cooldown, which CloudFormation has as text."""
    policy = simple()
    assert policy.wanted(Counts(2, warming=1), now=1000.0, acted_at=-math.inf) == 4
    assert policy.wanted(Counts(3), now=1299.0, acted_at=1000.0) == 3
    assert policy.wanted(Counts(3), now=1300.0, acted_at=1000.0) == 4


def test_target_tracking_adds_in_proportion_after_three_datapoints():
    """Ours: three above the target; the page: rounded up, and what warms up is no current capacity."""
    policy = tracking()
    assert policy.wanted(Told(75, 75), Counts(10), 0.0) == 10
    assert policy.wanted(Told(75, 75, 75), Counts(10), 0.0) == 15
    assert policy.wanted(Told(75, 75, 76), Counts(10), 0.0) == 16
    assert policy.wanted(Told(75, 75, 75), Counts(10, warming=5), 0.0) == 15
    assert policy.wanted(Told(75, 75, NAN), Counts(10), 0.0) == 10
    assert policy.wanted(Told(75, 75, 75), Counts(10, maximum=12), 0.0) == 12


def test_target_tracking_removes_after_fifteen():
    """Well below the target; not while something warms up, not when it is disabled, not on insufficient data."""
    calm = Told(*[20.0] * 15)
    assert tracking().wanted(calm, Counts(10), 0.0) == 4
    assert tracking().wanted(Told(*[20.0] * 14), Counts(10), 0.0) == 10
    assert tracking().wanted(Told(*[46.0] * 15), Counts(10), 0.0) == 10
    assert tracking().wanted(calm, Counts(10, warming=1), 0.0) == 11
    assert tracking(DisableScaleIn=True).wanted(calm, Counts(10), 0.0) == 10
    assert tracking().wanted(Told(*[20.0] * 14, NAN), Counts(10), 0.0) == 10
    late = Told(*[20.0] * 15, NAN, NAN)
    assert tracking().wanted(late, Counts(10), 0.0) == 10
    assert tracking().wanted(late, Counts(10), 0.0, late=2) == 4
    assert tracking().wanted(Told(*[20.0] * 14, NAN, NAN, NAN), Counts(10), 0.0, late=2) == 10


def test_the_largest_of_what_is_asked_for():
    """The page: of three fewer and a quarter of eight fewer, two go. A quiet policy has no say."""
    assert together(Counts(8), [5, 6], []) == 6
    assert together(Counts(8), [], []) == 8
    assert together(Counts(8, maximum=7), [], []) == 7


def test_target_tracking_waits_for_its_own_kind_only():
    """One that is ready to add, adds; all must be ready to remove; and none of them holds back a step policy."""
    one, other, only_out = tracking(), tracking(), tracking(DisableScaleIn=True)
    assert together(Counts(8), [], [(one, 6), (other, 9)]) == 9
    assert together(Counts(8), [], [(one, 6), (other, 8)]) == 8
    assert together(Counts(8), [], [(one, 6), (other, 5)]) == 6
    assert together(Counts(8), [], [(one, 6), (only_out, 8)]) == 6
    assert together(Counts(8), [7], [(one, 8)]) == 7
    assert together(Counts(8), [7], [(only_out, 8)]) == 7
    assert together(Counts(8), [7], [(one, 10)]) == 10


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            lambda: read({**COMMON, "PolicyType": "PredictiveScaling"}),
            "PredictiveScaling is not known to the rig",
        ),
        (lambda: steps((0, None, 1), Cooldown="60"), "Cooldown is not known to the rig"),
        (lambda: simple(EstimatedInstanceWarmup=3), "EstimatedInstanceWarmup is not known to the rig"),
        (lambda: tracking(PredefinedMetricSpecification={}), "PredefinedMetricSpecification is not known"),
        (lambda: steps((0, 10, 1), (12, None, 2)), "leave a gap"),
    ],
)
def test_refuses_what_it_does_not_know(made, says):
    """Also what Auto Scaling would refuse."""
    with pytest.raises(ValueError, match=says):
        made()
