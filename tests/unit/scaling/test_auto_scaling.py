"""iraas.scaling.auto_scaling: step and simple scaling.

The examples are those of the pages "Step and simple scaling policies for Amazon EC2 Auto Scaling" and "Scaling
cooldowns for Amazon EC2 Auto Scaling" of the Amazon EC2 Auto Scaling User Guide.
"""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iraas.scaling.auto_scaling import SimpleScaling, Step, StepScaling, rounded

PERCENT = "PercentChangeInCapacity"
THRESHOLD = 50.0  # percent, as in the page's example
OUT = StepScaling((Step(0, 10, 0), Step(10, 20, 10), Step(20, None, 30)), PERCENT)
BACK = StepScaling((Step(-10, 0, 0), Step(-20, -10, -10), Step(None, -20, -30)), PERCENT)


def adjust(scaling, value, **numbers):
    return scaling.adjust(value, THRESHOLD, **{"minimum": 0, "maximum": 100, **numbers})


@pytest.mark.parametrize(
    ("change", "instances"),
    [(12.7, 12), (0.67, 1), (-6.67, -6), (-0.67, -1), (-0.58, -1), (0, 0), (1, 1), (-1, -1)],
)
def test_rounds_as_the_page_says(change, instances):
    """Beyond one instance towards zero, below one to one."""
    assert rounded(change) == instances


def test_the_pages_group_of_ten_scales_out():
    """At 60 % ten become eleven; at 70 % eleven become fourteen (30 % of 11 is 3.3, rounded down)."""
    assert adjust(OUT, 59.9, capacity=10) == 10
    assert adjust(OUT, 60.0, capacity=10) == 11
    assert adjust(OUT, 70.0, capacity=11) == 14


def test_the_pages_group_of_ten_scales_in():
    """At 40 % fourteen become thirteen; at 30 % thirteen become ten (30 % of 13 is 3.9, rounded down)."""
    assert adjust(BACK, 40.1, capacity=14) == 14
    assert adjust(BACK, 40.0, capacity=14) == 13
    assert adjust(BACK, 30.0, capacity=13) == 10


def test_the_same_step_while_it_warms_up_adds_nothing():
    """At 62 % with the eleventh still warming up, current capacity is ten, and eleven is what ten should become."""
    assert adjust(OUT, 62.0, capacity=10, warming=1) == 11


def test_a_larger_step_while_it_warms_up_adds_the_difference():
    """At 70 % with the eleventh still warming up, 30 % of ten is three: two more, thirteen in all."""
    assert adjust(OUT, 70.0, capacity=10, warming=1) == 13


def test_nothing_goes_while_something_warms_up():
    """A scale-in cannot start while a scale-out is in progress."""
    assert adjust(BACK, 20.0, capacity=10, warming=1) == 11


def test_terminating_instances_are_current_capacity_on_the_way_in():
    """At 40 % with one of ten already on its way out, ten should become nine, which they are about to."""
    assert adjust(BACK, 40.0, capacity=9, terminating=1) == 9
    assert adjust(BACK, 40.0, capacity=9) == 8
    assert adjust(BACK, 30.0, capacity=9, terminating=1) == 7


def test_the_pages_kinds_of_adjustment():
    """3 and a change by 5 give 8, exactly 5 give 5, and 10 by 10 percent give 11."""
    assert adjust(StepScaling((Step(0, None, 5),)), 50, capacity=3) == 8
    assert adjust(StepScaling((Step(0, None, 5),), "ExactCapacity"), 50, capacity=3) == 5
    assert adjust(StepScaling((Step(None, 0, 5),), "ExactCapacity"), 50, capacity=8) == 5
    assert adjust(StepScaling((Step(0, None, 10),), PERCENT), 50, capacity=10) == 11


def test_the_pages_minimum_magnitude():
    """25 % of 4 is one instance, but at least two are asked for; also out of zero, and on the way in."""
    assert adjust(StepScaling((Step(0, None, 25),), PERCENT, minimum_magnitude=2), 50, capacity=4) == 6
    assert adjust(StepScaling((Step(0, None, 25),), PERCENT, minimum_magnitude=2), 50, capacity=0) == 2
    assert adjust(StepScaling((Step(None, 0, -25),), PERCENT, minimum_magnitude=2), 50, capacity=4) == 2
    assert adjust(StepScaling((Step(0, None, 25),), PERCENT), 50, capacity=0) == 0


def test_bounds_belong_to_the_step_that_is_further_away():
    """Above the threshold the lower bound is inclusive, below it the upper one."""
    steps = StepScaling((Step(None, -10, -2), Step(-10, 0, -1), Step(0, 10, 1), Step(10, None, 2)))
    found = [
        steps.step(difference).change for difference in (-11, -10, -9, 0, 9, 10, 11, math.inf, -math.inf)
    ]
    assert found == [-2, -2, -1, 1, 1, 2, 2, 2, -2]


def test_no_step_and_no_value_change_nothing():
    """A metric outside of all steps, or one that is not known, leaves the group alone."""
    assert adjust(OUT, 40.0, capacity=10, warming=2) == 12
    assert adjust(OUT, math.nan, capacity=10, warming=2) == 12
    assert adjust(BACK, 60.0, capacity=10) == 10


@given(
    st.floats(-100, 200),
    st.integers(0, 50),
    st.integers(0, 50),
    st.integers(0, 20),
    st.integers(0, 20),
    st.booleans(),
)
def test_the_group_stays_within_its_bounds(value, capacity, warming, minimum, more, out):
    """Whatever the metric says, and however many there are."""
    wanted = adjust(
        OUT if out else BACK,
        value,
        capacity=capacity,
        warming=warming,
        minimum=minimum,
        maximum=minimum + more,
    )
    assert minimum <= wanted <= minimum + more


@given(st.floats(50, 200), st.integers(0, 50), st.integers(0, 50))
def test_scaling_out_never_takes_away(value, capacity, warming):
    """Instances that still warm up are not given back because current capacity is smaller."""
    assert adjust(OUT, value, capacity=capacity, warming=warming, maximum=1000) >= capacity + warming


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ((), "steps: there are none"),
        ((Step(0, 10, 1), Step(5, None, 2)), r"steps: \[0, 10\) and \[5, inf\) overlap"),
        ((Step(0, 10, 1), Step(11, None, 2)), r"steps: \[0, 10\) and \[11, inf\) leave a gap"),
        ((Step(0, None, 1), Step(10, None, 2)), r"\[0, inf\) and \[10, inf\) overlap"),
        ((Step(None, 0, -1), Step(None, -10, -2)), "overlap"),
        ((Step(0, 10, 1),), r"steps: nothing is above \[0, 10\); leave its upper bound out"),
        ((Step(-10, 0, -1),), r"steps: nothing is below \[-10, 0\); leave its lower bound out"),
    ],
)
def test_steps_must_cover_without_overlap(steps, says):
    """Steps that overlap, leave a gap or end too early are named, with the mend."""
    with pytest.raises(ValueError, match=says):
        StepScaling(steps)


def test_steps_may_come_in_any_order():
    """Only what they cover counts, and a policy for one side need not cover the other."""
    assert adjust(StepScaling((Step(20, None, 3), Step(0, 20, 1))), 55, capacity=1) == 2


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "change: the step .* has none"),
        ({"change": 1}, "lower, upper: .* neither"),
        ({"lower": 3, "upper": 3, "change": 1}, r"lower: the step \[3, 3\) is empty"),
        ({"lower": math.inf, "change": 1}, "is empty"),
        ({"upper": math.nan, "change": 1}, "is empty"),
        ({"lower": 0, "change": math.inf}, "change"),
    ],
)
def test_a_step_that_cannot_be_is_refused(fields, says):
    """A step has a change, and at least one bound that leaves room."""
    with pytest.raises(ValueError, match=says):
        Step(**fields)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"adjustment": "Percent"}, "adjustment: 'Percent'.*PercentChangeInCapacity"),
        ({"minimum_magnitude": 1}, "minimum_magnitude: ChangeInCapacity has none"),
        ({"minimum_magnitude": -1, "adjustment": PERCENT}, "minimum_magnitude: -1"),
        ({"change": 1.5}, r"change: 1\.5 is no number of instances"),
        ({"change": -1, "adjustment": "ExactCapacity"}, "change: a group cannot have -1"),
    ],
)
def test_both_kinds_of_scaling_refuse_the_same(fields, says):
    """An adjustment that Auto Scaling would not take is named by step and by simple scaling."""
    fields = {"change": 1, **fields}
    with pytest.raises(ValueError, match=says):
        SimpleScaling(**fields)
    change = fields.pop("change")
    with pytest.raises(ValueError, match=says):
        StepScaling((Step(0, None, change),), **fields)


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf])
def test_times_must_be_possible(seconds):
    """Warm-up and cooldown are seconds from zero up."""
    with pytest.raises(ValueError, match="warmup"):
        StepScaling((Step(0, None, 1),), warmup=seconds)
    with pytest.raises(ValueError, match="cooldown"):
        SimpleScaling(1, cooldown=seconds)


def test_simple_scaling_waits_for_its_cooldown():
    """The default is five minutes from the end of the last activity; a clock that went back does not prolong it."""
    rule = SimpleScaling(2)
    assert rule.may_act(0.0, -math.inf)
    assert not rule.may_act(399.9, 100.0)
    assert rule.may_act(400.0, 100.0)
    assert rule.may_act(50.0, 100.0)


def test_simple_scaling_adjusts_by_one_amount():
    """The page's example adds two instances; the bounds hold."""
    assert SimpleScaling(2).adjust(capacity=3, minimum=1, maximum=10) == 5
    assert SimpleScaling(-50, PERCENT).adjust(capacity=3, minimum=1, maximum=10) == 2
    assert SimpleScaling(-5).adjust(capacity=3, minimum=1, maximum=10) == 1
    assert SimpleScaling(9).adjust(capacity=3, minimum=1, maximum=10) == 10


def test_they_come_from_files():
    """TOML has no null: a bound that is open is left out, and an unknown field is refused."""
    read = msgspec.toml.decode(
        "steps = [{lower = 0, upper = 10, change = 1}, {lower = 10, change = 3}]", type=StepScaling
    )
    assert read == StepScaling((Step(0, 10, 1), Step(10, None, 3)))
    with pytest.raises(ValueError, match="lowr"):
        msgspec.toml.decode("steps = [{lowr = 0, change = 1}]", type=StepScaling)
